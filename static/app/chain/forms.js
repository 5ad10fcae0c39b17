// What the wallet page's forms have in common: exact amounts, errors at their fields, one attempt at a time.

import { setText } from "../dom.js";
import { fromWire, parse, toWire } from "../numbers.js";
import { QUOTE_DECIMALS } from "../units.js";

/** What was typed cannot be taken; the message says why. */
export class NotTaken extends Error {
  constructor(message) {
    super(message);
    this.name = "NotTaken";
  }
}

/** Return a positive amount of USDC as the server reads it; at most `most` atoms where that is known. */
export function usdc(input, { most = null, lacks = "" } = {}) {
  const atoms = parse(input.value, QUOTE_DECIMALS);
  if (atoms === null || atoms <= 0n) throw new NotTaken("Enter an amount such as 250 or 1,000.50, with at most 6 places.");
  if (most !== null && atoms > most) throw new NotTaken(`${lacks} At most ${toWire(most, QUOTE_DECIMALS)} USDC.`);
  return toWire(atoms, QUOTE_DECIMALS);
}

/** Return a figure of the page as atoms; null where the page does not know it. */
export function figure(name) {
  const exact = document.querySelector(`[data-figure="${name}"]`)?.dataset.exact;
  return exact ? fromWire(exact, QUOTE_DECIMALS) : null;
}

/** Tell the page's tables that something has changed. */
export function changed() {
  document.body.dispatchEvent(new CustomEvent("wallet:changed"));
}

/** Run `attempt` when the form is sent, once at a time; what fails before the steps begin is said at `error`, else by the steps. */
export function onSend(form, { error, steps = null, session = null, attempt }) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.dataset.busy) return;
    form.dataset.busy = "true";
    const buttons = form.querySelectorAll("button");
    buttons.forEach((button) => (button.disabled = true));
    setText(error, "");
    try {
      await attempt();
    } catch (failure) {
      const fields = failure.name === "NotTaken" || !steps || steps.root.hidden || !steps.root.querySelector("[data-state=active]");
      if (fields) setText(error, failure.message);
      else steps.fail(failure.message);
    } finally {
      delete form.dataset.busy;
      buttons.forEach((button) => (button.disabled = button.hasAttribute("data-needs-wallet") && session !== null && !session.ready));
      changed();
    }
  });
}
