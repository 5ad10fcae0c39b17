"""Closing the positions of a self-custodied account whose owner has asked on chain to leave, and must be paid in time.

It is recorded as a liquidation of one step: sold on the book, inside the same price limit, without a fee. What finds nobody waits to be
asked for again; a pool that is short is liquidated as any other.
"""

from markets.commands import CloseAccount
from markets.rejects import Reject
from markets.views import Reply
from risk.liquidation import limit_ticks
from trading.engine import backstop, liquidation
from trading.engine.backstop import open_holdings
from trading.engine.liquidation import Plan
from trading.engine.orders import ACCOUNT_NOT_FOUND, cancel_orders, expired, user_account
from trading.engine.state import Holding, Liquidation, MarginPool, State


def close_account(state: State, command: CloseAccount) -> Reply:
    account = user_account(state, command.account_id)
    late = expired(state, command.valid_until_ms)
    if late is not None or account is None:
        return Reply(reject=late or ACCOUNT_NOT_FOUND)
    if not account.self_custody:
        return Reply(reject=Reject("INVALID_COMBINATION", {"field": "account_id"}))
    cancel_orders(state, account, "user")
    for pool in account.pools():
        if pool.liquidation is None:
            close_pool(state, pool)
    return Reply()


def close_pool(state: State, pool: MarginPool) -> None:
    """Sell what the book takes now. Each position is looked at by itself: one whose market is at rest waits."""
    sellable = [holding for holding in open_holdings(pool) if backstop.may_close(state, holding) and backstop.is_matched(state, holding)]
    wanted = [holding for holding in sellable if finds_somebody(state, holding)]
    if not wanted:
        return
    record = liquidation.start(state, pool)
    for holding in wanted:
        sell(state, holding, record)
    liquidation.end(state, pool, record)


def limit_of(state: State, holding: Holding) -> int:
    market = holding.market
    return limit_ticks(
        size_lots=holding.size_lots,
        mark_ticks=market.mark_ticks,
        slippage_ppm=market.parameters.liquidation_slippage_ppm,
        bankrupt_ticks=Plan(state, holding).bankrupt_ticks,
    )


def finds_somebody(state: State, holding: Holding) -> bool:
    """Tell whether something can be sold: a step that sells nothing is none."""
    return holding.size_lots != 0 and backstop.finds_somebody(holding, limit_of(state, holding))


def sell(state: State, holding: Holding, record: Liquidation) -> None:
    """Sell what the book takes, in as many steps as it takes."""
    left, lots = 0, abs(holding.size_lots) + 1
    while left < lots and finds_somebody(state, holding):
        lots = abs(holding.size_lots)
        left = sell_part(state, holding, record)


def sell_part(state: State, holding: Holding, record: Liquidation) -> int:
    plan, limit, lots = Plan(state, holding), limit_of(state, holding), abs(holding.size_lots)
    before = holding.pool.cash_atoms
    order = backstop.close_on_book(state, holding, lots, limit)
    realised = holding.pool.cash_atoms - before
    record.closed_quote_atoms += order.filled_quote_atoms
    liquidation.report(state, holding, record, plan, "book", lots, limit, order.filled_quote_atoms, realised, 0)
    return order.remaining_lots
