// The program's account of a trading key, and whether it lets the key sign a fill: the same rules as the program's own.

import { little, sameBytes, sha256 } from "./merkle.js";
import { isDerived } from "./pdas.js";

const SIZE = 110;
const EVERY_MARKET = 0xffffffff;
const NOTICE_MS = 120_000n; // what was matched so soon after a revocation counts
const text = (word) => new TextEncoder().encode(word);

/** Return what the account holds; null for another kind of account. */
export async function readTradingKey(data) {
  const kind = (await sha256(text("account:TradingKey"))).subarray(0, 8);
  if (data.length < SIZE || !sameBytes(data.subarray(0, 8), kind)) return null;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return {
    user: data.subarray(8, 40),
    key: data.subarray(40, 72),
    marketId: view.getUint32(73, true),
    capAtoms: view.getBigUint64(77, true),
    createdMs: view.getBigUint64(85, true),
    expiresMs: view.getBigUint64(93, true),
    revokedMs: view.getBigUint64(101, true),
    custodied: data[109] === 1,
  };
}

/** Return why the chain does not say that the account's wallet registered this key; empty where it does. */
export async function registrationFault({ address, found }, { account, key, program }) {
  const seeds = [text("user"), account.owner, little(account.subAccount, 2)];
  if (!(await isDerived(account.address, { program, seeds }))) return "the account is not the wallet’s";
  if (!(await isDerived(address, { program, seeds: [text("key"), account.address, key] }))) return "this is not where the key is registered";
  if (!found || !sameBytes(found.user, account.address) || !sameBytes(found.key, key)) return "another key is registered there";
  return "";
}

/** Return why the key may not sign a fill that was `fromMs` to `untilMs`; empty where it may. */
export function scopeFault(found, { marketId, valueAtoms, fromMs, untilMs }) {
  if (found.marketId !== EVERY_MARKET && found.marketId !== marketId) return "it is for another market";
  if (valueAtoms > found.capAtoms) return "the order is worth more than it may sign";
  if (fromMs < found.createdMs) return "it was registered later";
  if (untilMs >= found.expiresMs) return "it had expired";
  if (found.revokedMs !== 0n && untilMs >= found.revokedMs + NOTICE_MS) return "it was revoked before";
  return "";
}
