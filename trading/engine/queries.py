"""Views of the state. Asking changes nothing that is encoded."""

from typing import Any

from markets.assets import QUOTE
from markets.queries import (
    ExplainMargin,
    GetAccount,
    GetAssets,
    GetDeleveraging,
    GetExposures,
    GetIndices,
    GetMarkets,
    GetOrder,
    GetRiskParameters,
    GetState,
    PreviewMargin,
    PreviewOrder,
    Query,
)
from markets.units import E8
from markets.views import AccountView, AssetView, CollateralAssetView, IndexView, MarketView, OrderView, PositionView, StateView
from risk.collateral import INITIAL, MAINTENANCE
from risk.margin import initial_margin
from trading.engine import funding, margin, withdrawals
from trading.engine.book import Order
from trading.engine.explain import explain, exposures, try_out
from trading.engine.index import Index
from trading.engine.orders import user_account
from trading.engine.places import places
from trading.engine.previews import present_liquidation, preview
from trading.engine.shadow import Shadow
from trading.engine.snapshot import state_hash
from trading.engine.state import Account, Asset, Holding, Market, State
from trading.engine.views import order_view


def answer(state: State, query: Query) -> Any:
    if isinstance(query, GetAccount):
        return account_view(state, query.account_id)
    if isinstance(query, GetOrder):
        return find_order(state, query)
    if isinstance(query, GetMarkets):
        return [market_view(state, state.markets[market_id]) for market_id in sorted(state.markets)]
    if isinstance(query, GetIndices):
        return [index_view(state, state.indices[index_id]) for index_id in sorted(state.indices)]
    if isinstance(query, PreviewOrder):
        return preview(state, query.order)
    if isinstance(query, GetRiskParameters):
        return state.risk_parameters
    if isinstance(query, GetAssets):
        return [collateral_view(state, state.assets[name]) for name in sorted(state.assets)]
    if isinstance(query, GetState):
        return state_view(state)
    if isinstance(query, ExplainMargin):
        return explain(state, query.account_id)
    if isinstance(query, PreviewMargin):
        return try_out(state, query)
    if isinstance(query, GetExposures):
        return exposures(state, query.first_account_id, query.last_account_id)
    if isinstance(query, GetDeleveraging):
        return places(state, query.account_id)
    raise TypeError(f"not a question for the engine: {type(query).__name__}")


def state_view(state: State) -> StateView:
    """Return what the engine knows of it; sequence and epoch are the runner's."""
    live = sum(len(account.orders) for account in state.accounts.values())
    return StateView(
        seq=0,
        stamp_ms=state.stamp_ms,
        epoch=0,
        rules_version=state.rules_version,
        state_hash=state_hash(state),
        accounts=len(state.accounts),
        open_orders=live,
    )


def find_order(state: State, query: GetOrder) -> OrderView | None:
    account = user_account(state, query.account_id)
    if account is None:
        return None
    order = state.orders.get(query.order_id) if query.order_id else account.client_ids.get(query.client_order_id)
    return order_view(order) if isinstance(order, Order) and order.account is account else None


def account_view(state: State, account_id: int) -> AccountView | None:
    account = state.accounts.get(account_id)
    if account is None:
        return None
    pools = account.pools()
    holdings = [account.holdings[market_id] for market_id in sorted(account.holdings)]
    shadow = Shadow(state, account) if account.cross.collateral else None
    positions = tuple(position_view(state, holding, shadow) for holding in holdings if holding.size_lots)
    equity = sum(margin.equity(state, pool) for pool in pools)
    initial = sum(pool.initial_atoms for pool in pools)
    return AccountView(
        account_id=account_id,
        seq=account.seq,
        balances={QUOTE: account.usdc_atoms(), **{name: account.cross.collateral[name] for name in sorted(account.cross.collateral)}},
        equity_atoms=equity,
        unrealised_atoms=sum(pool.unrealised_atoms for pool in pools),
        initial_margin_atoms=initial,
        order_margin_atoms=initial - sum(position.initial_margin_atoms for position in positions),
        maintenance_margin_atoms=sum(margin.maintenance(state, pool) for pool in pools),
        available_atoms=margin.available(state, account.cross),
        withdrawable_atoms=withdrawals.payable(state, account, QUOTE),
        positions=positions,
        orders=tuple(order_view(order) for order in account.orders.values()),
        leverage={holding.market.market_id: holding.leverage for holding in holdings if holding.leverage},
        dead_mans_switch_ms=account.dead_man_ms,
        assets=tuple(asset_view(state, account, name) for name in (QUOTE, *sorted(account.cross.collateral))),
        isolated_atoms={market_id: account.isolated[market_id].cash_atoms for market_id in sorted(account.isolated)},
        self_custody=account.self_custody,
    )


