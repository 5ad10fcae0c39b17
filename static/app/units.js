// A market's integer units in the browser: ticks and lots to text and back, and what they are worth.

import { format, parse, pow10, toWire } from "./numbers.js";

export const QUOTE_DECIMALS = 6;
const E8_DECIMALS = 8;

function places(step) {
  return (step.split(".")[1] ?? "").replace(/0+$/, "").length;
}

/** Ticks or lots of one step: 0.5 is a mantissa of 5 with one decimal place. */
class Step {
  constructor(text) {
    this.text = text;
    this.decimals = places(text);
    this.mantissa = Number(parse(text, this.decimals));
    this.e8 = parse(text, E8_DECIMALS);
  }

  /** Return a count for people. */
  format(count) {
    return format(this.#scaled(count), this.decimals);
  }

  /** Return a count as the server reads it. */
  toWire(count) {
    return toWire(this.#scaled(count), this.decimals);
  }

  /** Return the count that a text states: {count, nearest}; count is null when it is between two steps, both are when it is no number. */
  read(text) {
    const value = parse(text, E8_DECIMALS * 2);
    if (value === null) return { count: null, nearest: null };
    const step = this.e8 * pow10(E8_DECIMALS);
    const nearest = (2n * value + step) / (2n * step);
    return { count: nearest * step === value ? nearest : null, nearest };
  }

  /** Return the count of a number from the server, rounded to the nearest step. */
  fromWire(text) {
    return this.read(text.replace(/^-/, "")).nearest * (text.startsWith("-") ? -1n : 1n);
  }

  #scaled(count) {
    return typeof count === "bigint" ? count * BigInt(this.mantissa) : count * this.mantissa;
  }
}

export class MarketUnits {
  constructor({ symbol, base_asset, tick_size, lot_size }) {
    this.symbol = symbol;
    this.base = base_asset;
    this.price = new Step(tick_size);
    this.size = new Step(lot_size);
    this.cash = new Step("0.000001");
    this.atoms = (this.price.e8 * this.size.e8 * pow10(QUOTE_DECIMALS)) / pow10(2 * E8_DECIMALS);
  }

  /** Return the value in quote atoms. */
  value(ticks, lots) {
    return BigInt(ticks) * BigInt(lots) * this.atoms;
  }

  /** Return the lots that an amount of quote atoms buys, rounded down. */
  lotsFor(atoms, ticks) {
    return ticks > 0n ? atoms / (ticks * this.atoms) : 0n;
  }
}
