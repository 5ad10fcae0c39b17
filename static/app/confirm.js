// Forms that ask before they are sent: <form data-confirm="Close 0.850 BTC at market?">.

import { openDialog } from "./dialog.js";
import { setText } from "./dom.js";

const DEFAULT_VERB = "Confirm";
let waiting = null;

function ask(event) {
  const form = event.target.closest("form[data-confirm]");
  if (!form || "confirmed" in form.dataset) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const dialog = openDialog("confirm-dialog");
  setText(dialog.querySelector("[data-confirm-text]"), form.dataset.confirm);
  setText(dialog.querySelector("[data-confirm-yes]"), form.dataset.confirmVerb ?? DEFAULT_VERB);
  waiting = { id: form.id, form, submitter: event.submitter };
}

// The row may have been drawn anew while the question stood: the form of the same id takes its place.
function current({ id, form }) {
  if (form.isConnected) return form;
  return id ? document.getElementById(id) : null;
}

function send() {
  const asked = waiting;
  waiting = null;
  document.getElementById("confirm-dialog").close();
  const form = asked && current(asked);
  if (!form) return;
  form.dataset.confirmed = "";
  form.requestSubmit(asked.submitter?.isConnected ? asked.submitter : null);
  delete form.dataset.confirmed;
}

export function startConfirm() {
  document.addEventListener("submit", ask, { capture: true });
  document.addEventListener("click", ({ target }) => target.closest("[data-confirm-yes]") && send());
}
