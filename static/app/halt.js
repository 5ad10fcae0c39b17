// The line under the market bar that says that staff has stopped the price, and why; the server draws it first.

import { api } from "./api.js";
import { setText } from "./dom.js";

const CANCEL_ONLY = "Orders can only be cancelled.";
const PRICE_RECOVERS = "The price was halted, and is used again once its sources have been good for a while.";

/** Return the index of a market as the API tells it, null where it cannot be asked: its state alone is known then. */
export function indexOf(symbol) {
  return api(`/api/v1/oracle/${symbol}/`).then(
    ({ index }) => index,
    () => null,
  );
}

export function haltText(reason) {
  const why = reason.replace(/[. ]+$/, "");
  return `${why ? `The price is halted: ${why}.` : PRICE_RECOVERS} ${CANCEL_ONLY}`;
}

/** Show a text, or nothing. */
export function showHalt(bar, text) {
  const shown = document.querySelector(".oracle-notice");
  if (!text) {
    shown?.remove();
    return;
  }
  setText(shown ?? notice(bar), text);
}

function notice(bar) {
  const element = document.createElement("p");
  element.className = "notice oracle-notice";
  element.setAttribute("role", "status");
  bar.after(element);
  return element;
}
