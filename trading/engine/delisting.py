"""The end of a market: its orders are cancelled, its positions settled at the time-weighted average of its index.

Who cannot pay what the settlement costs is covered before anything else moves: from the insurance fund, then from the winners'
own settlement in proportion to it, and last by the exchange. Nobody without a position in the market is asked for anything.
"""

from markets.events import LedgerTransfer, MarketSettled
from markets.units import ticks_from_e8
from risk.liquidation import split
from trading.engine import insurance, lives
from trading.engine.ledger import post, transfer
from trading.engine.moves import move_position
from trading.engine.state import Holding, MarginPool, Market, State


def settlement_price(state: State, market: Market) -> tuple[int, int]:
    """Return the price in ticks, and for how much of the window there was an index; without any the last mark."""
    market.settlement.extend(state.stamp_ms)
    price_e8, covered_ms = market.settlement.over(market.parameters.settlement_window_ms, state.stamp_ms)
    if covered_ms == 0:
        return market.mark_ticks, 0
    return max(1, ticks_from_e8(price_e8, market.parameters.tick_e8)), covered_ms


def delist(state: State, market: Market) -> None:
    for order in sorted(state.orders.values(), key=lambda order: order.order_id):
        if order.holding.market is market and lives.is_live(order):
            lives.cancel(state, order, "delisted")
    price, covered_ms = settlement_price(state, market)
    holdings = [market.holders[account_id] for account_id in sorted(market.holders)]
    results = [settle(state, holding, price) for holding in holdings]
    shortfall, insured, shared = cover(state, holdings, results)
    state.events.append(
        MarketSettled(
            market_id=market.market_id,
            price_ticks=price,
            window_ms=market.parameters.settlement_window_ms,
            covered_ms=covered_ms,
            positions=len(holdings),
            shortfall_atoms=shortfall,
            insurance_paid_atoms=insured,
            winners_paid_atoms=shared,
        )
    )


def settle(state: State, holding: Holding, price_ticks: int) -> int:
    """Close a position at the settlement price, and return what that realised."""
    realised = holding.size_lots * price_ticks * holding.market.tick_lot_atoms - holding.cost_atoms
    lines = move_position(state, holding, -holding.size_lots, price_ticks)
    if lines:
        post(state, lines, "delisted")
    return realised


def cover(state: State, holdings: list[Holding], results: list[int]) -> tuple[int, int, int]:
    """Cover the debts of those who have nothing else; return their sum, what insurance paid and what the winners gave."""
    debts = [debt(holding.pool) for holding in holdings]
    shortfall = sum(debts)
    insured = 0
    for holding, owed in zip(holdings, debts, strict=True):
        if owed:
            insured += insurance.pay(state, holding.pool, owed, 0)
    gains = [max(0, result) for result in results]
    missing = min(shortfall - insured, sum(gains))
    gifts = split(missing, gains)
    lines: list[LedgerTransfer] = []
    for holding, gift in zip(holdings, gifts, strict=True):
        if gift:
            lines.append(transfer(holding.pool, state.clearing, gift, "deleveraging"))
    for holding in holdings:
        owed = min(missing, debt(holding.pool))
        if owed:
            missing -= owed
            lines.append(transfer(state.clearing, holding.pool, owed, "deleveraging"))
    if lines:
        post(state, lines, "delisted")
    for holding in holdings:
        if debt(holding.pool):
            insurance.pay_from_fees(state, holding.pool, debt(holding.pool), 0)
    return shortfall, insured, sum(gifts)


def debt(pool: MarginPool) -> int:
    """Return what a pool owes and nothing can pay: with positions or collateral left, its liquidation will see to that."""
    if pool.cash_atoms >= 0 or pool.collateral or any(holding.size_lots for holding in pool.holdings.values()):
        return 0
    return -pool.cash_atoms
