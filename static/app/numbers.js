// Exact decimal numbers as integers of 10^-decimals: BigInt where people type or money is counted, Number where the
// book counts ticks and lots. Every function takes either. No float, and no locale: the page looks the same everywhere.

export const MINUS = "\u2212";
const DECIMAL = /^(?:\d+|\d{1,3}(?:,\d{3})+)?(?:\.(\d*))?([kKmM])?$/;
const SUFFIX_ZEROS = { k: 3, m: 6 };
const COMPACT = [
  [0, "", 2],
  [3, "K", 1],
  [6, "M", 1],
  [9, "B", 1],
  [12, "T", 1],
];

/** Return 10^exponent as a BigInt. */
export function pow10(exponent) {
  return 10n ** BigInt(exponent);
}

/** Return the integer of 10^-decimals that a text states exactly, or null. Understands 64,203.8 and 1.5k, no signs. */
export function parse(text, decimals) {
  const trimmed = String(text).trim();
  const match = DECIMAL.exec(trimmed);
  if (!match || !/\d/.test(trimmed)) return null;
  const fraction = match[1] ?? "";
  const whole = trimmed.split(".")[0].replace(/[,kKmM]/g, "");
  const places = decimals + (SUFFIX_ZEROS[match[2]?.toLowerCase()] ?? 0);
  const significant = fraction.replace(/0+$/, "");
  if (significant.length > places) return null;
  return BigInt((whole || "0") + significant.padEnd(places, "0"));
}

/** Return the integer of 10^-decimals of a number as the server writes it, signs included; finer places are cut off. */
export function fromWire(text, decimals) {
  const negative = text.startsWith("-");
  const [whole, fraction = ""] = (negative ? text.slice(1) : text).split(".");
  const value = BigInt(whole + fraction.slice(0, decimals).padEnd(decimals, "0"));
  return negative ? -value : value;
}

function split(units, decimals) {
  const digits = String(units < 0 ? -units : units).padStart(decimals + 1, "0");
  const point = digits.length - decimals;
  return [digits.slice(0, point), digits.slice(point)];
}

/** Return the plain decimal that the server reads. */
export function toWire(units, decimals) {
  const [whole, fraction] = split(units, decimals);
  return (units < 0 ? "-" : "") + (fraction ? `${whole}.${fraction}` : whole);
}

function grouped(whole) {
  let text = whole;
  for (let at = whole.length - 3; at > 0; at -= 3) text = `${text.slice(0, at)},${text.slice(at)}`;
  return text;
}

function unsigned(units, decimals) {
  const [whole, fraction] = split(units, decimals);
  return fraction ? `${grouped(whole)}.${fraction}` : grouped(whole);
}

function signOf(units, always) {
  if (units < 0) return MINUS;
  return always && units > 0 ? "+" : "";
}

/** Return a number for people: 64,203.8. */
export function format(units, decimals, { sign = false } = {}) {
  return signOf(units, sign) + unsigned(units, decimals);
}

/** Return units with another number of places, halves away from zero. */
export function rescale(units, from, to) {
  const value = BigInt(units);
  if (to >= from) return value * pow10(to - from);
  const divisor = pow10(from - to);
  const half = divisor / 2n;
  return value < 0n ? -((-value + half) / divisor) : (value + half) / divisor;
}

/** Return an amount of money for people: -$1.12, rounded to `places`. */
export function money(units, decimals, { places = 2, sign = false } = {}) {
  const rounded = rescale(units, decimals, places);
  return `${signOf(rounded, sign)}$${unsigned(rounded, places)}`;
}

/** Return a large number in at most four digits and a letter: 418.2M. Below a thousand it keeps two places. */
export function compact(units, decimals) {
  for (const [zeros, letter, places] of COMPACT) {
    const rounded = rescale(units, decimals + zeros, places);
    const size = rounded < 0n ? -rounded : rounded;
    if (size < 1000n * pow10(places) || letter === "T") return signOf(rounded, false) + unsigned(rounded, places) + letter;
  }
  throw new RangeError("The last step takes every number");
}

/** Return a fraction (units of 10^-decimals) as a percentage with its sign: +2.31%. */
export function percent(units, decimals, { places = 2, sign = true } = {}) {
  const rounded = rescale(BigInt(units) * 100n, decimals, places);
  return `${signOf(rounded, sign)}${unsigned(rounded, places)}%`;
}
