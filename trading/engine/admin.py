"""Markets and the exchange as staff run them, and accounts' own settings."""

from itertools import pairwise

from markets.commands import CreateMarket, RulesUpgrade, SetDeadMansSwitch, SetLeverage, SetMarketStatus, UpdateMarket
from markets.events import (
    DeadMansSwitchSet,
    LeverageSet,
    MarketCreated,
    MarketStatusChanged,
    MarketUpdated,
    RulesUpgraded,
)
from markets.parameters import MarketParameters
from markets.rejects import Reject
from markets.units import PPM, tick_lot_atoms
from markets.views import Reply
from trading.engine import funding, margin, marks, thresholds
from trading.engine.average import LONGEST_WINDOW_MS
from trading.engine.delisting import delist
from trading.engine.orders import ACCOUNT_NOT_FOUND, MARKET_NOT_FOUND, expired, user_account
from trading.engine.pools import top_up
from trading.engine.pricing import reprice
from trading.engine.state import STRICTNESS, Market, State

MAX_DEAD_MAN_MS = 86_400_000


def invalid_parameters(parameters: MarketParameters) -> str:
    """Return the field that cannot be, or nothing."""
    rates = ("price_band_ppm", "market_slippage_ppm", "mark_clamp_ppm", "liquidation_slippage_ppm", "liquidation_fee_ppm")
    for field in rates:
        if not 0 <= getattr(parameters, field) < PPM:
            return field
    if not 0 <= parameters.margin_rises_from_lots < parameters.max_open_interest_lots:
        return "margin_rises_from_lots"
    if not 0 <= parameters.concentration_ppm < PPM:
        return "concentration_ppm"
    counts = ("min_notional_atoms", "interest_ppb", "premium_clamp_ppb", "funding_cap_ppb", "max_position_lots", "concentration_from_lots")
    for field in counts:
        if getattr(parameters, field) < 0:
            return field
    positive = ("market_id", "tick_e8", "lot_e8", "max_order_lots", "max_open_orders", "max_open_interest_lots")
    for field in (*positive, "impact_notional_atoms", "oracle_max_age_ms"):
        if getattr(parameters, field) <= 0:
            return field
    if not 0 <= parameters.taker_fee_ppm < PPM or not -parameters.taker_fee_ppm <= parameters.maker_fee_ppm < PPM:
        return "maker_fee_ppm"
    if not parameters.symbol or not parameters.base_asset:
        return "symbol"
    return invalid_liquidation(parameters) or invalid_tiers(parameters) or invalid_units(parameters)


def invalid_liquidation(parameters: MarketParameters) -> str:
    """Each step closes something, and the average that a settlement takes is kept for as long as its window."""
    if not 0 < parameters.liquidation_share_ppm <= PPM:
        return "liquidation_share_ppm"
    for field in ("liquidation_min_notional_atoms", "liquidation_full_notional_atoms", "liquidation_cooldown_ms"):
        if getattr(parameters, field) < 0:
            return field
    return "" if 0 < parameters.settlement_window_ms <= LONGEST_WINDOW_MS else "settlement_window_ms"


def invalid_units(parameters: MarketParameters) -> str:
    try:
        tick_lot_atoms(tick_e8=parameters.tick_e8, lot_e8=parameters.lot_e8)
    except ValueError:
        return "lot_e8"
    return ""


def invalid_tiers(parameters: MarketParameters) -> str:
    """Tiers start at zero, rise, join without a step, and never ask less to open than to keep."""
    tiers = parameters.tiers
    if not tiers or tiers[0].notional_from_atoms != 0 or tiers[0].deduction_atoms != 0:
        return "tiers"
    for tier in tiers:
        if not 0 < tier.maintenance_ppm < PPM or tier.max_leverage < 1 or tier.maintenance_ppm * tier.max_leverage > PPM:
            return "tiers"
    for lower, upper in pairwise(tiers):
        step = upper.notional_from_atoms * (upper.maintenance_ppm - lower.maintenance_ppm)
        if upper.notional_from_atoms <= lower.notional_from_atoms or upper.max_leverage > lower.max_leverage:
            return "tiers"
        if (upper.deduction_atoms - lower.deduction_atoms) * PPM != step:
            return "tiers"
    return ""


def create_market(state: State, command: CreateMarket) -> Reply:
    parameters = command.parameters
    late = expired(state, command.valid_until_ms)
    if late is not None:
        return Reply(reject=late)
    if parameters.market_id in state.markets or any(m.parameters.symbol == parameters.symbol for m in state.markets.values()):
        return Reply(reject=Reject("MARKET_EXISTS", {"market_id": parameters.market_id, "symbol": parameters.symbol}))
    field = invalid_parameters(parameters)
    if field:
        return Reply(reject=Reject("INVALID_PARAMETERS", {"field": field}))
    if command.status not in STRICTNESS or command.status == "delisted":
        return Reply(reject=Reject("INVALID_COMBINATION", {"field": "status"}))
    market = Market(parameters, marks.index_for(state, parameters.market_id, parameters.base_asset))
    market.funding_due_ms = funding.next_hour_ms(state.stamp_ms)
    state.markets[parameters.market_id] = market
    state.events.append(MarketCreated(parameters=parameters))
    if command.status != "normal":
        market.status = command.status
        state.events.append(MarketStatusChanged(market_id=parameters.market_id, status=command.status, reason="new", author=command.author))
    marks.refresh(state, market.index)  # which may have a price already, of a collateral asset
    reprice(state, market.index)
    return Reply()


