"""Every term of an account's margin, and what it would be if an order were placed or prices moved."""

from typing import Final

from markets.assets import QUOTE
from markets.ledger import FIRST_USER_ACCOUNT
from markets.queries import PreviewMargin
from markets.units import E8, PPM, asset_value_atoms
from markets.views import (
    CollateralTerm,
    Exposure,
    HoldingTerms,
    LiquidationTerms,
    MarginExplanation,
    MarginPreview,
    PoolTerms,
    PriceExposure,
    TierSlice,
)
from risk.collateral import INITIAL, MAINTENANCE
from risk.explain import tier_slices
from risk.margin import MAX_PRICE_TICKS, tier_at
from trading.engine import margin
from trading.engine.checks import shown
from trading.engine.orders import user_account
from trading.engine.previews import preview
from trading.engine.shadow import Shadow
from trading.engine.state import Holding, MarginPool, State

MOST_ACCOUNTS: Final = 1_000  # in one answer: the engine does nothing else meanwhile


def explain(state: State, account_id: int) -> MarginExplanation | None:
    account = user_account(state, account_id)
    return explained(Shadow(state, account)) if account is not None else None


def try_out(state: State, query: PreviewMargin) -> MarginPreview | None:
    """Say what margin would be; None without the account, or a market that the query names."""
    account = user_account(state, query.account_id)
    named = {*query.leverages, *query.isolated_atoms, *query.moves_ppm, *({query.order.market_id} if query.order else ())}
    if account is None or not named <= state.markets.keys():
        return None
    order = preview(state, query.order) if query.order else None
    return MarginPreview(
        reject=order.reject if order else None,
        before=explained(Shadow(state, account)),
        after=explained(tried(Shadow(state, account), query)),
    )


def tried(shadow: Shadow, query: PreviewMargin) -> Shadow:
    markets = shadow.state.markets
    for market_id, leverage in query.leverages.items():
        shadow.set_leverage(markets[market_id], leverage)
    for market_id, amount_atoms in query.isolated_atoms.items():
        shadow.move_isolated(markets[market_id], amount_atoms)
    if query.order is not None:
        shadow.place(query.order)
    for market_id, move_ppm in query.moves_ppm.items():
        shadow.scale_mark(markets[market_id], move_ppm)
    return shadow


def explained(shadow: Shadow) -> MarginExplanation:
    account = shadow.account
    pools = tuple(pool_terms(shadow, pool) for pool in account.pools())
    return MarginExplanation(account_id=account.account_id, seq=account.seq, pools=pools)


def pool_terms(shadow: Shadow, pool: MarginPool) -> PoolTerms:
    state = shadow.state
    held = [pool.holdings[market_id] for market_id in sorted(pool.holdings)]
    holdings = tuple(holding_terms(shadow, pool, holding) for holding in held if is_shown(holding))
    equity = margin.equity(state, pool)
    available = margin.available(state, pool)
    return PoolTerms(
        market_id=pool.market_id,
        collateral=collateral_terms(state, pool),
        holdings=holdings,
        unrealised_atoms=shown(pool.unrealised_atoms),
        equity_atoms=shown(equity),
        initial_equity_atoms=shown(available + pool.initial_atoms),
        initial_margin_atoms=shown(pool.initial_atoms),
        maintenance_margin_atoms=shown(margin.maintenance(state, pool)),
        available_atoms=shown(available),
        withdrawable_atoms=shown(margin.withdrawable(state, pool)),
    )


def is_shown(holding: Holding) -> bool:
    return bool(holding.size_lots or holding.buy_lots or holding.sell_lots)


def collateral_terms(state: State, pool: MarginPool) -> tuple[CollateralTerm, ...]:
    cash = shown(pool.cash_atoms)
    usdc = CollateralTerm(
        asset=QUOTE,
        amount_atoms=cash,
        index_id=0,
        index_e8=E8,
        confidence_e8=0,
        stable_e8=E8,
        state="valid",
        full_atoms=cash,
        value_atoms=cash,
        initial_value_atoms=cash,
    )
    return (usdc, *(collateral_term(state, name, pool.collateral[name]) for name in sorted(pool.collateral)))


def collateral_term(state: State, name: str, amount_atoms: int) -> CollateralTerm:
    asset = state.assets[name]
    index = state.indices[asset.parameters.index_id]
    full = asset_value_atoms(amount_atoms=amount_atoms, price_e8=index.price_e8, decimals=asset.parameters.decimals)
    return CollateralTerm(
        asset=name,
        amount_atoms=shown(amount_atoms),
        index_id=index.index_id,
        index_e8=shown(index.price_e8),
        confidence_e8=index.confidence_e8,
        stable_e8=index.stable.price_e8,
        state=index.state,
        full_atoms=shown(full),
        value_atoms=shown(margin.counted(asset, amount_atoms, MAINTENANCE)),
        initial_value_atoms=shown(margin.counted(asset, amount_atoms, INITIAL)),
    )


