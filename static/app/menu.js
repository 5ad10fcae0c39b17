// The market menu: a search that filters rows, arrow keys that walk through them.

import { openDialog } from "./dialog.js";

const ID = "market-menu";

export function openMenu() {
  const dialog = openDialog(ID);
  dialog?.querySelector("input[type=search]")?.select();
  return dialog !== null;
}

function filter(input) {
  const wanted = input.value.trim().toLowerCase();
  for (const row of document.querySelectorAll(`${input.dataset.filter} tr[data-name]`)) {
    row.hidden = !row.dataset.name.includes(wanted);
  }
}

function links(dialog) {
  return [...dialog.querySelectorAll("tr:not([hidden]) a[data-row-link]")];
}

function walk(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const dialog = event.target.closest(`#${ID}`);
  if (!dialog) return;
  const rows = links(dialog);
  if (step && rows.length) {
    event.preventDefault();
    const at = rows.indexOf(document.activeElement);
    if (at + step < 0) dialog.querySelector("input[type=search]").focus();
    else rows[Math.min(at + step, rows.length - 1)].focus();
  } else if (event.key === "Enter" && event.target.matches("input[type=search]")) {
    event.preventDefault();
    rows[0]?.click();
  }
}

export function startMenu() {
  document.addEventListener("input", ({ target }) => target.matches("input[data-filter]") && filter(target));
  document.addEventListener("keydown", walk);
}
