// Position rows between two answers of the server: mark, value and unrealised PnL follow the mark price.

import { painter, setDirection, setText, signOf } from "./dom.js";
import { format, fromWire, money, percent } from "./numbers.js";
import { QUOTE_DECIMALS } from "./units.js";

const PAINT_EVERY_MS = 250;
const RATIO_DECIMALS = 9;
const E8_DECIMALS = 8;

function integers(row, ...names) {
  return names.map((name) => BigInt(row.dataset[name]));
}

/** Value a row at a mark price (decimal text): {markTicks, notional, unrealised} in quote atoms. */
export function valued(row, markPrice) {
  const [lots, cost, atoms, tickE8] = integers(row, "lots", "costAtoms", "tickLotAtoms", "tickE8");
  const markTicks = fromWire(markPrice, E8_DECIMALS) / tickE8;
  const value = markTicks * lots * atoms;
  return { markTicks, notional: value < 0n ? -value : value, unrealised: value - cost };
}

export class Pnl {
  #marks = new Map();
  #handles = new Map();

  constructor({ feed, account }) {
    this.feed = feed;
    this.account = account;
    this.mark = painter(PAINT_EVERY_MS, () => this.#paint());
    account.addEventListener("change", () => this.follow());
    document.addEventListener("htmx:after:swap", () => this.mark());
  }

  /** Follow the mark price of every market in which the account has a position. */
  follow() {
    for (const market of this.account.positions.keys()) {
      if (this.#handles.has(market)) continue;
      const handle = this.feed.subscribe({ channel: "ticker", market }, ({ ticker }) => this.#hold(market, ticker.mark_price));
      this.#handles.set(market, handle);
    }
    for (const [market, handle] of this.#handles) {
      if (this.account.positions.has(market)) continue;
      handle.cancel();
      this.#handles.delete(market);
    }
  }

  #hold(market, markPrice) {
    this.#marks.set(market, markPrice);
    this.mark();
  }

  #paint() {
    let total = 0n;
    for (const row of document.querySelectorAll("tr[data-position]")) {
      const mark = this.#marks.get(row.dataset.market);
      if (mark === undefined) return;
      const value = valued(row, mark);
      total += value.unrealised;
      this.#show(row, value);
    }
    this.#showTotals(total);
  }

  #show(row, { markTicks, notional, unrealised }) {
    const cell = (name) => row.querySelector(`[data-cell="${name}"]`);
    const [tickE8, margin] = integers(row, "tickE8", "marginAtoms");
    const places = Number(row.dataset.priceDecimals);
    setText(cell("mark_price"), format((markTicks * tickE8) / 10n ** BigInt(E8_DECIMALS - places), places));
    setText(cell("notional"), money(notional, QUOTE_DECIMALS));
    setText(cell("unrealised_pnl"), money(unrealised, QUOTE_DECIMALS, { sign: true }));
    setDirection(cell("unrealised_pnl"), signOf(unrealised));
    const ratio = margin ? (unrealised * 10n ** BigInt(RATIO_DECIMALS)) / margin : 0n;
    setText(cell("roe"), percent(ratio, RATIO_DECIMALS, { places: 1 }));
    setDirection(cell("roe"), signOf(unrealised));
  }

  #showTotals(unrealised) {
    const { equity, unrealised_pnl: then } = this.account.margin;
    const now = fromWire(equity, QUOTE_DECIMALS) - fromWire(then, QUOTE_DECIMALS) + unrealised;
    for (const element of document.querySelectorAll("[data-account=equity]")) setText(element, money(now, QUOTE_DECIMALS));
    for (const element of document.querySelectorAll("[data-account=unrealised_pnl]")) {
      setText(element, money(unrealised, QUOTE_DECIMALS, { sign: true }));
      setDirection(element, signOf(unrealised));
    }
  }
}
