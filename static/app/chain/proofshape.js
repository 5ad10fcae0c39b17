// A proof as /api/v1/chain/proofs/ sends it, made into what is verified: texts into bytes and whole numbers.

import { fromBase58, fromBase64, fromHex } from "./encoding.js";

const ORDER_BYTES = 148;
const KEY_BYTES = 32;

function sums(written) {
  return written.map(([slot, amount]) => [slot, BigInt(amount)]);
}

function node({ hash, sums: written }) {
  return { hash: fromHex(hash), sums: sums(written) };
}

/** Return the parts of 244 bytes: the order, the key that signed it, the signature. */
function readSigned(bytes) {
  return {
    order: bytes.slice(0, ORDER_BYTES),
    key: bytes.slice(ORDER_BYTES, ORDER_BYTES + KEY_BYTES),
    signature: bytes.slice(ORDER_BYTES + KEY_BYTES),
  };
}

function fill({ trade_id: tradeId, size_lots: sizeLots, fee_atoms: feeAtoms, time_ms: timeMs }) {
  return { tradeId, sizeLots: BigInt(sizeLots), feeAtoms: BigInt(feeAtoms), timeMs: BigInt(timeMs) };
}

function tells({ trade_id: last, fills }, tradeId) {
  return last === tradeId || fills.some(({ trade_id: one }) => one === tradeId);
}

function readTrade(state) {
  return {
    id: state.trade_id,
    marketId: state.market_id,
    tickLotAtoms: BigInt(state.tick_lot_atoms),
    side: state.side,
    sizeLots: BigInt(state.size_lots),
    priceTicks: BigInt(state.price_ticks),
    feeAtoms: BigInt(state.fee_atoms),
    timeMs: BigInt(state.time_ms),
  };
}

/** Return the proof; `state` is the trade as the page knows it. */
export function readProof(sent, state) {
  const { batch, account } = sent;
  const leaves = account.leaves.map(({ kind, data, sums: written, fills }) => ({
    kind, data: fromHex(data), sums: sums(written), fills: fills.map(fill),
  }));
  return {
    trade: readTrade(state),
    account: {
      address: fromBase58(account.address),
      owner: fromBase58(account.owner),
      subAccount: account.sub_account,
      custodied: account.custodied,
      before: sums(account.before),
      leaves,
      place: account.leaves.findIndex((leaf) => tells(leaf, state.trade_id)),
    },
    signed: sent.signed ? readSigned(fromBase64(sent.signed)) : null,
    key: sent.key ? { address: fromBase58(sent.key.address), data: sent.key.data ? fromBase64(sent.key.data) : null } : null,
    registration: sent.key?.signature ?? "",
    path: { index: account.index, leaves: batch.accounts, siblings: account.siblings.map(node) },
    batch: {
      seq: BigInt(batch.seq),
      prevHash: fromHex(batch.prev_hash),
      hash: fromHex(batch.hash),
      root: fromHex(batch.root),
      accounts: batch.accounts,
      beginMs: batch.begin_ms,
      endMs: batch.end_ms,
      chainEvents: batch.chain_events,
      final: batch.final,
      address: batch.address,
    },
    transactions: sent.transactions.map(({ name, signature }) => [name, signature]),
    chain: batch.data ? fromBase64(batch.data) : null,
    domain: { program: fromHex(state.program), genesisHash: fromHex(state.genesis_hash) },
  };
}
