// Request an exit: asked once more before the wallet is, since it cannot be taken back.

import { onSend } from "./forms.js";
import { Steps } from "./steps.js";
import { transact } from "./transactions.js";

export function startExit({ session, chain, transactionUrl }) {
  const form = document.getElementById("exit-form");
  if (!form) return;
  const root = document.getElementById("exit-steps");
  const steps = new Steps(root, { transactionUrl });
  onSend(form, {
    error: root.querySelector("[data-steps-error]"),
    steps,
    session,
    attempt: async () => {
      steps.reset();
      await transact("request-exit", {}, { connection: session.connection, chain, steps });
      steps.finish();
    },
  });
}
