"""Prices as the engine has them, and what the oracle process says of its providers."""

from typing import NamedTuple

from django.db.models import QuerySet
from redis.exceptions import RedisError

from markets.errors import DomainError
from markets.gateway import gateway
from markets.queries import GetIndices
from markets.selectors import market_by_symbol, parameters_by_id
from markets.stamps import at
from markets.views import IndexView
from oracle import status
from oracle.models import OraclePrice


class IndexNotFound(DomainError):
    code = "INDEX_NOT_FOUND"
    status = 404
    message = "There is no price of that name: give a market, such as BTC-PERP, or a collateral asset without one, such as USDT."


class Named(NamedTuple):
    """An index with the name by which it is asked for: its market's symbol, else its asset."""

    symbol: str
    view: IndexView


def indices() -> list[Named]:
    """Return every price as it is now."""
    views = gateway().query(GetIndices())
    symbols = {market_id: market.symbol for market_id, market in parameters_by_id().items()}
    return [Named(symbols.get(view.index_id, view.asset), view) for view in views]


def index(symbol: str) -> Named:
    for named in indices():
        if named.symbol == symbol:
            return named
    raise IndexNotFound(symbol=symbol[:64])


def feed_status() -> status.FeedStatus | None:
    """Return what the oracle process said last; nothing when it does not run, or cannot be heard."""
    try:
        return status.told()
    except RedisError:
        return None


def history(symbol: str, *, from_ms: int | None, to_ms: int | None) -> QuerySet[OraclePrice]:
    """Return a market's index and mark over time, one a second at most."""
    rows = OraclePrice.objects.filter(market_id=market_by_symbol(symbol).market_id)
    if from_ms is not None:
        rows = rows.filter(observed_at__gte=at(from_ms))
    return rows.filter(observed_at__lt=at(to_ms)) if to_ms is not None else rows
