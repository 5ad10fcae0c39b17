"""The day's figures of all markets from the candles' table, for the first paint; the feed's tickers follow within a second."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db.models import Sum
from django.utils import timezone

from markets.models import Candle

INTERVAL = "15m"


@dataclass(frozen=True, kw_only=True, slots=True)
class DayFigures:
    open_ticks: int
    quote_volume_atoms: int

    def change(self, last_ticks: int) -> Decimal:
        """Return the change since the day's first trade as a fraction."""
        return Decimal(last_ticks - self.open_ticks) / self.open_ticks if self.open_ticks and last_ticks else Decimal(0)


def day_figures() -> dict[int, DayFigures]:
    """Return the last 24 hours by market id; a market without a trade is not in it."""
    day = Candle.objects.filter(interval=INTERVAL, opened_at__gte=timezone.now() - timedelta(hours=24))
    opens = day.order_by("market_id", "opened_at").distinct("market_id").values_list("market_id", "open_ticks")
    volumes = day.order_by().values_list("market_id").annotate(Sum("volume_quote_atoms"))
    open_ticks = dict(opens)
    return {market_id: DayFigures(open_ticks=open_ticks[market_id], quote_volume_atoms=atoms) for market_id, atoms in volumes}
