"""Positions: how fills change them, and the reduce-only orders that must follow."""

from markets.events import OrderAmended
from markets.units import ceil_div
from trading.engine import lives, margin
from trading.engine.book import Order
from trading.engine.state import Holding, MarginPool, State


def apply_fill(holding: Holding, signed_lots: int, price_ticks: int) -> int:
    """Change a position by a fill and return what that realised, before fees."""
    return apply_value(holding, signed_lots, signed_lots * price_ticks * holding.market.tick_lot_atoms)


def apply_value(holding: Holding, signed_lots: int, value: int) -> int:
    """Change a position by lots that are worth `value` atoms, signed alike, and return what that realised, before fees.

    A reduction removes its share of the cost rounded up, that is, against the user; the rest of the cost stays exact. Only a
    reduction may have a value that is not a whole number of ticks.
    """
    market = holding.market
    size = holding.size_lots
    after = size + signed_lots
    if size * signed_lots >= 0:
        if size == 0:
            market.holders[holding.account.account_id] = holding
        realised = 0
        holding.cost_atoms += value
    elif size * after >= 0:
        removed = holding.cost_atoms if after == 0 else ceil_div(holding.cost_atoms * abs(signed_lots), abs(size))
        realised = -value - removed
        holding.cost_atoms -= removed
        holding.realised_atoms += realised
        if after == 0:
            holding.realised_atoms = 0
            holding.funding_atoms = 0
            del market.holders[holding.account.account_id]
    else:
        kept = after * (value // signed_lots)
        realised = kept - value - holding.cost_atoms
        holding.cost_atoms = kept
        holding.realised_atoms = 0
        holding.funding_atoms = 0
    holding.size_lots = after
    market.open_interest_lots += (after if after > 0 else 0) - (size if size > 0 else 0)
    margin.changed(holding)
    return realised


def book_cash(state: State, pool: MarginPool, realised_atoms: int, fee_atoms: int) -> None:
    """Pay realised profit from clearing, and fees to the fee account."""
    pool.cash_atoms += realised_atoms - fee_atoms
    state.clearing.cash_atoms -= realised_atoms
    state.fees.cash_atoms += fee_atoms
    state.touched.add(pool.account.account_id)


def follow(state: State, holding: Holding) -> None:
    """After a position has changed: reduce-only orders shrink to it, and die when there is nothing left to reduce.

    One that is being matched just now is neither watched nor on the book, and is left to finish.
    """
    for order in list(holding.reducing.values()):
        if order.status == "untriggered" or order.level is not None:
            shrink(state, order, max(0, -order.sign * holding.size_lots))


def shrink(state: State, order: Order, lots: int) -> None:
    """Let a reduce-only order not exceed the lots that it may still close."""
    if order.status == "untriggered":
        if lots == 0:
            lives.cancel(state, order, "position_closed")
    elif lots == 0:
        lives.cancel(state, order, "reduce_only")
    elif order.remaining_lots > lots:
        excess = order.remaining_lots - lots
        order.holding.market.book.side(order.sign).reduce(order, excess)
        order.size_lots -= excess
        report_amended(state, order)


def report_amended(state: State, order: Order, signed: bytes = b"") -> None:
    command = order.command
    order.updated_ms = state.stamp_ms
    state.touched.add(command.account_id)
    state.events.append(
        OrderAmended(
            order_id=order.order_id,
            account_id=command.account_id,
            market_id=command.market_id,
            price_ticks=order.price_ticks,
            size_lots=order.size_lots,
            trigger_ticks=order.trigger_ticks,
            signed=signed,
        )
    )
