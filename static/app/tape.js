// The tape: the last trades, newest first, in rows that are used again.

import { painter } from "./dom.js";
import { clock, utc } from "./times.js";

const ROWS = 50;
const PAINT_EVERY_MS = 50;

function newRow() {
  const row = document.createElement("tr");
  for (const name of ["price", "size", "time"]) {
    const cell = row.insertCell();
    if (name === "price") cell.className = "price";
    if (name === "time") cell.append(document.createElement("time"));
  }
  return row;
}

export class Tape {
  #pending = [];
  #afresh = false;

  constructor({ body, units }) {
    this.body = body;
    this.units = units;
    this.mark = painter(PAINT_EVERY_MS, () => this.#paint());
  }

  /** Replace what is shown by a snapshot's trades, newest last; with none, what the server drew says so. */
  load(trades) {
    if (!trades.length) return;
    this.#afresh = true;
    this.#pending = [];
    this.add(trades);
  }

  /** Add trades, newest last; those of one moment, side and price become one line. */
  add(trades) {
    for (const trade of trades) {
      const lots = this.units.size.fromWire(trade.size);
      const last = this.#pending.at(-1);
      if (last && last.time_ms === trade.time_ms && last.side === trade.side && last.price === trade.price) last.lots += lots;
      else this.#pending.push({ ...trade, lots });
    }
    this.#pending.splice(0, this.#pending.length - ROWS);
    this.mark();
  }

  #paint() {
    if (this.#afresh || this.body.querySelector(".is-empty")) this.body.replaceChildren();
    this.#afresh = false;
    for (const trade of this.#pending) {
      const row = this.body.rows.length < ROWS ? newRow() : this.body.rows[ROWS - 1];
      this.#fill(row, trade);
      this.body.prepend(row);
    }
    this.#pending = [];
  }

  #fill(row, { price, lots, side, time_ms: timeMs }) {
    const [priceCell, sizeCell, timeCell] = row.cells;
    row.className = side === "buy" ? "up" : "down";
    priceCell.textContent = this.units.price.format(this.units.price.fromWire(price));
    sizeCell.textContent = this.units.size.format(lots);
    const time = timeCell.firstElementChild;
    time.dataset.ms = timeMs;
    time.textContent = clock(timeMs);
    time.title = utc(timeMs);
  }
}
