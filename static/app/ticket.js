// The ticket: sizes in two units and per cent, prices from the book, what the button says and why it cannot be pressed.
//
// The form is the server's and may be replaced at any time; nothing of it is kept here. What is written is an estimate or
// a label: the server's preview, and then the engine, decide.

import { painter, setField, setText } from "./dom.js";
import { money, rescale, toWire } from "./numbers.js";
import { setRange } from "./range.js";
import { QUOTE_DECIMALS } from "./units.js";

const STALE = "Prices are stale: market orders wait for the connection";
const HALTED = "The price is halted, so nothing trades. Orders can be cancelled.";
const NO_SIZE = "Enter a size";
const NO_NUMBER = "Enter the size as a number, such as 0.5";
const NO_PRICE = "Enter a price";
const TOO_SMALL = "This buys less than one lot";
// Refusals that end by themselves: the order may be good again by the time it arrives.
const PASSING = new Set(["PRICE_STALE", "PROJECTION_BEHIND", "EXPIRED"]);
const ASK_AGAIN_MS = 2000;
const REFRESH_EVERY_MS = 250;
const SLIDER_STEPS = 100n;
const TEXT_INPUTS = "input:not([type=radio], [type=checkbox], [type=range], [type=hidden])";
const MARKET_TYPES = new Set(["market", "stop_market", "take_profit_market"]);

/** Tell whether staff has stopped the price: that ends when they say so, not by itself. */
function isHalted() {
  return document.querySelector("[data-stat=oracle_state]")?.dataset.oracle === "halted";
}

export class Ticket {
  #touched = false;
  #busy = false;
  #sent = new Map();
  #sliding = false;
  #slid = null;
  #asking = null;

