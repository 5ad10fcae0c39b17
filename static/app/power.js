// How much an account could buy or sell: an estimate for the first pull of the slider. The server's preview knows better.

import { fromWire } from "./numbers.js";
import { QUOTE_DECIMALS } from "./units.js";

const PPM = 1_000_000n;

/** Return lots that available margin covers with the taker's fee, and what closes a position of the other side. */
export function mostLots({ account, units, side, ticks, leverage, takerFeePpm }) {
  const available = fromWire(account.margin.available ?? "0", QUOTE_DECIMALS);
  const position = account.positions.get(units.symbol);
  const held = position ? units.size.fromWire(position.size) : 0n;
  const closing = side === "buy" ? -held : held;
  const opening = available > 0n ? (available * leverage * PPM) / (ticks * units.atoms * (PPM + leverage * takerFeePpm)) : 0n;
  return opening + (closing > 0n ? closing : 0n);
}