def update_market(state: State, command: UpdateMarket) -> Reply:
    parameters = command.parameters
    market = state.markets.get(parameters.market_id)
    late = expired(state, command.valid_until_ms)
    if late is not None or market is None:
        return Reply(reject=late or MARKET_NOT_FOUND)
    old = market.parameters
    field = invalid_parameters(parameters)
    for fixed in ("symbol", "base_asset", "tick_e8", "lot_e8"):
        if getattr(parameters, fixed) != getattr(old, fixed):
            field = fixed
    if field:
        return Reply(reject=Reject("INVALID_PARAMETERS", {"field": field}))
    if parameters == old:
        return Reply(reject=Reject("NOTHING_TO_CHANGE"))
    market.replace_parameters(parameters)
    thresholds.disarm_market(state, market)
    state.mark_epoch += 1
    state.events.append(MarketUpdated(parameters=parameters))
    return Reply()


def set_status(state: State, command: SetMarketStatus) -> Reply:
    market = state.markets.get(command.market_id)
    late = expired(state, command.valid_until_ms)
    if late is not None or (market is None and command.market_id):
        return Reply(reject=late or MARKET_NOT_FOUND)
    present = market.status if market is not None else state.resumed_status if state.paused else state.status
    if present == "delisted" or command.status not in STRICTNESS or (market is None and command.status == "delisted"):
        return Reply(reject=Reject("INVALID_COMBINATION", {"field": "status"}))
    if present == command.status:
        return Reply(reject=Reject("NOTHING_TO_CHANGE"))
    wallets = 0 if market is None or command.status != "delisted" else self_custodied_positions(market)
    if wallets:
        return Reply(reject=Reject("SELF_CUSTODY", {"positions": wallets}))
    waits = market is None and state.paused  # for the chain: what staff decide about the exchange holds afterwards
    state.events.append(
        MarketStatusChanged(
            market_id=command.market_id, status="halted" if waits else command.status, reason=command.reason, author=command.author
        )
    )
    if waits:
        state.resumed_status = command.status
        return Reply()
    if market is None:
        state.status = command.status
        state.ready_markets.update(state.markets)
        return Reply()
    market.status = command.status
    state.ready_markets.add(command.market_id)
    if command.status == "delisted":
        delist(state, market)
    return Reply()


def self_custodied_positions(market: Market) -> int:
    """Return how many positions of wallets' accounts there are: nothing on chain would allow to settle them without their owners."""
    return sum([1 for holding in market.holders.values() if holding.size_lots and holding.account.self_custody])


def set_leverage(state: State, command: SetLeverage) -> Reply:
    """Set an account's leverage in a market; lowering it needs the margin that positions and orders then take."""
    account = user_account(state, command.account_id)
    late = expired(state, command.valid_until_ms)
    if late is not None or account is None:
        return Reply(reject=late or ACCOUNT_NOT_FOUND)
    market = state.markets.get(command.market_id)
    if market is None or market.status == "delisted":
        return Reply(reject=MARKET_NOT_FOUND)
    if not 1 <= command.leverage <= market.max_leverage:
        return Reply(reject=Reject("INVALID_LEVERAGE", {"max_leverage": market.max_leverage}))
    holding = account.holding(market)
    before = holding.leverage
    lower = command.leverage < holding.effective_leverage()
    holding.leverage = command.leverage
    margin.changed(holding)
    free = margin.available(state, holding.pool)
    if lower and free < 0 and holding.pool.market_id and margin.movable(state, account.cross) + free >= 0:
        top_up(state, holding, -free)
        free = 0
    if lower and free < 0:
        holding.leverage = before
        margin.changed(holding)
        return Reply(reject=Reject("INSUFFICIENT_MARGIN", {"missing_atoms": -free}))
    state.touched.add(account.account_id)
    state.events.append(LeverageSet(account_id=account.account_id, market_id=market.market_id, leverage=command.leverage))
    return Reply()


def set_dead_mans_switch(state: State, command: SetDeadMansSwitch) -> Reply:
    account = user_account(state, command.account_id)
    late = expired(state, command.valid_until_ms)
    if late is not None or account is None:
        return Reply(reject=late or ACCOUNT_NOT_FOUND)
    if not 0 <= command.timeout_ms <= MAX_DEAD_MAN_MS:
        return Reply(reject=Reject("INVALID_AMOUNT", {"max_timeout_ms": MAX_DEAD_MAN_MS}))
    due = state.stamp_ms + command.timeout_ms if command.timeout_ms else 0
    account.dead_man_ms = due
    if due:
        state.dead_men[account.account_id] = due
        state.dead_men_due_ms = min(state.dead_men_due_ms or due, due)
    else:
        state.dead_men.pop(account.account_id, None)
    state.touched.add(account.account_id)
    state.events.append(DeadMansSwitchSet(account_id=account.account_id, due_ms=due))
    return Reply()


def upgrade_rules(state: State, command: RulesUpgrade) -> Reply:
    """Record that later commands run under another version of the rules."""
    if command.from_version != state.rules_version:
        return Reply(reject=Reject("INVALID_COMBINATION", {"field": "from_version", "rules_version": state.rules_version}))
    state.rules_version = command.to_version
    state.events.append(RulesUpgraded(from_version=command.from_version, to_version=command.to_version))
    return Reply()
