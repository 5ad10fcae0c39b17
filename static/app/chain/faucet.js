// The faucet of a localnet: SOL for fees, and test USDC.

import { api } from "../api.js";
import { setText } from "../dom.js";
import { onSend } from "./forms.js";

export function startFaucet(address) {
  const form = document.getElementById("faucet-form");
  if (!form) return;
  const note = document.getElementById("faucet-note");
  onSend(form, {
    error: note,
    attempt: async () => {
      setText(note, "On its way");
      await api("/api/v1/chain/faucet/", { method: "POST", body: { address } });
      setText(note, "Sent: it shows up within seconds.");
    },
  });
}
