// Verify that a trade was settled as its owner signed it: everything is computed anew from bytes, in this browser. A proof has
//   trade    {marketId, tickLotAtoms, side, sizeLots, priceTicks, feeAtoms, timeMs}    as the exchange shows it
//   account  {address, owner, subAccount, before, leaves: [{data, sums}], place}       `place`: which of the leaves is the trade's
//   signed   {order, key, signature} or null where the platform signs
//   path     {index, leaves, siblings}        from the account's leaf to the batch's root
//   batch    {seq, prevHash, hash, root, accounts, beginMs, endMs, chainEvents, final}
//   chain    the data of the batch's account on chain, or null
//   domain   {program, genesisHash}
// with BigInts for 64 bits, Uint8Arrays for keys and hashes, and answers {name, passed, text} for each check.

import { accountLeaf, changeLeaf, lead, little, POSITION, root, sameBytes, sameSums, sha256, canonical } from "./merkle.js";
import { decodeOrder, verifySignature } from "./orders.js";

const QUOTE = 0;
const TRADE = 1;
const PPM = 1_000_000n;
const BATCH_TAG = new TextEncoder().encode("QDBATCH1");
// Of the program's account Batch, behind Anchor's discriminator.
const ON_CHAIN = { seq: 8, prevHash: 25, hash: 57, root: 89, beginMs: 121, endMs: 129, chainEvents: 137, closed: 145, accounts: 154 };

/** Return what a trade's leaf states; null for a leaf of another kind. */
export function readTrade(data) {
  if (data[0] !== TRADE || data.length !== 73) return null;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return {
    order: data.subarray(1, 33),
    sizeLots: view.getBigUint64(33, true),
    priceTicks: view.getBigUint64(41, true),
    feeAtoms: view.getBigInt64(49, true),
    timeMs: view.getBigUint64(57, true),
    filledLots: view.getBigUint64(65, true),
  };
}

/** Return what the batch's account on chain holds. */
export function readBatch(data) {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const bytes = (at) => data.subarray(at, at + 32);
  return {
    seq: view.getBigUint64(ON_CHAIN.seq, true),
    prevHash: bytes(ON_CHAIN.prevHash),
    hash: bytes(ON_CHAIN.hash),
    root: bytes(ON_CHAIN.root),
    closed: data[ON_CHAIN.closed] === 1,
    accounts: view.getUint32(ON_CHAIN.accounts, true),
  };
}

function checkLeaf({ trade, account }) {
  const leaf = readTrade(account.leaves[account.place].data);
  const facts = ["sizeLots", "priceTicks", "feeAtoms", "timeMs"];
  const same = leaf !== null && facts.every((name) => leaf[name] === trade[name]);
  return [same, same ? "Its size, price, fee and time are those of a leaf of your account." : "No leaf of your account has this size, price, fee and time."];
}

function checkEffect({ trade, account }) {
  const lots = trade.side === "buy" ? trade.sizeLots : -trade.sizeLots;
  const quote = -lots * trade.priceTicks * trade.tickLotAtoms - trade.feeAtoms;
  const expected = canonical([[QUOTE, quote], [POSITION + trade.marketId, lots]]);
  const same = sameSums(account.leaves[account.place].sums, expected);
  return [same, same ? "The leaf moves exactly the trade’s value, its fee and its lots." : "The leaf moves something else than the trade."];
}

async function checkOrder({ account, signed }) {
  const leaf = readTrade(account.leaves[account.place].data);
  const same = leaf !== null && sameBytes(await sha256(signed.order), leaf.order);
  return [same, same ? "The leaf names the SHA-256 of the order below." : "The leaf names another order."];
}

async function checkSignature({ signed }) {
  const good = await verifySignature(signed.order, signed.signature, signed.key);
  return [good, good ? "Ed25519: the trading key signed exactly these bytes." : "The trading key did not sign these bytes."];
}

/** Return the most that a value may be charged at a rate, rounded up. */
function charge(value, ppm) {
  const charged = value * ppm;
  return charged > 0n ? (charged + PPM - 1n) / PPM : charged / PPM;
}

