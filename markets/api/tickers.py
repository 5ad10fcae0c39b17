"""Tickers: a market's prices from the engine, joined with what its candles say of the last 24 hours."""

import time
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from markets.api import bodies
from markets.selectors import market_view, markets
from markets.views import MarketView

STATISTICS_AGE_SECONDS = 2.0
CHANGE_PLACES = Decimal("0.000001")

_DAY = """
    SELECT market_id, (array_agg(open_ticks ORDER BY opened_at))[1], max(high_ticks), min(low_ticks),
           sum(volume_lots)::bigint, sum(volume_quote_atoms)::bigint
    FROM markets_candle WHERE interval = '1m' AND opened_at > now() - interval '24 hours' GROUP BY market_id
"""


class Day(NamedTuple):
    """What traded in the last 24 hours, by whole minutes."""

    open_ticks: int = 0
    high_ticks: int = 0
    low_ticks: int = 0
    volume_lots: int = 0
    volume_quote_atoms: int = 0


_days: tuple[float, dict[int, Day]] = (float("-inf"), {})


def tickers() -> list[dict[str, Any]]:
    """Return every market's ticker, by market id; the same object as on the socket."""
    days = day_statistics()
    return [ticker_body(view, days.get(view.parameters.market_id, Day())) for view in markets()]


def ticker(symbol: str) -> dict[str, Any]:
    view = market_view(symbol)
    return ticker_body(view, day_statistics().get(view.parameters.market_id, Day()))


def day_statistics() -> dict[int, Day]:
    """Return each traded market's last 24 hours, at most two seconds old."""
    global _days  # noqa: PLW0603 one cache a process, swapped in one step
    read_at, days = _days
    now = time.monotonic()
    if now - read_at >= STATISTICS_AGE_SECONDS:
        with connection.cursor() as cursor:
            cursor.execute(_DAY)
            days = {market_id: Day(*figures) for market_id, *figures in cursor.fetchall()}
        _days = (now, days)
    return days


def forget() -> None:
    """Drop the statistics, for tests."""
    global _days  # noqa: PLW0603
    _days = (float("-inf"), {})


def ticker_body(view: MarketView, day: Day) -> dict[str, Any]:
    market = view.parameters
    return {
        "market": market.symbol,
        "status": view.status,
        "mark_price": bodies.price(view.mark_ticks, market),
        "index_price": bodies.e8(view.index_e8),
        "oracle_state": view.oracle_state,
        "price_source": price_source(view),
        "last_price": bodies.price(view.last_ticks, market),
        "best_bid": bodies.price(view.best_bid_ticks, market),
        "best_ask": bodies.price(view.best_ask_ticks, market),
        "open_24h": bodies.price(day.open_ticks, market),
        "high_24h": bodies.price(day.high_ticks, market),
        "low_24h": bodies.price(day.low_ticks, market),
        "volume_24h": bodies.size(day.volume_lots, market),
        "quote_volume_24h": bodies.atoms(day.volume_quote_atoms),
        "change_24h": _change(day.open_ticks, view.last_ticks),
        "open_interest": bodies.size(view.open_interest_lots, market),
        "funding_rate": bodies.ppb(view.predicted_funding_ppb),
        "next_funding_ms": view.next_funding_ms,
    }


def price_source(view: MarketView) -> str:
    """Tell what a price is made of: one source that is not live taints it."""
    names = {source for source, _, _ in view.oracle_sources}
    if "simulation" in names:
        return "simulated"
    return "replay" if "replay" in names else "live"


def _change(open_ticks: int, last_ticks: int) -> str:
    change = Decimal(last_ticks - open_ticks) / open_ticks if open_ticks else Decimal(0)
    return bodies.text(change.quantize(CHANGE_PLACES))
