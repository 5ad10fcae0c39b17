"""The backstop fund: takes over what the book does not take in time, within its own hard loss cap, and gets rid of it again.

It can lose what it was given, and never more than the cap: with less than that left it takes nothing over, and what it holds
is deleveraged before the cap is passed. The insurance account's positions, from earlier rules, are reduced the same way.
"""

from typing import Final

from markets.commands import PlaceOrder
from markets.ledger import BACKSTOP, INSURANCE
from risk.liquidation import bankruptcy_ticks, limit_ticks, slice_lots, split
from trading.engine import deleveraging, margin
from trading.engine.book import Order
from trading.engine.confirmation import is_confirmed
from trading.engine.ledger import post
from trading.engine.matching import match
from trading.engine.moves import move_position
from trading.engine.state import Holding, MarginPool, State

FUNDS: Final = (BACKSTOP, INSURANCE)
AT_REST: Final = frozenset({"halted", "delisted"})


def room(state: State) -> int:
    """Return how much more the backstop may lose: what it has in USDC, and what its cap leaves. Assets that it took count for the cap."""
    pool = state.accounts[BACKSTOP].cross
    equity = margin.equity(state, pool)
    return min(
        pool.cash_atoms + pool.unrealised_atoms, state.risk_parameters.backstop_loss_cap_atoms + equity - state.backstop_capital_atoms
    )


def can_take(state: State, maintenance_atoms: int) -> bool:
    """Tell whether what the backstop may still lose keeps its positions and these as well."""
    return room(state) >= margin.maintenance(state, state.accounts[BACKSTOP].cross) + maintenance_atoms


def take_over(state: State, holding: Holding, price_ticks: int) -> None:
    """Move a whole position to the backstop at a price."""
    size = holding.size_lots
    lines = move_position(state, holding, -size, price_ticks)
    lines += move_position(state, state.accounts[BACKSTOP].holding(holding.market), size, price_ticks)
    if lines:
        post(state, lines, "take-over")


def open_holdings(pool: MarginPool) -> list[Holding]:
    return [pool.holdings[market_id] for market_id in sorted(pool.holdings) if pool.holdings[market_id].size_lots]


def tend(state: State) -> None:
    """Reduce the exchange's own positions against the book, slice by slice; deleverage the backstop's when it has lost too much."""
    check_cap(state, state.accounts[BACKSTOP].cross)
    if state.stamp_ms < state.unwind_due_ms:
        return
    for account_id in FUNDS:
        for holding in open_holdings(state.accounts[account_id].cross):
            if may_close(state, holding) and is_matched(state, holding):
                unwind(state, holding)


def check_cap(state: State, pool: MarginPool) -> None:
    """Deleverage what the backstop holds when its losses near the cap, and prices have said so twice."""
    held = [holding for holding in open_holdings(pool) if may_close(state, holding)]
    if not held or room(state) >= margin.maintenance(state, pool):
        pool.short_ms = 0
    elif is_confirmed(state, pool):
        give_up(state, held)


def may_close(state: State, holding: Holding) -> bool:
    """Tell whether a position may be closed now, if only without the book. What a market at rest holds waits."""
    return holding.market.index.allows("liquidate") and state.strictest_status(holding.market) not in AT_REST


def is_matched(state: State, holding: Holding) -> bool:
    return state.strictest_status(holding.market) == "normal"


def give_up(state: State, held: list[Holding]) -> None:
    """Close positions against the other side: at mark while something is left to lose, at the price of the cap once it is not."""
    parts = split(min(0, room(state)), [margin.position_maintenance(holding) for holding in held])
    for holding, part in zip(held, parts, strict=True):
        deleveraging.deleverage(state, holding, part, 0)


def unwind(state: State, holding: Holding) -> None:
    """Sell one slice inside the price limit, and at no price that would cost more than may be lost."""
    market = holding.market
    parameters = market.parameters
    size = abs(holding.size_lots)
    lots = slice_lots(
        wanted_lots=size,
        position_lots=size,
        lot_atoms=market.mark_ticks * market.tick_lot_atoms,
        share_ppm=parameters.liquidation_share_ppm,
        min_notional_atoms=parameters.liquidation_min_notional_atoms,
        full_notional_atoms=parameters.liquidation_full_notional_atoms,
    )
    mark = market.mark_ticks
    limit = limit_ticks(
        size_lots=holding.size_lots,
        mark_ticks=mark,
        slippage_ppm=parameters.liquidation_slippage_ppm,
        bankrupt_ticks=bankruptcy_ticks(
            size_lots=holding.size_lots, mark_ticks=mark, tick_lot_atoms=market.tick_lot_atoms, equity_atoms=losable(state, holding)
        ),
    )
    close_on_book(state, holding, lots, limit)
    state.unwind_due_ms = state.stamp_ms + parameters.liquidation_cooldown_ms


def losable(state: State, holding: Holding) -> int:
    """Return the position's part of what its fund may still lose."""
    pool = holding.pool
    held = open_holdings(pool)
    free = room(state) if pool is state.accounts[BACKSTOP].cross else pool.cash_atoms + pool.unrealised_atoms
    return split(max(0, free), [margin.position_maintenance(one) for one in held])[held.index(holding)]


def finds_somebody(holding: Holding, limit_ticks: int) -> bool:
    """Tell whether the best price of the other side is inside the limit for closing a position."""
    selling = holding.size_lots > 0
    best = holding.market.book.side(1 if selling else -1).best_ticks()
    return best > 0 and (best >= limit_ticks if selling else best <= limit_ticks)


def close_on_book(state: State, holding: Holding, lots: int, price_ticks: int) -> Order:
    """Match the engine's own order against a position and return it: no table holds it, only its fills name it.

    It may stop before the book does (STEP_FILLS): what closes a self-custodied account asks again while it finds somebody.
    """
    account = holding.account
    market = holding.market
    command = PlaceOrder(
        account_id=account.account_id,
        market_id=market.market_id,
        side="sell" if holding.size_lots > 0 else "buy",
        type="market",
        size_lots=lots,
        reduce_only=True,
    )
    order = Order(state.next_order_id, command, account, holding, price_ticks, lots, state.stamp_ms)
    state.next_order_id += 1
    match(state, market, order, False, True)
    margin.distrust(holding.pool)
    return order
