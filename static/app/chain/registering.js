// The trading key of this browser: made here, registered and revoked on chain by the wallet.

import { api } from "../api.js";
import { setText } from "../dom.js";
import { toast } from "../toast.js";
import { toBase58 } from "./encoding.js";
import { NotTaken, onSend, usdc } from "./forms.js";
import { canMakeKeys, findKey, findOrMakeKey, removeKey } from "./keys.js";
import { Steps } from "./steps.js";
import { transact, until } from "./transactions.js";

const DAY_MS = 86_400_000;

async function known(key) {
  const { trading_keys: keys } = await api("/api/v1/chain/wallet/");
  return keys.find((each) => each.key === key && !each.revoked_ms) ?? null;
}

/** Return this browser's key, made anew where the chain has ended the old one: a key's place there is never used again. */
async function freshKey(owner) {
  const mine = await findOrMakeKey(owner);
  const key = toBase58(mine.publicKey);
  const { trading_keys: keys } = await api("/api/v1/chain/wallet/");
  const seen = keys.find((each) => each.key === key);
  if (!seen) return key;
  if (!seen.revoked_ms && seen.expires_ms > Date.now()) throw new NotTaken("This browser’s key is registered already. Revoke it to register another.");
  await removeKey(owner);
  return toBase58((await findOrMakeKey(owner)).publicKey);
}

async function register(form, { session, chain, steps }) {
  if (!(await canMakeKeys())) throw new NotTaken("This browser cannot make such keys here: it needs HTTPS and Ed25519 in WebCrypto.");
  const cap = usdc(form.elements.cap);
  const key = await freshKey(session.owner);
  steps.reset();
  steps.reach("made");
  const market = form.elements.market.value;
  const body = { key, cap, expires_ms: Date.now() + Number(form.elements.days.value) * DAY_MS, ...(market && { market }) };
  await transact("register-key", body, { connection: session.connection, chain, steps });
  steps.reach("registered");
  await until(() => known(key));
  steps.finish();
}

async function revoke(key, { session, chain, steps }) {
  const mine = await findKey(session.owner);
  steps.reset();
  await transact("revoke-key", { key }, { connection: session.connection, chain, steps });
  steps.reach("registered", "waiting for the exchange to see it");
  await until(async () => ((await known(key)) ? null : true));
  if (mine && toBase58(mine.publicKey) === key) await removeKey(session.owner);
  steps.finish();
  toast({ title: "Key revoked", text: "It signs no more orders.", kind: "good" });
}

/** Mark the key of this browser in the list, and say whether orders can be signed here. */
function showOwn(list, state, own) {
  let registered = false;
  for (const item of list.querySelectorAll("[data-key]")) {
    const is = item.dataset.key === own;
    item.querySelector("[data-own-key]").hidden = !is;
    registered ||= is && item.querySelector("[data-revoke]") !== null;
  }
  setText(state, registered ? "This browser signs your orders." : "");
}

export function startKeys({ session, chain, transactionUrl }) {
  const form = document.getElementById("key-form");
  const list = document.getElementById("wallet-keys");
  const state = document.getElementById("key-state");
  const error = document.getElementById("key-error");
  const steps = new Steps(document.getElementById("key-steps"), { transactionUrl });
  const shared = { session, chain, steps };
  let own = "";
  const show = () => showOwn(list, state, own);
  const look = async () => {
    const mine = await findKey(session.owner);
    own = mine ? toBase58(mine.publicKey) : "";
    show();
  };
  onSend(form, { error, steps, session, attempt: () => register(form, shared).finally(look) });
  list.addEventListener("click", async ({ target }) => {
    const button = target.closest("[data-revoke]");
    if (!button || form.dataset.busy) return;
    if (!session.ready) {
      setText(error, "Connect your wallet first: it signs the revocation.");
      return;
    }
    form.dataset.busy = "true";
    setText(error, "");
    await revoke(button.dataset.revoke, shared).catch((failure) => steps.fail(failure.message));
    await look();
    delete form.dataset.busy;
    document.body.dispatchEvent(new CustomEvent("wallet:changed"));
  });
  document.addEventListener("htmx:after:swap", show);
  look();
}
