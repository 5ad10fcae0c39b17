"""The last 24 hours of all markets, from the tables: for first paints, REST and UDF; the feed's tickers follow within a second."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import LiteralString

from django.db import connection

from markets.series import sparklines

DAY = timedelta(hours=24)
QUARTER_SECONDS = 900
FIGURES_AGE_SECONDS = 2.0
CURVES_AGE_SECONDS = 15.0

# The minutes up to the first quarter of an hour, and whole quarters from there: a tenth of the rows that minutes alone would be.
FIGURES: LiteralString = """
select m.id, d.open_ticks, d.high_ticks, d.low_ticks, d.volume_lots, d.volume_quote_atoms
from markets_market m
cross join lateral (
    select (array_agg(open_ticks order by opened_at))[1] as open_ticks, max(high_ticks) as high_ticks, min(low_ticks) as low_ticks,
           sum(volume_lots)::bigint as volume_lots, sum(volume_quote_atoms)::bigint as volume_quote_atoms
    from (
        select * from markets_candle
        where market_id = m.id and interval = '1m' and opened_at > %(since)s and opened_at < %(quarter)s
        union all
        select * from markets_candle where market_id = m.id and interval = '15m' and opened_at >= %(quarter)s
    ) c
) d
where d.open_ticks is not null
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class DayFigures:
    """What traded in the last 24 hours, by whole minutes."""

    open_ticks: int = 0
    high_ticks: int = 0
    low_ticks: int = 0
    volume_lots: int = 0
    quote_volume_atoms: int = 0

    def change(self, last_ticks: int) -> Decimal:
        """Return the change since the day's first trade as a fraction."""
        return Decimal(last_ticks - self.open_ticks) / self.open_ticks if self.open_ticks and last_ticks else Decimal(0)


_figures: tuple[float, dict[int, DayFigures]] = (float("-inf"), {})
_curves: tuple[float, dict[int, list[int]]] = (float("-inf"), {})


def day_figures() -> dict[int, DayFigures]:
    """Return each market's last 24 hours by market id, at most two seconds old; a market without a trade is not in it."""
    global _figures  # noqa: PLW0603 one cache a process, swapped in one step
    read_at, figures = _figures
    if time.monotonic() - read_at >= FIGURES_AGE_SECONDS:
        figures = figures_at(datetime.now(UTC))
        _figures = (time.monotonic(), figures)
    return figures


def day_curves() -> dict[int, list[int]]:
    """Return each market's sparkline by market id, at most fifteen seconds old."""
    global _curves  # noqa: PLW0603 as above
    read_at, curves = _curves
    if time.monotonic() - read_at >= CURVES_AGE_SECONDS:
        curves = sparklines(now_ms=time.time_ns() // 1_000_000)
        _curves = (time.monotonic(), curves)
    return curves


def figures_at(now: datetime) -> dict[int, DayFigures]:
    """Return the 24 hours before a time."""
    since = now - DAY
    quarter = datetime.fromtimestamp((int(since.timestamp()) // QUARTER_SECONDS + 1) * QUARTER_SECONDS, UTC)
    with connection.cursor() as cursor:
        cursor.execute(FIGURES, {"since": since, "quarter": quarter})
        rows = cursor.fetchall()
    return {
        market_id: DayFigures(open_ticks=opened, high_ticks=high, low_ticks=low, volume_lots=lots, quote_volume_atoms=atoms)
        for market_id, opened, high, low, lots, atoms in rows
    }


def forget() -> None:
    """Drop what is remembered, for tests."""
    global _figures, _curves
    _figures, _curves = (float("-inf"), {}), (float("-inf"), {})
