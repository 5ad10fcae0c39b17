"""Tickers: a market's prices from the engine, joined with what its candles say of the last 24 hours."""

from decimal import Decimal
from typing import Any

from markets.api import bodies
from markets.cards import price_source
from markets.selectors import market_view, markets
from markets.tickers import DayFigures, day_curves, day_figures, forget
from markets.views import MarketView

__all__ = ["forget", "overview", "ticker", "ticker_body", "tickers"]

CHANGE_PLACES = Decimal("0.000001")
QUIET = DayFigures()


def tickers() -> list[dict[str, Any]]:
    """Return every market's ticker, by market id; the same object as on the socket."""
    days = day_figures()
    return [ticker_body(view, days.get(view.parameters.market_id, QUIET)) for view in markets()]


def ticker(symbol: str) -> dict[str, Any]:
    view = market_view(symbol)
    return ticker_body(view, day_figures().get(view.parameters.market_id, QUIET))


def overview() -> list[dict[str, Any]]:
    """Return every market's ticker with what a list of markets shows beside it: its asset, its leverage, its day as a curve."""
    days, curves = day_figures(), day_curves()
    return [
        ticker_body(view, days.get(view.parameters.market_id, QUIET))
        | {
            "base_asset": view.parameters.base_asset,
            "max_leverage": max((tier.max_leverage for tier in view.parameters.tiers), default=1),
            "sparkline": [bodies.price(ticks, view.parameters) for ticks in curves.get(view.parameters.market_id, [])],
        }
        for view in markets()
    ]


def ticker_body(view: MarketView, day: DayFigures) -> dict[str, Any]:
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
        "quote_volume_24h": bodies.atoms(day.quote_volume_atoms),
        "change_24h": _change(day.open_ticks, view.last_ticks),
        "open_interest": bodies.size(view.open_interest_lots, market),
        "funding_rate": bodies.ppb(view.predicted_funding_ppb),
        "next_funding_ms": view.next_funding_ms,
    }


def _change(open_ticks: int, last_ticks: int) -> str:
    change = Decimal(last_ticks - open_ticks) / open_ticks if open_ticks else Decimal(0)
    return bodies.text(change.quantize(CHANGE_PLACES))
