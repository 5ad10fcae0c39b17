"""Isolated margin: a position with money of its own, whose losses reach no further."""

from markets.assets import QUOTE
from markets.commands import MoveIsolatedMargin, SetMarginMode
from markets.events import MarginModeSet
from markets.rejects import Reject
from markets.units import MAX_AMOUNT_ATOMS
from markets.views import Reply
from trading.engine import margin, withdrawals
from trading.engine.orders import ACCOUNT_NOT_FOUND, MARKET_NOT_FOUND, expired, user_account
from trading.engine.pools import shift
from trading.engine.state import Account, MarginPool, Market, State


def set_mode(state: State, command: SetMarginMode) -> Reply:
    """Give a market a pool of its own, or take it away; only while nothing is at stake there."""
    account = user_account(state, command.account_id)
    late = expired(state, command.valid_until_ms)
    if late is not None or account is None:
        return Reply(reject=late or ACCOUNT_NOT_FOUND)
    market = state.markets.get(command.market_id)
    if market is None or market.status == "delisted":
        return Reply(reject=MARKET_NOT_FOUND)
    if (command.mode == "isolated") == (market.market_id in account.isolated):
        return Reply(reject=Reject("NOTHING_TO_CHANGE"))
    if account.self_custody and command.mode == "isolated":
        return Reply(reject=Reject("SELF_CUSTODY", {"mode": command.mode}))  # on chain all of an account stands for all of it
    holding = account.holding(market)
    if holding.size_lots or holding.order_count:
        return Reply(reject=Reject("HAS_EXPOSURE", {"position_lots": holding.size_lots, "orders": holding.order_count}))
    margin.changed(holding)
    if command.mode == "isolated":
        account.isolated[market.market_id] = MarginPool(account, market.market_id)
    else:
        shift(state, account.isolated[market.market_id], -account.isolated[market.market_id].cash_atoms)
        del account.isolated[market.market_id]
    rehome(state, account, market)
    state.touched.add(account.account_id)
    state.events.append(MarginModeSet(account_id=account.account_id, market_id=market.market_id, mode=command.mode))
    return Reply()


def rehome(state: State, account: Account, market: Market) -> None:
    """Put an empty holding into the pool that is now its market's."""
    holding = account.holding(market)
    old = holding.pool
    margin.refresh(state, old)
    del old.holdings[market.market_id]
    holding.pool = account.pool_of(market.market_id)
    holding.pool.holdings[market.market_id] = holding
    margin.changed(holding)


def move_margin(state: State, command: MoveIsolatedMargin) -> Reply:
    account = user_account(state, command.account_id)
    late = expired(state, command.valid_until_ms)
    if late is not None or account is None:
        return Reply(reject=late or ACCOUNT_NOT_FOUND)
    market = state.markets.get(command.market_id)
    if market is None:
        return Reply(reject=MARKET_NOT_FOUND)
    pool = account.isolated.get(command.market_id)
    if pool is None:
        return Reply(reject=Reject("NOT_ISOLATED", {"market_id": command.market_id}))
    amount = command.amount_atoms
    if not 0 < abs(amount) <= MAX_AMOUNT_ATOMS:
        return Reply(reject=Reject("INVALID_AMOUNT", {"amount_atoms": amount}))
    if amount > 0 and not pool.holdings[command.market_id].size_lots:
        return Reply(reject=Reject("NOTHING_TO_CHANGE", {"position_lots": 0}))
    closed = withdrawals.closed_price(state, pool, QUOTE) if amount < 0 else None
    if closed is not None:
        return Reply(reject=Reject("PRICE_STALE", {"oracle_state": closed}))
    # What leaves the pool may leave the exchange next: as much stays as a withdrawal would leave.
    free = margin.movable(state, account.cross) if amount > 0 else margin.withdrawable(state, pool)
    if abs(amount) > free:
        return Reply(reject=Reject("INSUFFICIENT_BALANCE", {"movable_atoms": free}))
    shift(state, pool, amount)
    return Reply()
