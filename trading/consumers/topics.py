"""From a subscription's fields to the feed's topic."""

from accounts.selectors import AccountNotFound
from markets.errors import DomainError
from markets.fields import echo
from markets.models import Candle
from trading.consumers.identity import Identity, NotAuthenticated
from trading.consumers.protocol import Subscribe
from trading.hotlane.markets import Markets


class IntervalNotFound(DomainError):
    code = "INTERVAL_NOT_FOUND"
    status = 404
    message = "There are no candles of this interval."


async def named(said: Subscribe, *, markets: Markets, who: Identity | None) -> str:
    """Return the topic, or raise what is wrong with the fields. A private one is for its own accounts only."""
    if said.channel == "account":
        return f"account:{_account_id(said.account_id, who)}"
    if said.channel == "tickers":
        return "tickers"
    market = await markets.named(said.market)
    if said.channel != "candles":
        return f"{said.channel}:{market.market_id}"
    if said.interval not in Candle.INTERVALS_MS:
        raise IntervalNotFound(field="interval", value=echo(said.interval), choices=list(Candle.INTERVALS_MS))
    topic = f"candles:{market.market_id}:{said.interval}"
    return topic if said.kind == "trade" else f"{topic}:{said.kind}"


def _account_id(wanted: int, who: Identity | None) -> int:
    if who is None:
        raise NotAuthenticated
    account_id = wanted or who.account_id
    if account_id not in who.readable:
        raise AccountNotFound(account_id=account_id)
    return account_id