def asset_view(state: State, account: Account, name: str) -> AssetView:
    asset = state.assets[name]
    amount = account.usdc_atoms() if name == QUOTE else account.cross.collateral[name]
    return AssetView(
        asset=name,
        amount_atoms=amount,
        withdrawable_atoms=withdrawals.payable(state, account, name),
        value_atoms=withdrawals.value_atoms(state, name, amount),
        maintenance_value_atoms=amount if name == QUOTE else margin.counted(asset, amount, MAINTENANCE),
        initial_value_atoms=amount if name == QUOTE else margin.counted(asset, amount, INITIAL),
    )


def collateral_view(state: State, asset: Asset) -> CollateralAssetView:
    parameters = asset.parameters
    index = state.indices[parameters.index_id] if parameters.index_id else None
    return CollateralAssetView(
        parameters=parameters,
        state=index.state if index else "valid",
        price_e8=index.price_e8 if index else E8,
        collateral_price_e8=asset.price_e8 if index else E8,
        initial_price_e8=asset.initial_price_e8 if index else E8,
        total_atoms=asset.total_atoms if index else withdrawals.vault_atoms(state),
    )


def position_view(state: State, holding: Holding, shadow: Shadow | None) -> PositionView:
    market = holding.market
    notional = abs(holding.size_lots) * market.mark_ticks * market.tick_lot_atoms
    own = margin.position_maintenance(holding)
    return PositionView(
        account_id=holding.account.account_id,
        market_id=market.market_id,
        size_lots=holding.size_lots,
        cost_atoms=holding.cost_atoms,
        mark_ticks=market.mark_ticks,
        notional_atoms=notional,
        unrealised_atoms=margin.unrealised(holding),
        initial_margin_atoms=initial_margin(notional_atoms=notional, leverage=holding.effective_leverage(), tiers=market.parameters.tiers),
        maintenance_margin_atoms=own,
        liquidation_ticks=present_liquidation(state, holding, shadow),
        leverage=holding.effective_leverage(),
        realised_atoms=holding.realised_atoms,
        funding_atoms=holding.funding_atoms,
        margin_mode="isolated" if holding.pool.market_id else "cross",
        margin_atoms=holding.pool.cash_atoms if holding.pool.market_id else 0,
    )


def market_view(state: State, market: Market) -> MarketView:
    return MarketView(
        parameters=market.parameters,
        status=state.strictest_status(market),
        mark_ticks=market.mark_ticks,
        index_e8=market.index.price_e8,
        oracle_state=market.index.state,
        oracle_sources=tuple(source_of(market.index, name) for name in market.index.names(state.stamp_ms)),
        last_ticks=market.last_ticks,
        best_bid_ticks=market.book.bids.best_ticks(),
        best_ask_ticks=market.book.asks.best_ticks(),
        open_interest_lots=market.open_interest_lots,
        predicted_funding_ppb=funding.predicted_ppb(market),
        next_funding_ms=market.funding_due_ms,
        index=index_view(state, market.index),
    )


def source_of(index: Index, name: str) -> tuple[str, int, int]:
    source = index.sources[name]
    return (name, source.price_e8, source.published_ms)


def index_view(state: State, index: Index) -> IndexView:
    return IndexView(
        index_id=index.index_id,
        asset=index.asset,
        state=index.state,
        price_e8=index.price_e8,
        confidence_e8=index.confidence_e8,
        stable_e8=index.stable.price_e8,
        halt_reason=index.halt_reason,
        recovering=index.recovering_ms > 0,
        max_age_ms=index.max_age_ms,
        readings=index.readings(state.stamp_ms),
    )
