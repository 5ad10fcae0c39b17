// On a phone the ticket lives in a bottom sheet: the same form, moved there and back.

import { openDialog } from "./dialog.js";

const WIDE = matchMedia("(min-width: 768px)");

function home() {
  const form = document.getElementById("ticket");
  const place = document.getElementById("ticket-home");
  if (form && place && form.parentElement !== place) place.append(form);
}

/** Open the sheet on a side; `choose` sets it in the ticket. */
export function startSheet({ choose }) {
  const sheet = document.getElementById("ticket-sheet");
  if (!sheet) return;
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open-ticket]");
    if (!opener || WIDE.matches) return;
    event.preventDefault();
    sheet.querySelector("[data-sheet-body]").append(document.getElementById("ticket"));
    choose("side", opener.dataset.openTicket);
    openDialog("ticket-sheet");
  });
  sheet.addEventListener("close", home);
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    if (ctx.sourceElement?.id === "ticket" && ctx.response.status < 400) sheet.close();
  });
  WIDE.addEventListener("change", () => WIDE.matches && sheet.close());
}
