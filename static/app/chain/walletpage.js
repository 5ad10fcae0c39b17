// The wallet page: each card has its module; they share the session with the wallet.

import { startDeposit } from "./depositing.js";
import { startExit } from "./exiting.js";
import { startFaucet } from "./faucet.js";
import { startLinking } from "./linking.js";
import { startKeys } from "./registering.js";
import { Session } from "./session.js";
import { startWithdrawals } from "./withdrawing.js";
import { startAddresses } from "./addresses.js";
import { setField, setText } from "../dom.js";

const page = document.getElementById("main");
const { owner, chain, explorer } = page.dataset;
const transactionUrl = (signature) => explorer.replace("SIGNATURE", encodeURIComponent(signature));

function startWallet() {
  const error = document.getElementById("connect-error");
  const session = new Session({
    owner,
    chosen: (wallet) => {
      setText(error, "");
      session.connect(wallet).catch((failure) => setText(error, failure.message));
    },
  });
  const shared = { session, chain, transactionUrl };
  startDeposit(shared);
  startWithdrawals(shared);
  startKeys(shared);
  startExit(shared);
  startFaucet(owner);
  startAddresses();
  page.addEventListener("click", ({ target }) => {
    const filler = target.closest("[data-fill]");
    const exact = filler && document.querySelector(`[data-figure="${filler.dataset.fill}"]`)?.dataset.exact;
    if (exact) setField(filler.closest(".field-box").querySelector("input"), exact);
  });
  session.start();
}

if (owner) startWallet();
else if (document.getElementById("link-steps")) startLinking();
