"""Bars, marks and quotes. Times are seconds; prices are JSON numbers, as the protocol has them: here ends what is exact."""

from bisect import bisect_left
from typing import Any

from markets import series, units
from markets.api import bodies
from markets.models import Trade
from markets.parameters import MarketParameters
from markets.stamps import at, ms
from markets.tickers import DayFigures, day_figures
from markets.udf.schemas import HistoryQuery, RangeQuery
from markets.udf.symbols import EXCHANGE
from markets.views import MarketView

MAX_BARS = 5_000
MAX_MARKS = 500
QUIET = DayFigures()
LIQUIDATION_KIND = "liquidation"
COLOURS = {"buy": "#2ebd85", "sell": "#f6465d"}


def history(market: MarketParameters, asked: HistoryQuery, *, now_ms: int) -> dict[str, Any]:
    """Return the bars of a window, the last ones when there are too many. Where there are none, say where older ones end."""
    length_ms = series.LENGTHS_MS[asked.interval]
    wanted = asked.countback or -(-max(0, asked.to_s - asked.from_s) * 1000 // length_ms) + 1
    found = _bars(market, asked, limit=min(wanted, MAX_BARS), now_ms=now_ms)
    first = 0 if asked.countback else bisect_left(found.opened_ms, asked.from_s * 1000)
    if len(found.opened_ms) > first:
        return {"s": "ok"} | _columns(found, market, first)
    older = _bars(market, asked, limit=1, now_ms=now_ms).opened_ms
    return {"s": "no_data"} | ({"nextTime": older[0] // 1000} if older else {})


def liquidations(market: MarketParameters, asked: RangeQuery) -> dict[str, list[Any]]:
    """Return the market's liquidations in a window as marks on its bars, at most the last five hundred."""
    rows = Trade.objects.filter(
        market_id=market.market_id,
        kind=LIQUIDATION_KIND,
        executed_at__gte=at(asked.from_s * 1000),
        executed_at__lte=at(asked.to_s * 1000),
    )
    found = list(rows.order_by("-id")[:MAX_MARKS])[::-1]
    return {
        "id": [str(row.id) for row in found],
        "time": [ms(row.executed_at) // 1000 for row in found],
        "color": [COLOURS[row.taker_side] for row in found],
        "text": [_liquidation_text(row, market) for row in found],
        "label": ["L"] * len(found),
        "labelFontColor": ["#ffffff"] * len(found),
        "minSize": [14] * len(found),
    }


def quote(asked: str, view: MarketView) -> dict[str, Any]:
    """Return a quote under exactly the name that was asked for. Changes are against the price of 24 hours ago."""
    market = view.parameters
    day = day_figures().get(market.market_id, QUIET)
    last, opened = view.last_ticks or view.mark_ticks, day.open_ticks or view.last_ticks or view.mark_ticks
    bid, ask = price(view.best_bid_ticks, market), price(view.best_ask_ticks, market)
    values = {
        "ch": price(last - opened, market),
        "chp": round((last - opened) / opened * 100, 4) if opened else 0.0,
        "short_name": market.symbol,
        "exchange": EXCHANGE,
        "description": f"{market.base_asset} / USDC perpetual",
        "lp": price(last, market),
        "ask": ask,
        "bid": bid,
        "spread": price(view.best_ask_ticks - view.best_bid_ticks, market) if bid and ask else 0.0,
        "open_price": price(opened, market),
        "high_price": price(day.high_ticks or last, market),
        "low_price": price(day.low_ticks or last, market),
        "prev_close_price": price(opened, market),
        "volume": day.volume_lots * market.lot_e8 / units.E8,
    }
    return {"s": "ok", "n": asked, "v": values}


def price(ticks: int, market: MarketParameters) -> float:
    """Return a price as the nearest float, which JSON writes back as the same decimal."""
    return ticks * market.tick_e8 / units.E8


def _bars(market: MarketParameters, asked: HistoryQuery, *, limit: int, now_ms: int) -> series.Columns:
    return series.columns(
        series.Asked(market_id=market.market_id, kind="trade", interval=asked.interval, limit=limit, now_ms=now_ms, to_ms=asked.to_s * 1000)
    )


def _columns(found: series.Columns, market: MarketParameters, first: int) -> dict[str, list[Any]]:
    return {
        "t": [opened_ms // 1000 for opened_ms in found.opened_ms[first:]],
        "o": [price(ticks, market) for ticks in found.open_ticks[first:]],
        "h": [price(ticks, market) for ticks in found.high_ticks[first:]],
        "l": [price(ticks, market) for ticks in found.low_ticks[first:]],
        "c": [price(ticks, market) for ticks in found.close_ticks[first:]],
        "v": [lots * market.lot_e8 / units.E8 for lots in found.volume_lots[first:]],
    }


def _liquidation_text(row: Trade, market: MarketParameters) -> str:
    verb = "bought" if row.taker_side == "buy" else "sold"
    return f"Liquidation: {bodies.size(row.size_lots, market)} {market.base_asset} {verb} at {bodies.price(row.price_ticks, market)}"
