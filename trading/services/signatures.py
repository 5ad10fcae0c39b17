"""The one place where signed orders are held against the keys that the chain knows, before the engine sees them."""

from collections.abc import Callable

from asgiref.sync import sync_to_async

from accounts import signing
from markets.commands import AmendOrder, CancelOrder, PlaceBatch, PlaceOrder
from markets.fields import InvalidField
from markets.parameters import MarketParameters

Signable = PlaceOrder | AmendOrder


def check(command: Signable, market: MarketParameters) -> None:
    """Refuse a signed order that its account's owner did not sign; whether one is needed the engine says."""
    if command.signed:
        signing.check(command.signed, account_id=command.account_id, market=market)


async def acheck(command: Signable, market: MarketParameters) -> None:
    """The same for the event loop: a thread asks the database about a key that is not cached."""
    if not command.signed:
        return
    if signing.is_cached(command.signed, command.account_id):
        signing.check(command.signed, account_id=command.account_id, market=market)
    else:
        await _check_in_thread(command.signed, account_id=command.account_id, market=market)


def check_batch(command: PlaceBatch, market: Callable[[int], MarketParameters]) -> None:
    """Refuse a whole batch for one item that is not what it says: nothing of it is done."""
    for place, item in enumerate(command.items):
        if not isinstance(item, CancelOrder):
            try:
                check(item, market(item.market_id))
            except InvalidField as refusal:
                raise refusal.under(f"items[{place}]") from refusal


async def acheck_batch(command: PlaceBatch, market: Callable[[int], MarketParameters]) -> None:
    for place, item in enumerate(command.items):
        if not isinstance(item, CancelOrder):
            try:
                await acheck(item, market(item.market_id))
            except InvalidField as refusal:
                raise refusal.under(f"items[{place}]") from refusal


_check_in_thread = sync_to_async(signing.check_in_thread, thread_sensitive=False)
