// Deposit: the wallet signs a transfer into the vault; the exchange credits it once it is finalized.

import { api } from "../api.js";
import { figure, onSend, usdc } from "./forms.js";
import { Steps } from "./steps.js";
import { transact, until } from "./transactions.js";

async function credited(signature) {
  return until(async () => {
    const { deposits } = await api("/api/v1/chain/wallet/");
    return deposits.some((deposit) => deposit.signature === signature && deposit.credited) ? true : null;
  });
}

export function startDeposit({ session, chain, transactionUrl }) {
  const form = document.getElementById("deposit-form");
  const steps = new Steps(document.getElementById("deposit-steps"), { transactionUrl });
  onSend(form, {
    error: document.getElementById("deposit-error"),
    steps,
    session,
    attempt: async () => {
      const amount = usdc(form.elements.amount, { most: figure("wallet-usdc"), lacks: "Your wallet does not hold that much." });
      steps.reset();
      const signature = await transact("deposit", { amount }, { connection: session.connection, chain, steps });
      steps.reach("credited");
      await credited(signature);
      steps.finish();
      form.reset();
    },
  });
}
