"""Settings of a trading account that the engine keeps."""

from markets.commands import SetDeadMansSwitch, SetLeverage
from markets.fields import InvalidField
from markets.gateway import gateway
from markets.selectors import market_by_symbol
from trading.refusals import refused

MIN_SWITCH_MS = 1_000
MAX_SWITCH_MS = 86_400_000


def leverage_set(*, account_id: int, market_symbol: str, leverage: int) -> None:
    """Set the leverage that positions of one market are margined at."""
    market = market_by_symbol(market_symbol)
    reply = gateway().submit(SetLeverage(account_id=account_id, market_id=market.market_id, leverage=leverage))
    if reply.reject is not None:
        raise refused(reply.reject, market)


def dead_mans_switch_set(*, account_id: int, timeout_ms: int) -> None:
    """Cancel all of the account's orders unless this is called again within the time; 0 turns it off."""
    if timeout_ms and not MIN_SWITCH_MS <= timeout_ms <= MAX_SWITCH_MS:
        nearest = min(max(timeout_ms, MIN_SWITCH_MS), MAX_SWITCH_MS)
        message = f"timeout_ms is 0, or {MIN_SWITCH_MS} to {MAX_SWITCH_MS}."
        raise InvalidField("OUT_OF_RANGE", message, field="timeout_ms", value=str(timeout_ms), nearest=str(nearest))
    reply = gateway().submit(SetDeadMansSwitch(account_id=account_id, timeout_ms=timeout_ms))
    if reply.reject is not None:
        raise refused(reply.reject)
