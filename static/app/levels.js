// The price levels of one book: integers of ticks and lots, as the server sends them.

import { crc32 } from "./crc32.js";

const CHECKED_LEVELS = 10;

export class Levels {
  bids = new Map();
  asks = new Map();

  /** Replace everything by a snapshot. */
  load({ bids, asks }) {
    this.bids = new Map(bids);
    this.asks = new Map(asks);
  }

  /** Apply changed levels; a size of 0 removes one. */
  apply({ bids, asks }) {
    change(this.bids, bids);
    change(this.asks, asks);
  }

  /** Return [ticks, lots] of a side, best first. */
  sorted(side) {
    if (side === "buy") return [...this.bids].sort((a, b) => b[0] - a[0]);
    return [...this.asks].sort((a, b) => a[0] - b[0]);
  }

  /** Return a side's best price, or null. */
  best(side) {
    const prices = side === "buy" ? this.bids.keys() : this.asks.keys();
    let found = null;
    for (const ticks of prices) {
      if (found === null || (side === "buy" ? ticks > found : ticks < found)) found = ticks;
    }
    return found;
  }

  /** Return the first `count` rows of a side, best first, prices merged `group` ticks at a time away from the spread. */
  rows(side, { group, count }) {
    const rows = [];
    let total = 0;
    for (const [ticks, lots] of this.sorted(side)) {
      const price = grouped(side, ticks, group);
      const last = rows.at(-1);
      if (last?.ticks !== price && rows.length === count) break;
      total += lots;
      if (last?.ticks === price) {
        last.lots += lots;
        last.total = total;
      } else {
        rows.push({ ticks: price, lots, total });
      }
    }
    return rows;
  }

  /** CRC-32 of price:size of the ten best asks, then the ten best bids. */
  checksum() {
    const top = [...this.sorted("sell").slice(0, CHECKED_LEVELS), ...this.sorted("buy").slice(0, CHECKED_LEVELS)];
    return crc32(top.map((level) => level.join(":")).join(":"));
  }
}

function change(levels, changes) {
  for (const [ticks, lots] of changes) {
    if (lots) levels.set(ticks, lots);
    else levels.delete(ticks);
  }
}

/** The group of ticks that a price belongs to: bids fall, asks rise, so that neither looks better than it is. */
export function grouped(side, ticks, group) {
  return (side === "buy" ? Math.floor(ticks / group) : Math.ceil(ticks / group)) * group;
}
