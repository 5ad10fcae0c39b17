// Withdraw: the engine debits, the settler grants a voucher on chain, the wallet takes the money with it. Leaving the page loses nothing:
// what has its voucher waits in the table, to be collected.

import { api } from "../api.js";
import { setText } from "../dom.js";
import { figure, onSend, usdc, changed } from "./forms.js";
import { Steps } from "./steps.js";
import { transact, TransactionFailed, until } from "./transactions.js";

const WITHDRAWALS = "/api/v1/chain/withdrawals/";
const ENDS = { refused: "The exchange refused it", returned: "It was returned to your account" };
const HELD = { requested: "", held: "until its hold is over", review: "two people look at it" };

/** Wait until a withdrawal is in a state; says meanwhile what it waits for. */
async function reached(id, wanted, tell) {
  return until(
    async () => {
      const withdrawal = await api(`${WITHDRAWALS}${id}/`);
      const { state, reason } = withdrawal;
      if (state in ENDS) throw new TransactionFailed(reason ? `${ENDS[state]}: ${reason}` : `${ENDS[state]}.`);
      if (wanted.includes(state)) return withdrawal;
      tell(HELD[state] ?? "");
      return null;
    },
    { patienceMs: 600_000 },
  );
}

async function collect(id, { session, chain, steps }) {
  await transact("withdraw", { withdrawal_id: id }, { connection: session.connection, chain, steps });
  steps.reach("paid");
  await reached(id, ["paid"], () => {});
  steps.finish();
}

async function request(form, shared) {
  const { steps } = shared;
  const amount = usdc(form.elements.amount, { most: figure("withdrawable"), lacks: "That much cannot be withdrawn now." });
  const address = form.elements.address.value;
  // A lost answer and another try are one withdrawal: the key names it.
  form.dataset.key ??= crypto.randomUUID();
  steps.reset();
  steps.reach("requested");
  const { withdrawal_id: id } = await api(WITHDRAWALS, {
    method: "POST",
    headers: { "Idempotency-Key": form.dataset.key },
    body: { amount, ...(address && { address }) },
  });
  delete form.dataset.key;
  form.reset();
  changed();
  steps.reach("granted");
  await reached(id, ["granted", "paid"], (note) => steps.reach(note ? "requested" : "granted", note));
  await collect(id, shared);
}

export function startWithdrawals({ session, chain, transactionUrl }) {
  const form = document.getElementById("withdraw-form");
  const error = document.getElementById("withdraw-error");
  const steps = new Steps(document.getElementById("withdraw-steps"), { transactionUrl });
  const shared = { session, chain, steps };
  // A key names one request: another amount or address is another request.
  form.addEventListener("input", () => delete form.dataset.key);
  onSend(form, { error, steps, session, attempt: () => request(form, shared) });
  document.getElementById("wallet-history").addEventListener("click", async ({ target }) => {
    const button = target.closest("[data-collect]");
    if (!button || form.dataset.busy) return;
    if (!session.ready) {
      setText(error, "Connect your wallet first: it signs the withdrawal.");
      return;
    }
    form.dataset.busy = "true";
    setText(error, "");
    steps.reset();
    await collect(button.dataset.collect, shared).catch((failure) => steps.fail(failure.message));
    delete form.dataset.busy;
    changed();
  });
}
