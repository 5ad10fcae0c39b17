"""The waterfall of a pool that is short: cancel its orders, sell slices on the book, hand over to the backstop, deleverage.

A debt is first paid from the insurance fund; what that cannot pay the other side bears at the bankruptcy price. Each step is
an event with the numbers that decided it. Between slices there is a pause; the other steps wait for nothing.
"""

from markets.events import AccountLiquidated, LiquidationStage, LiquidationStarted, LiquidationStepped
from markets.ledger import INSURANCE
from markets.units import PPM, ceil_div, charge
from risk.liquidation import bankruptcy_ticks, discounted_ticks, limit_ticks, partial_lots, slice_lots, split
from risk.margin import tier_at
from trading.engine import backstop, collateral, deleveraging, insurance, margin
from trading.engine.backstop import open_holdings
from trading.engine.ledger import post, transfer
from trading.engine.orders import cancel_orders
from trading.engine.state import Holding, Liquidation, MarginPool, State


class Plan:
    """What is known of one position before a step: the pool's margin, and the position's part of its equity."""

    __slots__ = ("bankrupt_ticks", "equity_atoms", "lots", "maintenance_atoms", "mark_ticks")

    def __init__(self, state: State, holding: Holding) -> None:
        pool = holding.pool
        held = open_holdings(pool)
        self.equity_atoms: int = margin.equity(state, pool)
        self.maintenance_atoms: int = margin.maintenance(state, pool)
        self.lots: int = holding.size_lots
        self.mark_ticks: int = holding.market.mark_ticks
        self.bankrupt_ticks: int = bankruptcy_ticks(
            size_lots=holding.size_lots,
            mark_ticks=holding.market.mark_ticks,
            tick_lot_atoms=holding.market.tick_lot_atoms,
            equity_atoms=split(self.equity_atoms, [margin.position_maintenance(one) for one in held])[held.index(holding)],
        )


def is_short(state: State, pool: MarginPool) -> bool:
    return margin.equity(state, pool) < margin.maintenance(state, pool)


def proceed(state: State, pool: MarginPool) -> None:
    """Begin or go on with a pool's liquidation, and end it when the pool is sound again or has nothing left."""
    liquidation = pool.liquidation
    if liquidation is None:
        for market_id in sorted(pool.holdings):
            cancel_orders(state, pool.account, "liquidation", market_id)
        if not is_short(state, pool):
            return
        liquidation = start(state, pool)
    step(state, pool, liquidation)
    if not open_holdings(pool) or not is_short(state, pool):
        end(state, pool, liquidation)


def start(state: State, pool: MarginPool) -> Liquidation:
    liquidation = pool.liquidation = Liquidation(state.next_liquidation_id)
    state.next_liquidation_id += 1
    account_id = pool.account.account_id
    state.touched.add(account_id)
    state.events.append(
        LiquidationStarted(
            liquidation_id=liquidation.liquidation_id,
            account_id=account_id,
            equity_atoms=margin.equity(state, pool),
            maintenance_atoms=margin.maintenance(state, pool),
            market_id=pool.market_id,
        )
    )
    return liquidation


def step(state: State, pool: MarginPool, liquidation: Liquidation) -> None:
    """Take the step that the pool's equity calls for: none, a slice, or the rest at once."""
    equity = margin.equity(state, pool)
    if equity < 0:
        liquidation.insurance_paid_atoms += insurance.pay(state, pool, -equity, liquidation.liquidation_id)
        hand_over(state, pool, liquidation)
    elif equity * PPM < margin.maintenance(state, pool) * state.risk_parameters.backstop_ratio_ppm:
        hand_over(state, pool, liquidation)
    elif is_short(state, pool) and state.stamp_ms >= liquidation.due_ms:
        matched = [holding for holding in open_holdings(pool) if backstop.is_matched(state, holding)]
        if matched:
            sell_slices(state, pool, liquidation, matched)
        else:
            hand_over(state, pool, liquidation)


def sell_slices(state: State, pool: MarginPool, liquidation: Liquidation, held: list[Holding]) -> None:
    """Sell one slice of each position, the one with the largest maintenance first, until the pool has its buffer again."""
    for holding in sorted(held, key=lambda holding: (-margin.position_maintenance(holding), holding.market.market_id)):
        if shortage(state, pool) <= 0:
            break
        sell_slice(state, pool, holding, liquidation)
        liquidation.due_ms = state.stamp_ms + holding.market.parameters.liquidation_cooldown_ms


