"""Liquidation of accounts whose equity is below their maintenance margin, at mark."""

from markets.commands import PlaceOrder
from markets.events import AccountLiquidated, LedgerTransfer, LiquidationStarted, PositionChanged
from markets.ledger import FIRST_USER_ACCOUNT, INSURANCE
from markets.units import PPM, charge
from oracle.aggregate import FRESH_STATES
from trading.engine import margin
from trading.engine.book import Order
from trading.engine.ledger import post, realise, transfer
from trading.engine.matching import match
from trading.engine.orders import cancel_orders
from trading.engine.positions import apply_fill, follow
from trading.engine.state import Account, Holding, Market, State


def sweep(state: State, markets: list[Market]) -> None:
    """Liquidate what the marks of these markets put below maintenance, lowest account first."""
    if state.status != "normal":
        return
    concerned: set[int] = set()
    for market in markets:
        concerned.update(market.holders)
    for account_id in sorted(concerned):
        account = state.accounts[account_id]
        if account_id >= FIRST_USER_ACCOUNT and is_short(state, account) and is_priced(state, account):
            liquidate(state, account)


def is_short(state: State, account: Account) -> bool:
    equity = margin.equity(state, account)
    if equity >= account.initial_atoms:
        return False  # opening never asks for less than keeping
    return equity < margin.account_maintenance(account)


def is_priced(state: State, account: Account) -> bool:
    """Tell whether every price that values the account is fresh, and every market it would close in is open."""
    return all(
        holding.market.oracle_state in FRESH_STATES and state.strictest_status(holding.market) == "normal"
        for holding in account.holdings.values()
        if holding.size_lots
    )


def open_holdings(account: Account) -> list[Holding]:
    return [account.holdings[market_id] for market_id in sorted(account.holdings) if account.holdings[market_id].size_lots]


def liquidate(state: State, account: Account) -> None:
    """Cancel, re-check, close against the book, hand over the rest, charge the fee, cover what is missing."""
    cancel_orders(state, account, "liquidation")
    if not is_short(state, account):
        return
    liquidation_id = state.next_liquidation_id
    state.next_liquidation_id += 1
    equity = margin.equity(state, account)
    maintenance = margin.account_maintenance(account)
    state.touched.add(account.account_id)
    state.events.append(
        LiquidationStarted(liquidation_id=liquidation_id, account_id=account.account_id, equity_atoms=equity, maintenance_atoms=maintenance)
    )
    closed, owed = close_on_book(state, account)
    taken_over: list[tuple[int, int, int]] = []
    for holding in open_holdings(account):
        if is_short(state, account):
            owed += liquidation_fee(holding, holding.size_lots * holding.market.mark_ticks)
            taken_over.append((holding.market.market_id, holding.size_lots, holding.market.mark_ticks))
            take_over(state, holding)
    fee, paid = settle(state, account, owed)
    state.events.append(
        AccountLiquidated(
            liquidation_id=liquidation_id,
            account_id=account.account_id,
            closed_quote_atoms=closed,
            fee_atoms=fee,
            insurance_paid_atoms=paid,
            taken_over=tuple(taken_over),
            equity_atoms=margin.equity(state, account),
            maintenance_atoms=margin.account_maintenance(account),
        )
    )


def liquidation_fee(holding: Holding, value: int) -> int:
    market = holding.market
    return charge(abs(value) * market.tick_lot_atoms, market.parameters.liquidation_fee_ppm)


def close_on_book(state: State, account: Account) -> tuple[int, int]:
    """Close positions market by market while the account is short; return the quote closed and the fee owed on it."""
    closed = 0
    owed = 0
    for holding in open_holdings(account):
        if not is_short(state, account):
            break
        order = closing_order(state, account, holding)
        match(state, holding.market, order, False, True)
        margin.distrust(account)
        closed += order.filled_quote_atoms
        owed += charge(order.filled_quote_atoms, holding.market.parameters.liquidation_fee_ppm)
    return closed, owed


def closing_order(state: State, account: Account, holding: Holding) -> Order:
    """Return the engine's own order against a position: no table holds it, only its fills name it."""
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
    margin.distrust(account)
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
    return realise(state, account, realised)


def settle(state: State, account: Account, owed_atoms: int) -> tuple[int, int]:
    """Charge the fee as far as equity reaches, and pay a debt that no position can still cover from insurance.

    Returns the fee charged and what insurance paid; the insurance account itself may go negative.
    """
    insurance = state.accounts[INSURANCE]
    fee = max(0, min(owed_atoms, margin.equity(state, account)))
    lines = [transfer(account, insurance, fee, "liquidation_fee")] if fee else []
    paid = -account.cash_atoms if account.cash_atoms < 0 and not open_holdings(account) else 0
    if paid:
        lines.append(transfer(insurance, account, paid, "insurance"))
    if lines:
        post(state, lines, "liquidation")
    return fee, paid
