// Link a wallet: connect, sign the exchange's message, open the account that it owns.

import { api } from "../api.js";
import { toBase64 } from "./encoding.js";
import { Session } from "./session.js";
import { Steps } from "./steps.js";

const WALLETS = "/api/v1/chain/wallets/";

async function link(session, wallet, steps) {
  steps.reset();
  steps.reach("connected", "choose an account in your wallet");
  const connection = await session.connect(wallet);
  steps.reach("proven", "confirm it in your wallet");
  const { address } = connection;
  const { message } = await api(`${WALLETS}challenge/`, { method: "POST", body: { address } });
  const signature = await connection.signMessage(message);
  steps.reach("linked");
  await api(WALLETS, { method: "POST", body: { address, signature: toBase64(signature) } });
  steps.finish();
  location.reload();
}

export function startLinking() {
  const steps = new Steps(document.getElementById("link-steps"), { transactionUrl: () => "" });
  let busy = false;
  const session = new Session({
    owner: "",
    chosen: async (wallet) => {
      if (busy) return;
      busy = true;
      await link(session, wallet, steps).catch((failure) => steps.fail(failure.message));
      busy = false;
    },
  });
  session.start();
}