def shortage(state: State, pool: MarginPool) -> int:
    """Return what is missing to maintenance and the buffer above it."""
    wanted = charge(margin.maintenance(state, pool), PPM + state.risk_parameters.liquidation_buffer_ppm)
    return wanted - margin.equity(state, pool)


def sell_slice(state: State, pool: MarginPool, holding: Holding, liquidation: Liquidation) -> None:
    market = holding.market
    parameters = market.parameters
    plan = Plan(state, holding)
    lot_atoms = market.mark_ticks * market.tick_lot_atoms
    size = abs(holding.size_lots)
    rate = tier_at(size * lot_atoms, parameters.tiers).maintenance_ppm
    wanted = partial_lots(
        shortage_atoms=shortage(state, pool),
        lot_atoms=lot_atoms,
        rate_ppm=ceil_div(rate * (PPM + state.risk_parameters.liquidation_buffer_ppm), PPM),
        fee_ppm=parameters.liquidation_fee_ppm,
        position_lots=size,
    )
    lots = slice_lots(
        wanted_lots=wanted,
        position_lots=size,
        lot_atoms=lot_atoms,
        share_ppm=parameters.liquidation_share_ppm,
        min_notional_atoms=parameters.liquidation_min_notional_atoms,
        full_notional_atoms=parameters.liquidation_full_notional_atoms,
    )
    limit = limit_ticks(
        size_lots=holding.size_lots,
        mark_ticks=market.mark_ticks,
        slippage_ppm=parameters.liquidation_slippage_ppm,
        bankrupt_ticks=plan.bankrupt_ticks,
    )
    left = sell_part(state, holding, liquidation, plan, lots, wanted, limit, parameters.liquidation_fee_ppm)
    while 0 < left < lots and backstop.finds_somebody(holding, limit):
        lots = left
        left = sell_part(state, holding, liquidation, Plan(state, holding), lots, lots, limit, parameters.liquidation_fee_ppm)


def sell_part(
    state: State,
    holding: Holding,
    liquidation: Liquidation,
    plan: Plan,
    lots: int,
    wanted_lots: int,
    limit: int,
    fee_ppm: int,
) -> int:
    """Sell on the book as much as one step may, as a step of its own; return the lots that are left."""
    pool = holding.pool
    before = pool.cash_atoms
    order = backstop.close_on_book(state, holding, lots, limit)
    realised = pool.cash_atoms - before
    fee = take_fee(state, pool, order.filled_quote_atoms, fee_ppm)
    liquidation.closed_quote_atoms += order.filled_quote_atoms
    liquidation.fee_atoms += fee
    report(state, holding, liquidation, plan, "book", wanted_lots, limit, order.filled_quote_atoms, realised, fee)
    return order.remaining_lots


def take_fee(state: State, pool: MarginPool, quote_atoms: int, rate_ppm: int) -> int:
    """Charge the liquidation fee for the insurance fund, as far as equity reaches."""
    fee = max(0, min(charge(quote_atoms, rate_ppm), margin.equity(state, pool)))
    if fee:
        post(state, [transfer(pool, state.accounts[INSURANCE].cross, fee, "liquidation_fee")], "liquidation")
    return fee


def hand_over(state: State, pool: MarginPool, liquidation: Liquidation) -> None:
    """Give the positions to the backstop if it may take them, else close them against the other side. Those in markets at rest wait."""
    held = [holding for holding in open_holdings(pool) if backstop.may_close(state, holding)]
    needed = sum([margin.position_maintenance(holding) for holding in held])
    taken = margin.equity(state, pool) >= 0 and backstop.can_take(state, needed)
    for holding in held:
        if taken:
            give_to_backstop(state, holding, liquidation)
        else:
            deleverage(state, holding, liquidation)
    if not open_holdings(pool):
        cover(state, pool, liquidation)


def cover(state: State, pool: MarginPool, liquidation: Liquidation) -> None:
    """Pay what a pool owes once its positions are gone: from its collateral, then from the fund, and last by the exchange.

    What the fund has paid is owed too: it paid by weights, and what collateral brings beyond them goes back to it. A debt stays
    with an account only as long as the fund paid nothing for it and it has collateral of enough weight; where that is not so,
    and the backstop cannot take the collateral, the exchange does.
    """
    collateral.convert(state, pool, liquidation.insurance_paid_atoms)
    repay(state, pool, liquidation)
    if pool.collateral and (liquidation.insurance_paid_atoms > 0 or margin.equity(state, pool) < 0):
        collateral.seize(state, pool, liquidation.insurance_paid_atoms)
        repay(state, pool, liquidation)
    if pool.cash_atoms < 0 and not pool.collateral:
        liquidation.insurance_paid_atoms += insurance.pay(state, pool, -pool.cash_atoms, liquidation.liquidation_id)
        if pool.cash_atoms < 0:
            insurance.pay_from_fees(state, pool, -pool.cash_atoms, liquidation.liquidation_id)


