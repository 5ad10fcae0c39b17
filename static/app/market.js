// The market bar: prices, the day's figures, funding and its countdown, and the page's title.

import { flash, setDirection, setText, signOf } from "./dom.js";
import { haltText, indexOf, showHalt } from "./halt.js";
import { showStatus } from "./status.js";
import { figures } from "./ticker.js";
import { countdown } from "./times.js";

const ASK_EVERY_MS = 2000;
const ORACLE = {
  valid: "Valid",
  single: "One source",
  uncertain: "Uncertain price",
  disputed: "Sources disagree",
  stale: "No fresh price",
  halted: "Price halted",
};

export class MarketBar {
  #lastTicks = null;
  #asking = false;

  constructor({ root, units, nowMs }) {
    this.root = root;
    this.units = units;
    this.nowMs = nowMs;
    this.countdown = root.querySelector("[data-funding-countdown]");
    this.badge = document.getElementById("prices-badge");
    setInterval(() => this.#count(), 1000);
  }

  /** Show a ticker; the last price comes from the tape, which is faster. */
  showTicker(ticker) {
    for (const [name, { text, sign }] of Object.entries(figures(ticker))) {
      if (name === "last_price") continue;
      const element = this.#stat(name);
      setText(element, text);
      if (sign !== undefined) setDirection(element, sign);
    }
    if (this.countdown) this.countdown.dataset.dueMs = ticker.next_funding_ms;
    this.#showOracle(ticker);
    showStatus(this.root, ticker.status);
    this.#count();
  }

  /** Show the last price; returns the direction in which it moved. */
  showLast(ticks) {
    const moved = this.#lastTicks === null ? 0 : signOf(ticks - this.#lastTicks);
    this.#lastTicks = ticks;
    const text = this.units.price.format(ticks);
    const element = this.#stat("last_price");
    setText(element, text);
    if (moved) setDirection(element, moved);
    flash(element, moved);
    document.title = `${text} ${this.units.symbol} \u00b7 QuantDesk`;
    return moved;
  }

  #stat(name) {
    return this.root.querySelector(`[data-stat="${name}"]`);
  }

  #showOracle({ oracle_state: state, price_source: source }) {
    const element = this.#stat("oracle_state");
    // The server's first text is richer; it stands until the state changes.
    const before = element?.dataset.oracle;
    if (element && before !== state) {
      element.dataset.oracle = state;
      element.textContent = ORACLE[state] ?? state;
      if (state !== "halted") showHalt(this.root, "");
    }
    if (before && !this.#asking && (before !== state || state === "halted")) this.#ask(element);
    if (!this.badge || this.badge.dataset.source === source) return;
    this.badge.dataset.source = source;
    this.badge.hidden = source === "live";
    setText(this.badge.firstChild, source === "replay" ? "REPLAYED" : "SIMULATED");
  }

  // The ticker tells the state alone: the number of sources and staff's reason are the index's own.
  // Staff's release shows in the reason first: the state follows when the sources have been good for a while.
  async #ask(element) {
    this.#asking = true;
    const index = await indexOf(this.units.symbol);
    const state = element.dataset.oracle;
    this.#asking = state === "halted";
    if (this.#asking) setTimeout(() => this.#ask(element), ASK_EVERY_MS);
    const counted = index?.state === "valid" ? index.sources.filter(({ verdict }) => verdict === "counted").length : 0;
    if (state === "valid" && counted) setText(element, `${counted} sources`);
    if (state === "halted" && index) showHalt(this.root, haltText(index.halt_reason));
  }

  #count() {
    const due = Number(this.countdown?.dataset.dueMs);
    if (due) setText(this.countdown, countdown(due - this.nowMs()));
  }
}
