// Verify that a trade was settled as its owner signed it: everything is computed anew from bytes, in this browser. A proof has
//   trade    {id, marketId, tickLotAtoms, side, sizeLots, priceTicks, feeAtoms, timeMs}   as the exchange shows it
//   account  {address, owner, subAccount, before, leaves: [{data, sums, fills}], place}   `place`: which of the leaves is the trade's
//   signed   {order, key, signature} or null where the platform signs
//   key      {address, data} of the key's account on chain; data null where it cannot be read
//   path     {index, leaves, siblings}        from the account's leaf to the batch's root
//   batch    {seq, prevHash, hash, root, accounts, beginMs, endMs, chainEvents, final}
//   chain    the data of the batch's account on chain, or null
//   domain   {program, genesisHash}
// with BigInts for 64 bits, Uint8Arrays for keys and hashes, and answers {name, passed, text} for each check.

import { accountLeaf, changeLeaf, lead, little, POSITION, root, sameBytes, sameSums, sha256, canonical } from "./merkle.js";
import { decodeOrder, verifySignature } from "./orders.js";
import { readTradingKey, registrationFault, scopeFault } from "./tradingkeys.js";

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

/** Return the leaf's own part that is the trade: all of it, or one of the fills that it says together. */
function partOf(leaf, fills, trade) {
  if (!fills.length) return leaf;
  const sum = (name) => fills.reduce((total, fill) => total + fill[name], 0n);
  const last = fills.reduce((latest, { timeMs }) => (timeMs > latest ? timeMs : latest), 0n);
  const whole = sum("sizeLots") === leaf.sizeLots && sum("feeAtoms") === leaf.feeAtoms && last === leaf.timeMs;
  return whole ? fills.find(({ tradeId }) => tradeId === trade.id) : undefined;
}

function checkLeaf({ trade, account }) {
  const { data, fills } = account.leaves[account.place];
  const leaf = readTrade(data);
  const part = leaf && partOf(leaf, fills, trade);
  const facts = ["sizeLots", "feeAtoms", "timeMs"];
  const same = Boolean(part) && leaf.priceTicks === trade.priceTicks && facts.every((name) => part[name] === trade[name]);
  if (!same) return [false, "No leaf of your account has this size, price, fee and time."];
  const others = fills.length - 1;
  return [true, others > 0
    ? `Its size and fee, with those of ${others} other fills of this order at this price, are those of a leaf of your account.`
    : "Its size, price, fee and time are those of a leaf of your account."];
}

function checkEffect({ trade, account }) {
  const { data, sums } = account.leaves[account.place];
  const { sizeLots, priceTicks, feeAtoms } = readTrade(data);
  const lots = trade.side === "buy" ? sizeLots : -sizeLots;
  const expected = canonical([[QUOTE, -lots * priceTicks * trade.tickLotAtoms - feeAtoms], [POSITION + trade.marketId, lots]]);
  const same = sameSums(sums, expected);
  return [same, same ? "The leaf moves exactly its value, its fee and its lots." : "The leaf moves something else than it says."];
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
  const { sizeLots, priceTicks, feeAtoms, timeMs, filledLots } = readTrade(account.leaves[account.place].data);
  const inside = order.side === "buy" ? priceTicks <= order.limitTicks : priceTicks >= order.limitTicks;
  const broken = [
    [sameBytes(order.program, domain.program) && sameBytes(order.genesisHash, domain.genesisHash), "it is for another exchange or cluster"],
    [sameBytes(order.owner, account.owner) && order.subAccount === account.subAccount, "it is another account’s"],
    [order.marketId === trade.marketId && order.side === trade.side, "it is for another market or side"],
    [inside, "the price is outside its limit"],
    [filledLots + sizeLots <= order.sizeLots, "more was filled than it allows"],
    [feeAtoms <= charge(sizeLots * priceTicks * trade.tickLotAtoms, BigInt(order.feeCapPpm)), "the fee is above its cap"],
    [timeMs < order.expiryMs, "it had expired"],
  ].find(([kept]) => !kept);
  return [!broken, broken ? `The signed order does not allow the fill: ${broken[1]}.` : "Market, side, limit, size, fee cap and expiry allow the fill."];
}

async function checkKey({ trade, account, signed, key, domain }) {
  if (!key?.data) return [null, "The key’s account on chain could not be read now."];
  const found = await readTradingKey(key.data);
  const fault = await registrationFault({ address: key.address, found }, { account, key: signed.key, program: domain.program });
  if (fault) return [false, `The chain does not say that your wallet registered the key: ${fault}.`];
  const { sizeLots, limitTicks, marketId } = decodeOrder(signed.order);
  const { timeMs } = readTrade(account.leaves[account.place].data);
  const valueAtoms = sizeLots * limitTicks * trade.tickLotAtoms;
  const refused = scopeFault(found, { marketId, valueAtoms, fromMs: trade.timeMs, untilMs: timeMs });
  if (refused) return [false, `The key could not sign this order: ${refused}.`];
  const held = found.custodied ? " It says that QuantDesk holds the key." : "";
  return [true, `The key’s account on chain is your wallet’s: it could sign this order at that time.${held}`];
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
  ["Your wallet registered the key", checkKey],
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
