// The address book: what is added is listed at once, and offered once its hold is over.

import { api } from "../api.js";
import { onSend } from "./forms.js";

export function startAddresses() {
  const form = document.getElementById("address-form");
  onSend(form, {
    error: document.getElementById("address-error"),
    attempt: async () => {
      const { label, address } = form.elements;
      await api("/api/v1/chain/addresses/", { method: "POST", body: { label: label.value, address: address.value.trim() } });
      location.reload();
    },
  });
}
