"""Liquidation of accounts whose equity is below their maintenance margin, at mark."""

from markets.commands import PlaceOrder
from markets.events import AccountLiquidated, LedgerTransfer, LiquidationStarted, PositionChanged
from markets.ledger import FIRST_USER_ACCOUNT, INSURANCE
from markets.units import PPM, charge
from trading.engine import margin
from trading.engine.book import Order
from trading.engine.ledger import post, realise, transfer
from trading.engine.matching import match
from trading.engine.orders import cancel_orders
from trading.engine.positions import apply_fill, follow
from trading.engine.state import Holding, MarginPool, Market, State


def sweep(state: State, markets: list[Market]) -> None:
    """Liquidate what the marks of these markets put below maintenance, lowest account first."""
    if state.status != "normal":
        return
    concerned: set[tuple[int, int]] = set()
    for market in markets:
        concerned.update((account_id, holding.pool.market_id) for account_id, holding in market.holders.items())
    for account_id, market_id in sorted(concerned):
        pool = state.accounts[account_id].pool_of(market_id)
        if account_id >= FIRST_USER_ACCOUNT and is_short(state, pool) and is_priced(state, pool):
            liquidate(state, pool)


def is_short(state: State, pool: MarginPool) -> bool:
    equity = margin.equity(state, pool)
    if equity >= pool.initial_atoms:
        return False  # opening never asks for less than keeping
    return equity < margin.maintenance(state, pool)


def is_priced(state: State, pool: MarginPool) -> bool:
    """Tell whether every price that values the pool is fresh, and every market it would close in is open."""
    return all(
        holding.market.index.allows("liquidate") and state.strictest_status(holding.market) == "normal"
        for holding in pool.holdings.values()
        if holding.size_lots
    )


def open_holdings(pool: MarginPool) -> list[Holding]:
    return [pool.holdings[market_id] for market_id in sorted(pool.holdings) if pool.holdings[market_id].size_lots]


def liquidate(state: State, pool: MarginPool) -> None:
    """Cancel, re-check, close against the book, hand over the rest, charge the fee, cover what is missing."""
    account = pool.account
    cancel_orders(state, account, "liquidation", pool.market_id)
    if not is_short(state, pool):
        return
    liquidation_id = state.next_liquidation_id
    state.next_liquidation_id += 1
    equity = margin.equity(state, pool)
    maintenance = margin.maintenance(state, pool)
    state.touched.add(account.account_id)
    state.events.append(
        LiquidationStarted(liquidation_id=liquidation_id, account_id=account.account_id, equity_atoms=equity, maintenance_atoms=maintenance)
    )
    closed, owed = close_on_book(state, pool)
    taken_over: list[tuple[int, int, int]] = []
    for holding in open_holdings(pool):
        if is_short(state, pool):
            owed += liquidation_fee(holding, holding.size_lots * holding.market.mark_ticks)
            taken_over.append((holding.market.market_id, holding.size_lots, holding.market.mark_ticks))
            take_over(state, holding)
    fee, paid = settle(state, pool, owed)
    state.events.append(
        AccountLiquidated(
            liquidation_id=liquidation_id,
            account_id=account.account_id,
            closed_quote_atoms=closed,
            fee_atoms=fee,
            insurance_paid_atoms=paid,
            taken_over=tuple(taken_over),
            equity_atoms=margin.equity(state, pool),
            maintenance_atoms=margin.maintenance(state, pool),
        )
    )


def liquidation_fee(holding: Holding, value: int) -> int:
    market = holding.market
    return charge(abs(value) * market.tick_lot_atoms, market.parameters.liquidation_fee_ppm)


def close_on_book(state: State, pool: MarginPool) -> tuple[int, int]:
    """Close positions market by market while the pool is short; return the quote closed and the fee owed on it."""
    closed = 0
    owed = 0
    for holding in open_holdings(pool):
        if not is_short(state, pool):
            break
        order = closing_order(state, holding)
        match(state, holding.market, order, False, True)
        margin.distrust(pool)
        closed += order.filled_quote_atoms
        owed += charge(order.filled_quote_atoms, holding.market.parameters.liquidation_fee_ppm)
    return closed, owed


def closing_order(state: State, holding: Holding) -> Order:
    """Return the engine's own order against a position: no table holds it, only its fills name it."""
    account = holding.account
    market = holding.market
    sign = -1 if holding.size_lots > 0 else 1
    slippage = market.parameters.liquidation_slippage_ppm
    worst = market.mark_ticks * (PPM + sign * slippage)
    limit = worst // PPM if sign > 0 else max(1, -(-worst // PPM))
    command = PlaceOrder(
        account_id=account.account_id,
        market_id=market.market_id,
        side="buy" if sign > 0 else "sell",
        type="market",
        size_lots=abs(holding.size_lots),
        reduce_only=True,
    )
    order = Order(state.next_order_id, command, account, holding, limit, abs(holding.size_lots), state.stamp_ms)
    state.next_order_id += 1
    return order


def take_over(state: State, holding: Holding) -> None:
    """Move a position to the insurance account at mark."""
    insurance = state.accounts[INSURANCE]
    market = holding.market
    size = holding.size_lots
    lines = move_position(state, holding, -size, market.mark_ticks)
    lines += move_position(state, insurance.holding(market), size, market.mark_ticks)
    if lines:
        post(state, lines, "take-over")


def move_position(state: State, holding: Holding, signed_lots: int, price_ticks: int) -> list[LedgerTransfer]:
    """Change a position other than by a match, and settle what that realises."""
    account = holding.account
    realised = apply_fill(holding, signed_lots, price_ticks)
    margin.distrust(holding.pool)
    state.touched.add(account.account_id)
    state.events.append(
        PositionChanged(
            account_id=account.account_id,
            market_id=holding.market.market_id,
            size_lots=holding.size_lots,
            cost_atoms=holding.cost_atoms,
            realised_atoms=realised,
            previous_lots=holding.size_lots - signed_lots,
        )
    )
    if holding.reducing:
        follow(state, holding)
    return realise(state, holding.pool, realised)


def settle(state: State, pool: MarginPool, owed_atoms: int) -> tuple[int, int]:
    """Charge the fee as far as equity reaches, and pay a debt that no position can still cover from insurance.

    Returns the fee charged and what insurance paid; the insurance account itself may go negative.
    """
    insurance = state.accounts[INSURANCE].cross
    fee = max(0, min(owed_atoms, margin.equity(state, pool)))
    lines = [transfer(pool, insurance, fee, "liquidation_fee")] if fee else []
    paid = -pool.cash_atoms if pool.cash_atoms < 0 and not open_holdings(pool) else 0
    if paid:
        lines.append(transfer(insurance, pool, paid, "insurance"))
    if lines:
        post(state, lines, "liquidation")
    return fee, paid
