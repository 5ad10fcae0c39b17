"""Past returns of assets: from the exchange's own candles once there are enough of them, until then from the history it ships."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from markets.models import Candle, Market
from risk.shocks.history import daily_returns

Floats = NDArray[np.float64]

HOURS_A_DAY = 24
# Candles to use, the first that has enough: how many are read, how few are too few, and how many make a day.
SERIES = (("1d", 730, 90, 1), ("1h", 24 * 60, 24 * 14, HOURS_A_DAY))


@dataclass(frozen=True, slots=True)
class Returns:
    """A column an asset; `per_day` periods make a day. `source` says in words where they are from.

    The columns of the assets in `stands_in` are another asset's: they have no series of their own.
    """

    changes: Floats
    per_day: int
    source: str
    stands_in: tuple[str, ...] = ()

    def daily(self) -> Floats:
        """Return the changes scaled to a day by the square root of time."""
        return np.asarray(self.changes * math.sqrt(self.per_day))

    def hourly_scale(self) -> float:
        """Return what a period's deviation is multiplied with to be an hour's."""
        return math.sqrt(self.per_day / HOURS_A_DAY)


def returns_of(assets: Sequence[str]) -> Returns:
    """Return the longest series that all of these assets have."""
    for interval, limit, enough, per_day in SERIES:
        changes = _stored(assets, interval, limit)
        if changes is not None and len(changes) >= enough:
            return Returns(changes, per_day, f"{len(changes)} candles of {interval} on this exchange")
    shipped = daily_returns()
    source = f"{len(shipped.changes)} days, {shipped.first} to {shipped.last}, {', '.join(shipped.assets)}: {shipped.source}"
    return Returns(shipped.columns(assets), 1, source, tuple(asset for asset in assets if asset not in shipped.assets))


def _stored(assets: Sequence[str], interval: str, limit: int) -> Floats | None:
    """Return the changes between neighbouring candles that every asset has; None when one is not traded here."""
    numbers = dict(Market.objects.filter(base_asset__in=assets).values_list("base_asset", "id"))
    if not assets or set(assets) - set(numbers):
        return None
    closes = [_closes(numbers[asset], interval, limit) for asset in assets]
    shared = sorted(set.intersection(*(set(found) for found in closes)))
    if len(shared) < 2:
        return None
    prices = np.array([[found[moment] for found in closes] for moment in shared], dtype=np.float64)
    return np.asarray(prices[1:] / prices[:-1] - 1)


def _closes(market_id: int, interval: str, limit: int) -> dict[datetime, int]:
    rows = Candle.objects.filter(market_id=market_id, interval=interval).order_by("-opened_at")[:limit]
    return dict(rows.values_list("opened_at", "close_ticks"))
