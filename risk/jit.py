"""The price path of a just-in-time auction, pure: the twin of the crate `auction`.

It moves by slots from a price that is better for the taker than the oracle's to one that is worse, never past his limit; every rounding is
in his favour. Linear by slots and as long as the path is wide, as Drift's auctions are (`math/auction.rs`, `order_params.rs`).
"""

from dataclasses import dataclass
from typing import Literal

PPM = 1_000_000
MOST_SLOTS = 180

Side = Literal["buy", "sell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """How far from the oracle's price auctions begin (better) and end (worse), and how many slots they take for each percent between."""

    start_ppm: int
    end_ppm: int
    percent_slots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    side: Side
    start_ticks: int
    end_ticks: int
    slots: int

    def price_ticks(self, elapsed_slots: int) -> int:
        """Return the price after so many slots: the worst that a maker may offer then."""
        moved = abs(self.end_ticks - self.start_ticks) * min(elapsed_slots, self.slots) // self.slots
        return self.start_ticks + moved if self.end_ticks >= self.start_ticks else self.start_ticks - moved

    def accepts(self, *, offer_ticks: int, price_ticks: int) -> bool:
        """Tell whether an offer is as good for the taker as this price, or better."""
        return 0 < offer_ticks <= price_ticks if self.side == "buy" else offer_ticks >= price_ticks


def path_around(*, side: Side, price_e8: int, tick_e8: int, limit_ticks: int, auction: Range) -> Path:
    """Lay the path around the oracle's price, inside the taker's limit."""
    if side == "buy":
        end = min(_ticks(side, price_e8, PPM + auction.end_ppm, tick_e8), limit_ticks)
        start = min(_ticks(side, price_e8, PPM - auction.start_ppm, tick_e8), end)
    else:
        end = max(_ticks(side, price_e8, PPM - auction.end_ppm, tick_e8), limit_ticks)
        start = max(_ticks(side, price_e8, PPM + auction.start_ppm, tick_e8), end)
    wide = abs(end - start) * 100 * auction.percent_slots
    slots = -(-wide // _ticks(side, price_e8, PPM, tick_e8))
    return Path(side=side, start_ticks=start, end_ticks=end, slots=max(1, min(MOST_SLOTS, slots)))


def _ticks(side: Side, price_e8: int, rate_ppm: int, tick_e8: int) -> int:
    """Round a rate of a price to ticks, in favour of who buys or sells at it."""
    whole, rest = divmod(price_e8 * rate_ppm, tick_e8 * PPM)
    return max(1, whole + (side == "sell" and rest > 0))
