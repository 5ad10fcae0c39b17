"""Matching: a taker against the book, best price first, oldest first; both sides settled fill by fill."""

from typing import Final, cast

from markets.events import CancelReason, OrderFilled
from markets.units import charge
from trading.engine import lives, margin
from trading.engine.book import Order
from trading.engine.brackets import arm, is_bracketed
from trading.engine.pools import emptied, top_up
from trading.engine.positions import apply_value, book_cash, follow
from trading.engine.signatures import permits
from trading.engine.state import Holding, Market, State

STEP_FILLS: Final = 15  # of a liquidation's step: one account's step goes on chain in one batch, and each of its fills with it


def match(state: State, market: Market, taker: Order, tight: bool, liquidation: bool) -> CancelReason | None:
    """Fill what crosses; return why the taker must stop for good, or None.

    `tight` is set when the taker's margin covers its expected fills but not its worst price: each fill is then checked.
    A self-custodied account's liquidation stops after STEP_FILLS: the caller asks again.
    """
    side = market.book.side(-taker.sign)
    keys = side.keys
    limit_key = -taker.sign * taker.price_ticks
    stopped: CancelReason | None = None
    filled_before = taker.remaining_lots
    fills_left = STEP_FILLS if liquidation and taker.account.self_custody else -1
    while taker.remaining_lots > 0 and keys and keys[-1] >= limit_key:
        maker = cast(Order, side.levels[keys[-1]].head)
        if maker.account is taker.account:
            stopped = prevent_self_trade(state, taker, maker)
            if stopped is not None:
                break
            continue
        lots = min(taker.remaining_lots, maker.remaining_lots)
        if maker.terms is not None and not permits(
            state, market, maker, maker.terms, lots, maker.price_ticks, market.parameters.maker_fee_ppm
        ):
            lives.cancel(state, maker, "signature")
            continue
        if taker.terms is not None and not permits(
            state, market, taker, taker.terms, lots, maker.price_ticks, market.parameters.taker_fee_ppm
        ):
            stopped = "signature"
            break
        if not can_make(state, market, maker, lots):
            lives.cancel(state, maker, "margin")
            continue
        if tight and not can_take(state, market, taker, lots, maker.price_ticks):
            stopped = "margin"
            break
        trade(state, market, taker, maker, lots, liquidation)
        fills_left -= 1
        if fills_left == 0:
            break
    if taker.remaining_lots < filled_before and not liquidation and is_bracketed(taker):
        arm(state, taker, filled_before - taker.remaining_lots)
    return stopped


def prevent_self_trade(state: State, taker: Order, maker: Order) -> CancelReason | None:
    mode = taker.command.self_trade_prevention
    if mode != "expire_taker":
        lives.cancel(state, maker, "self_trade")
    return None if mode == "expire_maker" else "self_trade"


def can_make(state: State, market: Market, maker: Order, lots: int) -> bool:
    """Re-check a maker's margin; a fill that only reduces its position must not cost more than its pool has."""
    holding = maker.holding
    pool = holding.pool
    size = holding.size_lots
    price = maker.price_ticks
    fee = charge(lots * price * market.tick_lot_atoms, market.parameters.maker_fee_ppm)
    most = margin.most_of_fill(holding, maker.sign, lots, price, fee, not maker.reduce_only)
    if margin.spend(state, pool, most):
        return True
    if abs(size + maker.sign * lots) <= abs(size):
        return margin.bears(state, holding, maker.sign, lots, lots * price, fee)
    left = margin.available_after_fill(state, holding, maker.sign, lots, lots * price, fee, lots * price)
    if left < 0 and pool.market_id:
        return fetch(state, holding, -left)
    if left < 0:
        margin.distrust(pool)  # there will be no fill
        return False
    pool.floor_atoms = left
    return True


def fetch(state: State, holding: Holding, lacking_atoms: int) -> bool:
    """Bring in what an isolated maker lacks at its fill, the fee above all, if the cross pool has it."""
    if margin.movable(state, holding.account.cross) < lacking_atoms:
        return False
    top_up(state, holding, lacking_atoms)
    return True


def can_take(state: State, market: Market, taker: Order, lots: int, price_ticks: int) -> bool:
    """Check a taker's margin before one fill; its account's floor says nothing until the order is done."""
    holding = taker.holding
    size = holding.size_lots
    value = lots * price_ticks
    fee = charge(value * market.tick_lot_atoms, market.parameters.taker_fee_ppm)
    if abs(size + taker.sign * lots) <= abs(size):
        return margin.bears(state, holding, taker.sign, lots, value, fee)
    left = margin.available_after_fill(state, holding, taker.sign, lots, value, fee, 0)
    margin.distrust(holding.pool)
    return left >= 0


def trade(state: State, market: Market, taker: Order, maker: Order, lots: int, liquidation: bool) -> None:
    """Settle one match on both sides and report it."""
    price = maker.price_ticks
    value = lots * price * market.tick_lot_atoms
    parameters = market.parameters
    taker_fee = 0 if liquidation else charge(value, parameters.taker_fee_ppm)
    maker_fee = charge(value, parameters.maker_fee_ppm)
    taking = taker.holding
    making = maker.holding
    taker_pnl = apply_value(taking, taker.sign * lots, taker.sign * value)
    maker_pnl = apply_value(making, maker.sign * lots, maker.sign * value)
    if market.raises_margin:
        margin.count_crowd(state, market)
    book_cash(state, taking.pool, taker_pnl, taker_fee)
    book_cash(state, making.pool, maker_pnl, maker_fee)
    trade_id = state.next_trade_id
    state.next_trade_id = trade_id + 1
    state.events.append(
        OrderFilled(  # by position: ten times as fast as by keywords
            trade_id,
            market.market_id,
            price,
            lots,
            taker.command.side,
            taker.order_id,
            taker.account.account_id,
            maker.order_id,
            maker.account.account_id,
            taker_fee,
            maker_fee,
            taker_pnl,
            maker_pnl,
            taking.size_lots,
            taking.cost_atoms,
            making.size_lots,
            making.cost_atoms,
            "liquidation" if liquidation else "trade",
        )
    )
    market.last_ticks = price
    state.ready_markets.add(market.market_id)
    taker.remaining_lots -= lots
    taker.filled_quote_atoms += value
    taker.fee_atoms += taker_fee
    maker.filled_quote_atoms += value
    maker.fee_atoms += maker_fee
    make(state, market, maker, lots)
    tidy(state, making)
    tidy(state, taking)


def make(state: State, market: Market, maker: Order, lots: int) -> None:
    """Take filled lots off a maker's order on the book; one that is done ends, one that is bracketed arms."""
    maker.updated_ms = state.stamp_ms
    if not maker.reduce_only:
        margin.reserve(maker.holding, maker.sign, -lots, maker.price_ticks)
    (market.book.bids if maker.sign > 0 else market.book.asks).reduce(maker, lots)
    if is_bracketed(maker):
        arm(state, maker, lots)
    if maker.remaining_lots == 0:
        lives.filled(state, maker)


def tidy(state: State, holding: Holding) -> None:
    """After a fill: an isolated pool may be done with its margin, and reduce-only orders follow the position."""
    if holding.size_lots == 0 and holding.pool.market_id:
        emptied(state, holding)
    if holding.reducing:
        follow(state, holding)