def holding_terms(shadow: Shadow, pool: MarginPool, holding: Holding) -> HoldingTerms:
    market = holding.market
    tiers = market.parameters.tiers
    leverage = holding.effective_leverage()
    notional = abs(holding.size_lots) * market.mark_ticks * market.tick_lot_atoms
    worst = worst_notional(holding)
    slices = tier_slices(notional_atoms=worst, tiers=tiers)
    tier = tier_at(notional, tiers)
    by_leverage, by_tiers = -(-worst // leverage), sum(part.initial_atoms for part in slices)
    base = max(by_leverage, by_tiers)
    concentrated = margin.concentrated(market, base, worst)
    initial = margin.present_requirement(holding)
    return HoldingTerms(
        market_id=market.market_id,
        size_lots=holding.size_lots,
        cost_atoms=shown(holding.cost_atoms),
        mark_ticks=market.mark_ticks,
        notional_atoms=shown(notional),
        unrealised_atoms=shown(margin.unrealised(holding)),
        leverage=leverage,
        worst_notional_atoms=shown(worst),
        by_leverage_atoms=shown(by_leverage),
        tiers=tuple([shown_slice(part) for part in slices]),
        by_tiers_atoms=shown(by_tiers),
        open_interest_atoms=shown(initial - concentrated),
        concentration_atoms=shown(concentrated - base),
        initial_margin_atoms=shown(initial),
        maintenance_ppm=tier.maintenance_ppm,
        deduction_atoms=tier.deduction_atoms,
        maintenance_margin_atoms=shown(margin.position_maintenance(holding)),
        liquidation_below=liquidation(shadow, pool, holding, 0),
        liquidation_above=liquidation(shadow, pool, holding, MAX_PRICE_TICKS),
    )


def shown_slice(part: TierSlice) -> TierSlice:
    return TierSlice(
        from_atoms=part.from_atoms,
        notional_atoms=shown(part.notional_atoms),
        max_leverage=part.max_leverage,
        initial_atoms=shown(part.initial_atoms),
    )


def liquidation(shadow: Shadow, pool: MarginPool, holding: Holding, end_ticks: int) -> LiquidationTerms | None:
    """Return the first tick on the way from mark to `end_ticks` at which the pool is short, with its terms; None if none is.

    Equity less maintenance is concave in a price (positions are linear, collateral's weights fall with its value, maintenance
    rates rise with notional), so that it is short beyond at most one tick each way, and halving finds it.
    """
    mark = holding.market.mark_ticks
    if holding.size_lots == 0 or mark == 0:
        return None
    found = shadow.first_short(holding, end_ticks)
    terms = None if found < 0 else liquidation_terms(shadow, pool, holding, found)
    shadow.set_mark(holding.market, mark)
    return terms


def liquidation_terms(shadow: Shadow, pool: MarginPool, holding: Holding, mark_ticks: int) -> LiquidationTerms:
    shadow.set_mark(holding.market, mark_ticks)
    return LiquidationTerms(
        ticks=mark_ticks,
        unrealised_atoms=shown(margin.unrealised(holding)),
        equity_atoms=shown(margin.equity(shadow.state, pool)),
        own_maintenance_atoms=shown(margin.position_maintenance(holding)),
        maintenance_atoms=shown(margin.maintenance(shadow.state, pool)),
    )


def worst_notional(holding: Holding) -> int:
    """Return what a position and its open orders are worth at the worst: all buys filled, or all sells."""
    market = holding.market
    position = holding.size_lots * market.mark_ticks
    return max(position + holding.buy_value, holding.sell_value - position) * market.tick_lot_atoms


def exposures(state: State, first_account_id: int, last_account_id: int) -> list[Exposure]:
    """Return the pools that prices move, by account."""
    found: list[Exposure] = []
    first = max(first_account_id, FIRST_USER_ACCOUNT)
    for account_id in range(first, min(last_account_id, first + MOST_ACCOUNTS - 1) + 1):
        account = state.accounts.get(account_id)
        if account is not None:
            found.extend(exposure(state, pool) for pool in account.pools() if is_exposed(pool))
    return found


def is_exposed(pool: MarginPool) -> bool:
    return any(pool.collateral.values()) or any(holding.size_lots for holding in pool.holdings.values())


def exposure(state: State, pool: MarginPool) -> Exposure:
    equity = margin.equity(state, pool)
    prices = [price_exposure(holding) for holding in pool.holdings.values() if holding.size_lots]
    prices += [PriceExposure(term.index_id, term.value_atoms, 0, 0) for term in collateral_terms(state, pool) if term.index_id]
    return Exposure(
        account_id=pool.account.account_id,
        market_id=pool.market_id,
        equity_atoms=shown(equity),
        initial_margin_atoms=shown(pool.initial_atoms),
        maintenance_margin_atoms=shown(margin.maintenance(state, pool)),
        prices=tuple(prices),
    )


def price_exposure(holding: Holding) -> PriceExposure:
    market = holding.market
    notional = abs(holding.size_lots) * market.mark_ticks * market.tick_lot_atoms
    slope = notional * tier_at(notional, market.parameters.tiers).maintenance_ppm // PPM
    return PriceExposure(market.market_id, shown(notional if holding.size_lots > 0 else -notional), shown(notional), shown(slope))