def repay(state: State, pool: MarginPool, liquidation: Liquidation) -> None:
    """Give the fund back what it has paid, as far as the pool has USDC."""
    back = min(pool.cash_atoms, liquidation.insurance_paid_atoms)
    if back > 0:
        post(state, [transfer(pool, state.accounts[INSURANCE].cross, back, "insurance")], "liquidation")
        liquidation.insurance_paid_atoms -= back


def give_to_backstop(state: State, holding: Holding, liquidation: Liquidation) -> None:
    """Hand a position over at mark less the liquidation fee, as far as the position's part of the equity reaches."""
    market = holding.market
    plan = Plan(state, holding)
    price = discounted_ticks(
        size_lots=holding.size_lots,
        mark_ticks=market.mark_ticks,
        discount_ppm=market.parameters.liquidation_fee_ppm,
        bankrupt_ticks=plan.bankrupt_ticks,
    )
    before = holding.pool.cash_atoms
    backstop.take_over(state, holding, price)
    liquidation.taken_over.append((market.market_id, plan.lots, price))
    quote = abs(plan.lots) * price * market.tick_lot_atoms
    report(state, holding, liquidation, plan, "backstop", abs(plan.lots), price, quote, holding.pool.cash_atoms - before, 0)


def deleverage(state: State, holding: Holding, liquidation: Liquidation) -> None:
    plan = Plan(state, holding)
    held = open_holdings(holding.pool)
    parts = split(plan.equity_atoms, [margin.position_maintenance(one) for one in held])
    quote, realised = deleveraging.deleverage(state, holding, parts[held.index(holding)], liquidation.liquidation_id)
    liquidation.deleveraged.append((holding.market.market_id, plan.lots, quote))
    report(state, holding, liquidation, plan, "deleveraging", abs(plan.lots), plan.bankrupt_ticks, quote, realised, 0)


def report(
    state: State,
    holding: Holding,
    liquidation: Liquidation,
    plan: Plan,
    stage: LiquidationStage,
    wanted_lots: int,
    limit_ticks: int,
    quote_atoms: int,
    realised_atoms: int,
    fee_atoms: int,
) -> None:
    liquidation.steps += 1
    state.events.append(
        LiquidationStepped(
            liquidation_id=liquidation.liquidation_id,
            account_id=holding.account.account_id,
            step=liquidation.steps,
            stage=stage,
            market_id=holding.market.market_id,
            position_lots=plan.lots,
            wanted_lots=wanted_lots if plan.lots > 0 else -wanted_lots,
            closed_lots=plan.lots - holding.size_lots,
            mark_ticks=plan.mark_ticks,
            limit_ticks=limit_ticks,
            bankruptcy_ticks=plan.bankrupt_ticks,
            quote_atoms=quote_atoms,
            realised_atoms=realised_atoms,
            fee_atoms=fee_atoms,
            equity_atoms=plan.equity_atoms,
            maintenance_atoms=plan.maintenance_atoms,
            equity_after_atoms=margin.equity(state, holding.pool),
            maintenance_after_atoms=margin.maintenance(state, holding.pool),
        )
    )


def end(state: State, pool: MarginPool, liquidation: Liquidation) -> None:
    pool.liquidation = None
    pool.short_ms = 0
    account_id = pool.account.account_id
    state.touched.add(account_id)
    state.events.append(
        AccountLiquidated(
            liquidation_id=liquidation.liquidation_id,
            account_id=account_id,
            closed_quote_atoms=liquidation.closed_quote_atoms,
            fee_atoms=liquidation.fee_atoms,
            insurance_paid_atoms=liquidation.insurance_paid_atoms,
            taken_over=tuple(liquidation.taken_over),
            equity_atoms=margin.equity(state, pool),
            maintenance_atoms=margin.maintenance(state, pool),
            deleveraged=tuple(liquidation.deleveraged),
            steps=liquidation.steps,
            market_id=pool.market_id,
        )
    )
