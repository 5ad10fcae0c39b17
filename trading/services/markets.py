"""What staff do with markets; each step is a journalled command with its reason and author."""

from markets.commands import CreateMarket, SetMarketStatus, UpdateMarket
from markets.fields import InvalidField, echo
from markets.gateway import gateway
from markets.parameters import MarketParameters, MarketStatus
from trading.refusals import refused

WHOLE_EXCHANGE = 0
MAX_REASON = 200


def market_status_set(*, market_id: int, status: MarketStatus, reason: str, author: str) -> None:
    """Set one market's state, or with WHOLE_EXCHANGE everybody's; the stricter of both holds."""
    reason = reason.strip()
    if not 0 < len(reason) <= MAX_REASON or not reason.isprintable():
        message = f"reason has 1 to {MAX_REASON} printable characters."
        raise InvalidField("REASON_REQUIRED", message, field="reason", value=echo(reason))
    _submit(SetMarketStatus(market_id=market_id, status=status, reason=reason, author=author))


def market_create(*, parameters: MarketParameters, author: str) -> None:
    _submit(CreateMarket(parameters=parameters, author=author))


def market_update(*, parameters: MarketParameters, author: str) -> None:
    """Replace a market's parameters; symbol, tick and lot must stay."""
    _submit(UpdateMarket(parameters=parameters, author=author))


def _submit(command: SetMarketStatus | CreateMarket | UpdateMarket) -> None:
    reply = gateway().submit(command)
    if reply.reject is not None:
        raise refused(reply.reject)
