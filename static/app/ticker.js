// What a ticker says, as text and direction: for the market bar, the market menu and the landing page.

import { flash, setDirection, setText, signOf } from "./dom.js";
import { compact, format, fromWire, percent, rescale } from "./numbers.js";
import { QUOTE_DECIMALS } from "./units.js";

const RATE_DECIMALS = 9;
const ABSENT = "\u2014";

function places(text) {
  return (text.split(".")[1] ?? "").length;
}

function price(text, decimals = places(text)) {
  return /[1-9]/.test(text) ? format(rescale(fromWire(text, places(text)), places(text), decimals), decimals) : ABSENT;
}

function rate(text, digits) {
  if (text === null || text === undefined || text === "") return { text: ABSENT, sign: 0 };
  const units = fromWire(text, RATE_DECIMALS);
  return { text: percent(units, RATE_DECIMALS, { places: digits }), sign: signOf(units) };
}

function dollars(text) {
  return `$${compact(fromWire(text || "0", QUOTE_DECIMALS), QUOTE_DECIMALS)}`;
}

// Base units at mark price: both are decimals with up to eight places.
function openInterest({ open_interest: size, mark_price: mark }) {
  const value = fromWire(size || "0", 8) * fromWire(mark || "0", 8);
  return `$${compact(value, 16)}`;
}

/** Return {name: {text, sign}} of every figure that a page may show. */
export function figures(ticker) {
  return {
    last_price: { text: price(ticker.last_price) },
    mark_price: { text: price(ticker.mark_price) },
    index_price: { text: price(ticker.index_price, places(ticker.mark_price)) },
    change_24h: rate(ticker.change_24h, 2),
    funding_rate: rate(ticker.funding_rate, 4),
    quote_volume_24h: { text: dollars(ticker.quote_volume_24h) },
    volume_24h: { text: compact(fromWire(ticker.volume_24h || "0", 8), 8) },
    open_interest: { text: openInterest(ticker) },
  };
}

/** Write a ticker into the cells of a row: [data-cell=name]. */
export function showRow(row, ticker, previous) {
  const shown = figures(ticker);
  for (const cell of row.querySelectorAll("[data-cell]")) {
    const figure = shown[cell.dataset.cell];
    if (!figure) continue;
    setText(cell, figure.text);
    if (figure.sign !== undefined) setDirection(cell, figure.sign);
  }
  const moved = previous ? Math.sign(Number(ticker.last_price) - Number(previous.last_price)) : 0;
  flash(row.querySelector("[data-cell=last_price]"), moved);
}
