// The leverage dialog: a range and a number that say the same.

const PAIR = { "leverage-range": "leverage-number", "leverage-number": "leverage-range" };

export function startLeverage() {
  document.addEventListener("input", ({ target }) => {
    const other = document.getElementById(PAIR[target.id]);
    if (other) other.value = target.value;
  });
}
