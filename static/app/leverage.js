// The leverage dialog: a range and a number that say the same.

import { setRange } from "./range.js";

const PAIR = { "leverage-range": "leverage-number", "leverage-number": "leverage-range" };

export function startLeverage() {
  document.addEventListener("input", ({ target }) => {
    const other = document.getElementById(PAIR[target.id]);
    if (other?.type === "range") setRange(other, target.value);
    else if (other) other.value = target.value;
  });
}
