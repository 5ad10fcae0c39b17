// The order book's rows: painted at most twenty times a second into rows that exist already.

import { flash, painter, setDirection, setText, signOf } from "./dom.js";
import { grouped, Levels } from "./levels.js";
import { format, rescale } from "./numbers.js";

const PAINT_EVERY_MS = 50;
const CHECK_EVERY = 10;
const DEPTH_STEPS = 250;
// A server whose checksums are wrong must not be asked for snapshots without end.
const DISTRUST_EVERY_MS = 5000;

/** One pooled <tr>; it remembers what it shows. */
class Row {
  constructor(element) {
    this.element = element;
    [this.price, this.size, this.total] = element.children;
    this.shown = { ticks: null, lots: null, total: null, depth: null, own: null };
    element.classList.forEach((name) => name.startsWith("depth-") && element.classList.remove(name));
  }

  show(row, { units, depth, own }) {
    const { shown } = this;
    if (row && shown.ticks === row.ticks && shown.lots !== row.lots) flash(this.size, signOf(row.lots - shown.lots));
    if (shown.ticks !== (row?.ticks ?? null)) this.#move(row, units);
    if (shown.lots !== (row?.lots ?? null)) this.size.textContent = row ? units.size.format(row.lots) : "";
    if (shown.total !== (row?.total ?? null)) this.total.textContent = row ? units.size.format(row.total) : "";
    if (shown.depth !== depth) this.element.style.setProperty("--depth", depth);
    if (shown.own !== own) this.element.classList.toggle("own", own);
    this.shown = { ticks: row?.ticks ?? null, lots: row?.lots ?? null, total: row?.total ?? null, depth, own };
  }

  #move(row, units) {
    this.size.classList.remove("flash-up", "flash-down");
    this.price.textContent = row ? units.price.format(row.ticks) : "";
    if (row) this.element.dataset.ticks = row.ticks;
    else delete this.element.dataset.ticks;
  }
}

export class Book {
  levels = new Levels();
  #group = 1;
  #own = { buy: new Set(), sell: new Set() };
  #applied = 0;
  #distrustedAt = -DISTRUST_EVERY_MS;
  #lastTicks = null;

  constructor({ root, units, onPrice }) {
    this.units = units;
    this.bodies = [...root.querySelectorAll("[data-book-body]")];
    this.rows = {
      sell: [...root.querySelector("#book-asks").rows].reverse().map((element) => new Row(element)),
      buy: [...root.querySelector("#book-bids").rows].map((element) => new Row(element)),
    };
    this.last = root.querySelector("[data-book-last]");
    this.spread = root.querySelector("[data-book-spread]");
    this.mark = painter(PAINT_EVERY_MS, () => this.#paint());
    root.addEventListener("click", ({ target }) => this.#clicked(target, onPrice));
  }

  /** Take a socket message; returns false when the book no longer matches the server's checksum. */
  take(message) {
    if (message.type === "snapshot") this.levels.load(message);
    else this.levels.apply(message);
    this.mark();
    this.#applied += 1;
    const due = message.type === "snapshot" || this.#applied % CHECK_EVERY === 0;
    return !due || this.#agrees(message);
  }

  /** Mark the prices of one's own resting orders: {side, ticks} each. */
  setOwn(orders) {
    this.#own = { buy: new Set(), sell: new Set() };
    for (const { side, ticks } of orders) this.#own[side].add(ticks);
    this.mark();
  }

  setLast(ticks, sign) {
    this.#lastTicks = ticks;
    if (sign) setDirection(this.last, sign);
    this.mark();
  }

  setLive(live) {
    for (const body of this.bodies) body.inert = !live;
  }

  #agrees({ checksum }) {
    const now = performance.now();
    if (checksum === undefined || checksum === this.levels.checksum()) return true;
    if (now - this.#distrustedAt < DISTRUST_EVERY_MS) return true;
    this.#distrustedAt = now;
    return false;
  }

  #clicked(target, onPrice) {
    const button = target.closest("[data-group]");
    if (button) this.#regroup(button);
    const row = target.closest("tr[data-ticks]");
    if (row) onPrice(Number(row.dataset.ticks));
  }

  #regroup(button) {
    this.#group = Number(button.dataset.group);
    for (const other of button.parentElement.querySelectorAll("[data-group]")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    this.mark();
  }

  #paint() {
    const count = this.rows.buy.length;
    const sides = Object.fromEntries(
      ["buy", "sell"].map((side) => [side, this.levels.rows(side, { group: this.#group, count })]),
    );
    const deepest = Math.max(sides.buy.at(-1)?.total ?? 0, sides.sell.at(-1)?.total ?? 0, 1);
    for (const side of ["buy", "sell"]) this.#paintSide(side, sides[side], deepest);
    this.#paintMiddle();
  }

  #paintSide(side, rows, deepest) {
    const own = new Set([...this.#own[side]].map((ticks) => grouped(side, ticks, this.#group)));
    this.rows[side].forEach((row, index) => {
      const level = rows[index];
      const depth = level ? Math.ceil((level.total / deepest) * DEPTH_STEPS) / DEPTH_STEPS : 0;
      row.show(level, { units: this.units, depth, own: level !== undefined && own.has(level.ticks) });
    });
  }

  #paintMiddle() {
    if (this.#lastTicks !== null) setText(this.last, this.units.price.format(this.#lastTicks));
    const [bid, ask] = [this.levels.best("buy"), this.levels.best("sell")];
    if (bid === null || ask === null) setText(this.spread, "No spread: one side is empty");
    else setText(this.spread, `Spread ${this.units.price.format(ask - bid)} \u00b7 ${basisPoints(ask - bid, ask + bid)} bp`);
  }
}

/** The spread as a share of the mid price, in basis points with two places. */
function basisPoints(spread, sum) {
  return format(rescale((20_000n * 10_000n * BigInt(spread)) / BigInt(sum), 4, 2), 2);
}
