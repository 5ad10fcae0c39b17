// Tells the page's tables that they are old. Not while a form is on its way: the answer brings fresh tables itself, and a
// row that is drawn anew meanwhile would take the form, and with it the answer, off the page.

import { throttle } from "./dom.js";

const LAZY_PANELS = ["history", "fills", "funding"];
const LAZY_EVERY_MS = 1000;
const onTheirWay = new Set();
let owed = false;

const refreshLazy = throttle(LAZY_EVERY_MS, () => {
  for (const name of LAZY_PANELS) {
    const panel = document.getElementById(`panel-${name}`);
    if (panel && !panel.hidden) panel.dispatchEvent(new CustomEvent("panel:refresh", { bubbles: true }));
  }
});

/** Ask for fresh tables, now or as soon as no form waits for its answer. */
export function accountChanged() {
  owed = onTheirWay.size > 0;
  if (owed) return;
  document.body.dispatchEvent(new CustomEvent("account:changed", { bubbles: true }));
  refreshLazy();
}

document.addEventListener("htmx:before:request", ({ target, detail }) => {
  if (target instanceof HTMLFormElement) onTheirWay.add(detail.ctx);
});
document.addEventListener("htmx:finally:request", ({ detail }) => {
  if (onTheirWay.delete(detail.ctx) && owed) accountChanged();
});
