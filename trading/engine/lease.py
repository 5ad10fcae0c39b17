"""For how long trading may go on without news from the chain: later somebody else may match there, and two must never write at once.

While it has run out the whole exchange is halted, and no hour's funding is paid: positions are the chain's to change. Whoever settles
renews it; nobody else ends the halt. What staff decide meanwhile about the exchange holds afterwards.
"""

from typing import Final

from markets.commands import SetTradingLease
from markets.events import MarketStatusChanged
from markets.parameters import MarketStatus
from markets.rejects import Reject
from markets.views import Reply
from trading.engine.orders import expired
from trading.engine.state import State

AUTHOR: Final = "settlement"
LAPSED: Final = "Nothing was heard from the chain for too long: others may trade there now."
RENEWED: Final = "The chain follows again."


def set_lease(state: State, command: SetTradingLease) -> Reply:
    until_ms = command.until_ms
    late = expired(state, command.valid_until_ms)
    if late is not None:
        return Reply(reject=late)
    if until_ms < 0:
        return Reply(reject=Reject("INVALID_COMBINATION", {"field": "until_ms"}))
    if until_ms == state.lease_ms:
        return Reply(reject=Reject("NOTHING_TO_CHANGE"))
    state.lease_ms = until_ms
    if until_ms == 0 or until_ms > state.stamp_ms:
        if state.paused:
            resume(state)
    elif not state.paused:
        pause(state, command.reason or LAPSED)
    return Reply()


def lapse(state: State) -> None:
    """Halt when the lease has run out; called before anything else that is due."""
    if not state.paused and state.stamp_ms >= state.lease_ms:
        pause(state, LAPSED)


def pause(state: State, reason: str) -> None:
    state.paused = True
    state.resumed_status = state.status
    show(state, "halted", reason)


def resume(state: State) -> None:
    state.paused = False
    show(state, state.resumed_status, RENEWED)
    state.resumed_status = "normal"


def show(state: State, status: MarketStatus, reason: str) -> None:
    state.status = status
    state.ready_markets.update(state.markets)
    state.events.append(MarketStatusChanged(market_id=0, status=status, reason=reason, author=AUTHOR))
