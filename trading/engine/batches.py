"""Several orders of one account in one command."""

from markets.commands import MAX_BATCH, AmendOrder, CancelOrder, PlaceBatch, PlaceOrder
from markets.rejects import Reject
from markets.views import Reply
from trading.engine.amending import amend
from trading.engine.orders import ACCOUNT_NOT_FOUND, cancel, expired, place, user_account
from trading.engine.state import Account, State


def place_batch(state: State, command: PlaceBatch) -> Reply:
    """Apply the items in order; each succeeds or fails on its own."""
    account = user_account(state, command.account_id)
    late = expired(state, command.valid_until_ms)
    if late is not None or account is None:
        return Reply(reject=late or ACCOUNT_NOT_FOUND)
    if not 0 < len(command.items) <= MAX_BATCH:
        return Reply(reject=Reject("BATCH_TOO_LARGE", {"max_items": MAX_BATCH}))
    return Reply(results=tuple(place_item(state, account, item) for item in command.items))


def place_item(state: State, account: Account, item: PlaceOrder | AmendOrder | CancelOrder) -> Reply:
    if item.account_id != account.account_id:
        return Reply(reject=ACCOUNT_NOT_FOUND)
    if isinstance(item, PlaceOrder):
        return place(state, item)
    if isinstance(item, CancelOrder):
        return cancel(state, item)
    return amend(state, item)
