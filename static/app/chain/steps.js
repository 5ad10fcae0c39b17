// The steps of what takes a while, as a list that stands on the page from the start: waiting, active, done, failed; each in words, too.

import { setText } from "../dom.js";

const WORDS = { waiting: "", active: "now", done: "done", failed: "failed" };

export class Steps {
  constructor(root, { transactionUrl }) {
    this.root = root;
    this.transactionUrl = transactionUrl;
  }

  get names() {
    return [...this.root.querySelectorAll("[data-step]")].map((item) => item.dataset.step);
  }

  /** All steps wait again. */
  reset() {
    this.root.hidden = false;
    for (const name of this.names) this.#mark(name, "waiting", "");
    this.signature("");
    this.fail("");
  }

  /** This step is under way: all before it are done. */
  reach(name, note = "") {
    const names = this.names;
    names.forEach((each, at) => this.#mark(each, at < names.indexOf(name) ? "done" : each === name ? "active" : "waiting", each === name ? note : ""));
  }

  finish() {
    for (const name of this.names) this.#mark(name, "done", "");
  }

  /** Link the transaction that these steps are about. */
  signature(signature) {
    const link = this.root.querySelector("[data-signature]");
    if (!link) return;
    link.hidden = signature === "";
    link.href = signature ? this.transactionUrl(signature) : "";
    setText(link, signature && `Transaction ${signature.slice(0, 8)}…${signature.slice(-8)}`);
  }

  /** The active step has failed, and why. An empty reason takes it back. */
  fail(reason) {
    const active = this.root.querySelector("[data-state=active]");
    if (reason && active) this.#mark(active.dataset.step, "failed", "");
    setText(this.root.querySelector("[data-steps-error]"), reason);
  }

  #mark(name, state, note) {
    const item = this.root.querySelector(`[data-step="${name}"]`);
    item.dataset.state = state;
    item.toggleAttribute("aria-current", state === "active");
    setText(item.querySelector("[data-step-note]"), note || WORDS[state]);
  }
}
