// A form that got no answer says so. An order carries an id of its own, so that sending it again is safe.

import { toast } from "./toast.js";

function lost({ target }) {
  if (!(target instanceof HTMLFormElement)) return;
  const safe = "client_order_id" in target.elements;
  toast({
    title: "No answer from the server",
    text: safe ? "Sending the order again is safe: it cannot be placed twice." : "Look at your orders and positions before you send it again.",
    kind: "bad",
    urgent: true,
  });
}

export function startFailures() {
  document.addEventListener("htmx:error", lost);
  document.addEventListener("htmx:after:request", (event) => {
    if (event.detail.ctx.response?.status >= 500) lost(event);
  });
}