function checkTerms({ trade, account, signed, domain }) {
  const order = decodeOrder(signed.order);
  const leaf = readTrade(account.leaves[account.place].data);
  const { sizeLots, priceTicks, feeAtoms, timeMs } = trade;
  const inside = order.side === "buy" ? priceTicks <= order.limitTicks : priceTicks >= order.limitTicks;
  const broken = [
    [sameBytes(order.program, domain.program) && sameBytes(order.genesisHash, domain.genesisHash), "it is for another exchange or cluster"],
    [sameBytes(order.owner, account.owner) && order.subAccount === account.subAccount, "it is another account’s"],
    [order.marketId === trade.marketId && order.side === trade.side, "it is for another market or side"],
    [inside, "the price is outside its limit"],
    [leaf !== null && leaf.filledLots + sizeLots <= order.sizeLots, "more was filled than it allows"],
    [feeAtoms <= charge(sizeLots * priceTicks * trade.tickLotAtoms, BigInt(order.feeCapPpm)), "the fee is above its cap"],
    [timeMs < order.expiryMs, "it had expired"],
  ].find(([kept]) => !kept);
  return [!broken, broken ? `The signed order does not allow the fill: ${broken[1]}.` : "Market, side, limit, size, fee cap and expiry allow the fill."];
}

async function checkTree({ account, path, batch }) {
  const leaves = await Promise.all(account.leaves.map(({ data, sums }) => changeLeaf(data, sums)));
  const own = await accountLeaf({ account: account.address, before: account.before, changes: leaves.length, root: await root(leaves) });
  const led = await lead(own, path);
  const same = sameBytes(led.hash, batch.root) && path.leaves === batch.accounts;
  return [same, same ? "All leaves of your account, and the path below, lead to the batch’s root." : "The leaves and the path lead to another root."];
}

async function checkSums({ account, path }) {
  const leaves = await Promise.all(account.leaves.map(({ data, sums }) => changeLeaf(data, sums)));
  const own = await accountLeaf({ account: account.address, before: account.before, changes: leaves.length, root: await root(leaves) });
  const zero = (await lead(own, path)).sums.length === 0;
  return [zero, zero ? "All accounts’ changes of this batch add up to nothing: no money was made." : "The batch’s changes do not add up to nothing."];
}

async function checkHeader({ batch }) {
  const parts = [batch.prevHash, little(batch.seq, 8), batch.root, little(batch.accounts, 4), little(batch.beginMs, 8), little(batch.endMs, 8)];
  const hash = await sha256(BATCH_TAG, ...parts, little(batch.chainEvents, 8));
  const same = sameBytes(hash, batch.hash);
  return [same, same ? "The batch’s hash covers this root and the batch before." : "The batch’s hash is of something else."];
}

function checkChain({ batch, chain }) {
  if (!chain) return [null, "The batch’s account on chain could not be read now."];
  const found = readBatch(chain);
  const same = found.closed && found.seq === batch.seq && sameBytes(found.root, batch.root) && sameBytes(found.hash, batch.hash);
  return [same, same ? "The batch’s account on chain holds this root and this hash." : "The batch’s account on chain holds another root or hash."];
}

function checkFinal({ batch }) {
  return [batch.final ? true : null, batch.final ? "Its challenge window is over: it cannot be undone." : "Its challenge window is still open."];
}

const SIGNED = [
  ["The trade is in the batch", checkLeaf],
  ["It moves what it says", checkEffect],
  ["It names the order", checkOrder],
  ["The order is signed", checkSignature],
  ["The order allows it", checkTerms],
];
const EVERY = [
  ["The account is in the root", checkTree],
  ["The batch adds up", checkSums],
  ["The batch has its hash", checkHeader],
  ["The chain has the batch", checkChain],
  ["The batch is final", checkFinal],
];

/** Make every check; one that cannot be made, since the proof has another shape, has failed. `passed` null: it cannot be told yet. */
export async function verify(proof) {
  const checks = [...(proof.signed ? SIGNED : []), ...EVERY];
  return Promise.all(
    checks.map(async ([name, check]) => {
      try {
        const [passed, text] = await check(proof);
        return { name, passed, text };
      } catch (error) {
        return { name, passed: false, text: error.message };
      }
    }),
  );
}