  /**
   * `estimateMost({side, ticks})` gives the lots that an account could trade, until the server's preview says it; `blocked()` why
   * this browser cannot send orders, if so.
   */
  constructor({ units, feed, levels, estimateMost, blocked }) {
    Object.assign(this, { units, feed, levels, estimateMost, blocked });
    this.refreshSoon = painter(REFRESH_EVERY_MS, () => this.refresh());
    document.addEventListener("input", (event) => this.#input(event));
    document.addEventListener("change", (event) => this.#input(event));
    document.addEventListener("click", ({ target }) => this.#clicked(target));
    document.addEventListener("htmx:after:swap", ({ detail }) => {
      this.#answered(detail.ctx);
      this.#swapped(detail.ctx);
    });
    document.addEventListener("htmx:before:request", ({ target }) => this.#sending(target, true));
    document.addEventListener("htmx:finally:request", ({ target }) => this.#sending(target, false));
    feed.addEventListener("state", () => this.refresh());
    this.refresh();
  }

  /** Put a price into the ticket; a market order becomes a limit order. */
  setPrice(ticks) {
    if (!this.form) return;
    if (MARKET_TYPES.has(this.type)) this.choose("type", "limit");
    setField(this.#field("price"), this.units.price.toWire(ticks));
  }

  /** Choose a side or a type; returns whether the form has it. */
  choose(name, value) {
    const radio = this.form?.querySelector(`input[name="${name}"][value="${value}"]`);
    if (!radio || radio.disabled) return false;
    if (radio.checked) return true;
    radio.checked = true;
    for (const type of ["input", "change"]) radio.dispatchEvent(new Event(type, { bubbles: true }));
    return true;
  }

  /** Enter a reduce-only limit order at the best price, for so many lots. */
  reduce({ side, lots }) {
    if (!this.form) return;
    const unit = this.#field("size_unit");
    const reduceOnly = this.#field("reduce_only");
    this.choose("side", side);
    this.choose("type", "limit");
    if (this.#inQuote) unit.value = "base";
    if (!reduceOnly.checked) reduceOnly.click();
    this.#best();
    setField(this.#field("size"), this.units.size.toWire(lots));
  }

  /** Enter so many per cent of what margin allows; returns whether the ticket can be filled. */
  takeShare(percent) {
    const slider = this.form?.querySelector("[data-size-slider]");
    if (!slider || slider.disabled) return false;
    setRange(slider, percent);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    return true;
  }

  get form() {
    return document.getElementById("ticket");
  }

  get side() {
    return this.form.elements.side.value;
  }

  get type() {
    return this.form.elements.type.value;
  }

  /** Bring label, reason and estimate up to what the form says. */
  refresh() {
    const button = document.getElementById("ticket-submit");
    if (!this.form || !button || this.#busy) return;
    const lots = this.lots;
    const verb = this.side === "buy" ? "Buy" : "Sell";
    setText(button, lots ? `${verb} ${this.units.size.format(lots)} ${this.units.base}` : verb);
    const reason = this.#reason(lots);
    const refusal = reason || this.#refusal;
    button.disabled = reason !== "" || (refusal !== "" && !PASSING.has(this.#figures.rejectCode));
    setText(document.getElementById("ticket-reason"), refusal);
    this.#askAgain(refusal !== reason);
    this.#estimate(lots);
    this.#follow(lots);
  }

  /** The price that sizes are valued at: the limit price, else the best price of the other side; null without one. */
  get ticks() {
    if (!MARKET_TYPES.has(this.type)) return this.units.price.read(this.#field("price")?.value ?? "").count;
    if (this.type !== "market") return this.units.price.read(this.#field("trigger_price")?.value ?? "").count;
    const best = this.levels.best(this.side === "buy" ? "sell" : "buy");
    return best === null ? null : BigInt(best);
  }

  /** The size in lots as entered, in either unit; null while there is none. */
  get lots() {
    const text = this.#field("size")?.value ?? "";
    if (!this.#inQuote) return this.units.size.read(text).count || null;
    const { nearest } = this.units.cash.read(text);
    const ticks = this.ticks;
    return nearest && ticks ? this.units.lotsFor(nearest, ticks) || null : null;
  }

  get #figures() {
    return document.getElementById("receipt-figures")?.dataset ?? {};
  }

  get #told() {
    return BigInt(this.#figures.maxSizeLots || 0);
  }

  get #most() {
    const ticks = this.ticks;
    return this.#told || (ticks ? this.estimateMost({ side: this.side, ticks }) : 0n);
  }

  #field(name) {
    return this.form?.elements[name];
  }

  #clicked(target) {
    if (target.closest("[data-best-price]")) this.#best();
    const share = target.closest("[data-share]");
    if (share) this.takeShare(share.dataset.share);
  }

  #input({ target }) {
    if (!(target instanceof Element) || target.closest("form") !== this.form || !this.form) return;
    this.#touched = true;
    if (target.matches("[data-size-slider]")) {
      this.#slid = BigInt(target.value);
      this.#slide(target);
      return;
    }
    if (!this.#sliding) this.#slid = null;
    this.refresh();
  }

  // What the server found out about the largest size counts for a slider that was pulled on an estimate.
  #previewed() {
    const slider = this.form.querySelector("[data-size-slider]");
    const slid = this.#slid;
    this.#slid = null;
    if (!slider || slid === null || !this.#told) return;
    const size = this.#sizeText((this.#told * slid) / SLIDER_STEPS);
    if (size !== this.#field("size").value) setField(this.#field("size"), size);
  }

  // While an order is on its way, the button is htmx's, which frees it after this event.
  #sending(target, busy) {
    if (target !== this.form) return;
    this.#busy = busy;
    if (busy) this.#sent = new Map([...this.form.querySelectorAll(TEXT_INPUTS)].map(({ name, value }) => [name, value]));
    if (!busy) queueMicrotask(() => this.refresh());
  }

  // A morphed input keeps what was typed; after an answer, what the server wrote is what should stand there, unless
  // somebody has typed on.
  #answered({ sourceElement }) {
    if (sourceElement !== this.form) return;
    for (const input of this.form.querySelectorAll(TEXT_INPUTS)) {
      if (input.value === this.#sent.get(input.name)) input.value = input.defaultValue;
    }
  }

  #swapped({ sourceElement }) {
    if (!this.form) return;
    if (sourceElement === this.form || sourceElement?.id === "receipt") {
      this.#touched = false;
      this.#previewed();
    }
    this.refresh();
  }

  #reason(lots) {
    if (isHalted()) return HALTED;
    if (this.blocked()) return this.blocked();
    if (this.type === "market" && !this.feed.live) return STALE;
    return lots ? "" : this.#sizeReason();
  }

  // Why the server would refuse the order as the form says it; unknown as soon as somebody has typed on.
  get #refusal() {
    return (!this.#touched && this.#figures.reason) || "";
  }

  // A refusal may pass by itself, when prices or orders of others change.
  #askAgain(refused) {
    if (refused) {
      this.#asking ??= setTimeout(() => this.#ask(), ASK_AGAIN_MS);
      return;
    }
    clearTimeout(this.#asking);
    this.#asking = null;
  }

  #ask() {
    this.#asking = null;
    if (!document.hidden && !this.#touched) this.form.dispatchEvent(new CustomEvent("ticket:fresh", { bubbles: true }));
    else this.refresh();
  }

  #sizeReason() {
    const text = this.#field("size")?.value ?? "";
    if (!/[1-9]/.test(text)) return NO_SIZE;
    if (this.#inQuote) return this.ticks === null ? NO_PRICE : TOO_SMALL;
    const { nearest } = this.units.size.read(text);
    const step = `${this.units.size.text} ${this.units.base}`;
    if (nearest === null) return NO_NUMBER;
    return `Size must be a multiple of ${step}: try ${this.units.size.toWire(nearest || 1n)}`;
  }

  get #inQuote() {
    return this.#field("size_unit")?.value === "quote";
  }

  #best() {
    const best = this.levels.best(this.side);
    if (best !== null) setField(this.#field("price"), this.units.price.toWire(best));
  }

  #slide(slider) {
    this.#sliding = true;
    const most = this.#most;
    if (!most) setRange(slider, "0");
    setText(this.form.querySelector("[data-slider-text]"), `${slider.value}%`);
    setField(this.#field("size"), this.#sizeText((most * BigInt(slider.value)) / SLIDER_STEPS));
    this.#sliding = false;
  }

  #sizeText(lots) {
    if (lots === 0n) return "";
    if (!this.#inQuote) return this.units.size.toWire(lots);
    const ticks = this.ticks;
    return ticks ? toWire(rescale(this.units.value(ticks, lots), QUOTE_DECIMALS, 2), 2) : "";
  }

  // The slider shows what part of the largest possible size is entered.
  #follow(lots) {
    const slider = this.form.querySelector("[data-size-slider]");
    const most = this.#most;
    if (!slider || this.#sliding || !most) return;
    const share = ((lots ?? 0n) * SLIDER_STEPS + most / 2n) / most;
    setRange(slider, String(share > SLIDER_STEPS ? SLIDER_STEPS : share));
    setText(this.form.querySelector("[data-slider-text]"), `${slider.value}%`);
  }

  #estimate(lots) {
    const ticks = this.ticks;
    const value = document.querySelector("[data-receipt=order_value]");
    if (value && this.#touched) setText(value, lots && ticks ? money(this.units.value(ticks, lots), QUOTE_DECIMALS) : "\u2014");
  }
}
