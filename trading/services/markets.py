"""What staff do with markets; each step is a journalled command with its reason and author."""

from collections.abc import Callable
from typing import Final

from accounts.numbers import has_chain
from markets.commands import CreateMarket, SetMarketStatus, UpdateMarket
from markets.fields import InvalidField, echo
from markets.gateway import gateway
from markets.models import Market
from markets.parameters import MarketParameters, MarketStatus
from trading.refusals import refused

WHOLE_EXCHANGE = 0
MAX_MARKETS_ON_CHAIN = 8
MAX_REASON = 200
OPEN: Final[frozenset[MarketStatus]] = frozenset({"normal", "post_only"})
obstacles: Final[list[Callable[[int], str]]] = []  # what others say must be there before a market opens; each returns what is missing


def market_status_set(*, market_id: int, status: MarketStatus, reason: str, author: str) -> None:
    """Set one market's state, or with WHOLE_EXCHANGE everybody's; the stricter of both holds."""
    reason = reason.strip()
    if not 0 < len(reason) <= MAX_REASON or not reason.isprintable():
        message = f"reason has 1 to {MAX_REASON} printable characters."
        raise InvalidField("REASON_REQUIRED", message, field="reason", value=echo(reason))
    missing = [found for obstacle in obstacles if (found := obstacle(market_id))] if market_id and status in OPEN else []
    if missing:
        raise InvalidField("MARKET_NOT_READY", " ".join(missing), field="status", value=status)
    _submit(SetMarketStatus(market_id=market_id, status=status, reason=reason, author=author))


def market_create(*, parameters: MarketParameters, author: str) -> None:
    known = Market.objects.count()
    if has_chain() and known >= MAX_MARKETS_ON_CHAIN:
        message = f"With a chain there are at most {MAX_MARKETS_ON_CHAIN} markets: an account holds no more positions there."
        raise InvalidField("TOO_MANY_MARKETS", message, field="symbol", value=echo(parameters.symbol))
    _submit(CreateMarket(parameters=parameters, author=author, status="halted" if has_chain() else "normal"))


def market_update(*, parameters: MarketParameters, author: str) -> None:
    """Replace a market's parameters; symbol, tick and lot must stay."""
    _submit(UpdateMarket(parameters=parameters, author=author))


def _submit(command: SetMarketStatus | CreateMarket | UpdateMarket) -> None:
    reply = gateway().submit(command)
    if reply.reject is not None:
        raise refused(reply.reject)
