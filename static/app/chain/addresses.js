// The address book: what is added is listed at once, and offered once its hold is over; what is removed is gone at once.

import { api } from "../api.js";
import { onSend } from "./forms.js";

export function startAddresses() {
  const form = document.getElementById("address-form");
  const error = document.getElementById("address-error");
  onSend(form, {
    error,
    attempt: async () => {
      const { label, address } = form.elements;
      await api("/api/v1/chain/addresses/", { method: "POST", body: { label: label.value, address: address.value.trim() } });
      location.reload();
    },
  });
  for (const removal of document.querySelectorAll("form[data-remove]")) {
    onSend(removal, {
      error,
      attempt: async () => {
        await api(`/api/v1/chain/addresses/${removal.dataset.remove}/`, { method: "DELETE" });
        location.reload();
      },
    });
  }
}
