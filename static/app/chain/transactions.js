// A transaction's life, seen from the page: built by the server, signed by the wallet, relayed, and followed until it cannot be undone.

import { api, ApiError } from "../api.js";
import { fromBase64, toBase64 } from "./encoding.js";

const API = "/api/v1/chain/transactions/";
const WALLET = "/api/v1/chain/wallet/";
const ASK_EVERY_MS = 700;
const PATIENCE_MS = 180_000;
const SEND_AGAIN_MS = 5_000;
const LOST_AFTER_MS = 100_000; // a blockhash is good for about a minute

/** The transaction did not take effect; the message says why, and what to do. */
export class TransactionFailed extends Error {
  constructor(message) {
    super(message);
    this.name = "TransactionFailed";
  }
}

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Ask until the answer is there: `ask` returns null while it is not. Failures of the way there are no answer. */
export async function until(ask, { everyMs = ASK_EVERY_MS, patienceMs = PATIENCE_MS } = {}) {
  const end = performance.now() + patienceMs;
  while (performance.now() < end) {
    const answer = await ask().catch(unanswered);
    if (answer !== null) return answer;
    await pause(everyMs);
  }
  throw new TransactionFailed("This takes longer than it should. The page shows it once it has arrived; nothing needs to be sent again.");
}

function unanswered(error) {
  if (error instanceof TypeError || (error instanceof ApiError && (error.status >= 500 || error.status === 429))) return null;
  throw error;
}

/** Wait until the wallet's account is on chain: what was linked a moment ago may not be there yet. */
async function opened(steps) {
  const { created } = await api(WALLET);
  if (created) return;
  steps.reach("signed", "your account is being opened on chain");
  await until(async () => ((await api(WALLET)).created ? true : null));
}

/** Have the wallet sign and the server relay what `kind` builds from `body`; return its signature when it is finalized. */
export async function transact(kind, body, { connection, chain, steps }) {
  await opened(steps);
  steps.reach("signed", "confirm it in your wallet");
  const built = await api(`${API}${kind}/`, { method: "POST", body });
  const signed = await connection.signTransaction(fromBase64(built.transaction), chain);
  steps.reach("sent");
  const send = () => api(API, { method: "POST", body: { transaction: toBase64(signed) } });
  const { signature } = await send();
  steps.signature(signature);
  steps.reach("confirmed");
  await follow(signature, { steps, send });
  return signature;
}

/** Wait until a transaction is finalized; while no node knows it, it is sent again: it can land once only. */
async function follow(signature, { steps, send }) {
  const began = performance.now();
  let sentAt = began;
  return until(async () => {
    const { status, confirmations, error } = await api(`${API}${signature}/`);
    const now = performance.now();
    if (status === "failed") throw new TransactionFailed(`The transaction failed on chain: ${error}`);
    if (status === "finalized") return signature;
    if (status === "confirmed") steps.reach("finalized", confirmations ? `${confirmations} confirmations` : "");
    if (status === "unknown" && now - began > LOST_AFTER_MS) {
      throw new TransactionFailed("The transaction was not taken in time. Look at the table below before you try again.");
    }
    if (status === "unknown" && now - sentAt > SEND_AGAIN_MS) {
      sentAt = now;
      await send().catch(() => null); // what the node says of one that landed meanwhile means nothing
    }
    return null;
  });
}
