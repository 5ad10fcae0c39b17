"""Markets as the engine has them, read at most every two seconds; the engine's own parameters, never the tables'."""

import time
from typing import NamedTuple

from markets.errors import DomainError, GatewayError
from markets.gateway import gateway
from markets.parameters import MarketParameters
from markets.queries import GetMarkets
from markets.views import MarketView

MAX_AGE_SECONDS = 2.0


class MarketNotFound(DomainError):
    code = "MARKET_NOT_FOUND"
    status = 404
    message = "There is no such market."


class Reading(NamedTuple):
    """One answer of the engine. Replaced as a whole: threads and tasks may share it."""

    by_symbol: dict[str, MarketView]
    by_id: dict[int, MarketView]
    read_at: float

    @property
    def fresh(self) -> bool:
        return time.monotonic() - self.read_at < MAX_AGE_SECONDS


_reading = Reading({}, {}, float("-inf"))


def markets() -> list[MarketView]:
    """Return all markets by id, at most two seconds old."""
    return list((_reading if _reading.fresh else _read()).by_id.values())


def market_view(symbol: str) -> MarketView:
    """Return a market with its prices as they are now."""
    view = _read().by_symbol.get(symbol)
    if view is None:
        raise MarketNotFound(market=symbol)
    return view


def market_by_symbol(symbol: str) -> MarketParameters:
    found = _usable().by_symbol.get(symbol) or _read().by_symbol.get(symbol)
    if found is None:
        raise MarketNotFound(market=symbol)
    return found.parameters


def market_by_id(market_id: int) -> MarketParameters:
    found = _usable().by_id.get(market_id) or _read().by_id.get(market_id)
    if found is None:
        raise MarketNotFound(market_id=market_id)
    return found.parameters


def parameters_by_id() -> dict[int, MarketParameters]:
    return {market_id: view.parameters for market_id, view in _usable().by_id.items()}


def _usable() -> Reading:
    """Return a fresh reading; while the engine is away, the last one: parameters hardly change, and tables still answer."""
    if _reading.fresh:
        return _reading
    try:
        return _read()
    except GatewayError:
        if _reading.by_id:
            return _reading
        raise


def _read() -> Reading:
    return _remember(gateway().query(GetMarkets()))


def _remember(views: list[MarketView]) -> Reading:
    global _reading  # noqa: PLW0603 one cache a process, swapped in one step
    _reading = Reading(
        {view.parameters.symbol: view for view in views}, {view.parameters.market_id: view for view in views}, time.monotonic()
    )
    return _reading


def forget() -> None:
    """Drop the reading, for tests that start another engine."""
    global _reading  # noqa: PLW0603
    _reading = Reading({}, {}, float("-inf"))
