"""Collateral assets: their admission and prices, what accounts hold of them, and its conversion when USDC is owed."""

from itertools import pairwise

from markets.assets import QUOTE, AssetParameters, RiskParameters
from markets.commands import SetAsset, SetRiskParameters
from markets.events import AssetSet, CollateralConverted, LedgerTransfer, RiskParametersSet
from markets.ledger import BACKSTOP
from markets.rejects import Reject
from markets.units import ASSET_DECIMALS, PPM, asset_value_atoms
from markets.views import Reply
from risk.collateral import converted_amount, most_amount
from trading.engine import margin, thresholds
from trading.engine.index import Index
from trading.engine.ledger import give, post, transfer
from trading.engine.orders import expired
from trading.engine.pricing import take_price
from trading.engine.state import Asset, MarginPool, State
from trading.engine.withdrawals import float_atoms

MAX_WITHDRAWAL_DAY_ATOMS = 10**15  # a thousand million USDC: no parameter lifts the limit above it


def set_asset(state: State, command: SetAsset) -> Reply:
    parameters = command.parameters
    late = expired(state, command.valid_until_ms)
    if late is not None:
        return Reply(reject=late)
    field = invalid_asset(state, parameters)
    if field:
        return Reply(reject=Reject("INVALID_PARAMETERS", {"field": field}))
    known = state.assets.get(parameters.asset)
    if known is not None and known.parameters == parameters:
        return Reply(reject=Reject("NOTHING_TO_CHANGE"))
    if known is None:
        state.assets[parameters.asset] = known = Asset(parameters)
    known.parameters = parameters
    thresholds.disarm_holders(state, known)
    index_id = parameters.index_id
    if index_id and index_id not in state.indices:
        state.indices[index_id] = Index(index_id, parameters.asset)
    if index_id:
        take_price(known, state.indices[index_id])
    state.mark_epoch += 1
    state.events.append(AssetSet(parameters=parameters, author=command.author))
    return Reply()


def invalid_asset(state: State, parameters: AssetParameters) -> str:
    """Return the field that cannot be, or nothing."""
    if ASSET_DECIMALS.get(parameters.asset) is None:
        return "asset"
    if parameters.decimals != ASSET_DECIMALS[parameters.asset]:
        return "decimals"
    known = state.assets.get(parameters.asset)
    if known is not None and known.parameters.index_id != parameters.index_id:
        return "index_id"
    if (parameters.index_id > 0) == (parameters.asset == QUOTE) or parameters.index_id < 0:
        return "index_id"
    if not 0 <= parameters.conversion_haircut_ppm < PPM:
        return "conversion_haircut_ppm"
    for field in ("exchange_cap_atoms", "account_cap_atoms", "conversion_cap_atoms"):
        if getattr(parameters, field) < 0:
            return field
    return invalid_weights(parameters)


def invalid_weights(parameters: AssetParameters) -> str:
    """Tiers begin at nothing; weights are parts of one, fall from tier to tier, and never count more to open than to keep."""
    tiers = parameters.tiers
    if not tiers or tiers[0].value_from_atoms != 0:
        return "tiers"
    for tier in tiers:
        if not 0 <= tier.initial_ppm <= tier.maintenance_ppm <= PPM:
            return "tiers"
    for lower, upper in pairwise(tiers):
        rises = upper.initial_ppm > lower.initial_ppm or upper.maintenance_ppm > lower.maintenance_ppm
        if rises or upper.value_from_atoms <= lower.value_from_atoms:
            return "tiers"
    if parameters.asset == QUOTE and (len(tiers) > 1 or tiers[0].initial_ppm != PPM):
        return "tiers"
    return ""


def set_risk_parameters(state: State, command: SetRiskParameters) -> Reply:
    late = expired(state, command.valid_until_ms)
    if late is not None:
        return Reply(reject=late)
    field = invalid_risk(command.parameters)
    if field:
        return Reply(reject=Reject("INVALID_PARAMETERS", {"field": field}))
    if command.parameters == state.risk_parameters:
        return Reply(reject=Reject("NOTHING_TO_CHANGE"))
    state.risk_parameters = command.parameters
    thresholds.disarm_all(state)
    state.events.append(RiskParametersSet(parameters=command.parameters, author=command.author))
    return Reply()


def invalid_risk(parameters: RiskParameters) -> str:
    for field in ("debt_limit_atoms", "withdrawal_hour_atoms", "backstop_loss_cap_atoms"):
        if getattr(parameters, field) < 0:
            return field
    if not parameters.withdrawal_hour_atoms <= parameters.withdrawal_day_atoms <= MAX_WITHDRAWAL_DAY_ATOMS:
        return "withdrawal_day_atoms"
    if not 0 <= parameters.withdrawal_notional_ppm <= PPM:
        return "withdrawal_notional_ppm"
    return invalid_calls(parameters)


def invalid_calls(parameters: RiskParameters) -> str:
    """Calls come one after the other, before liquidation; relief leaves something of the first one's ratio."""
    first, second = parameters.call_ppm
    if not 0 < first < second < PPM:
        return "call_ppm"
    if not 0 < parameters.call_relief_ppm < first:
        return "call_relief_ppm"
    if not 0 <= parameters.liquidation_buffer_ppm <= PPM:
        return "liquidation_buffer_ppm"
    return "" if 0 <= parameters.backstop_ratio_ppm <= PPM else "backstop_ratio_ppm"


def settle_debts(state: State) -> None:
    """Convert the collateral of accounts that owe more USDC than is allowed."""
    limit = state.risk_parameters.debt_limit_atoms
    for account_id in sorted(state.debtors):
        pool = state.accounts[account_id].cross
        if pool.cash_atoms >= 0:
            state.debtors.discard(account_id)
        elif pool.cash_atoms < -limit:
            convert(state, pool)


def convert(state: State, pool: MarginPool, wanted_atoms: int = 0) -> None:
    """Sell collateral to the backstop until the pool has as much USDC as is wanted."""
    for name in in_order(state, pool):
        if pool.cash_atoms < wanted_atoms:
            convert_asset(state, pool, state.assets[name], wanted_atoms - pool.cash_atoms)


def in_order(state: State, pool: MarginPool) -> list[str]:
    """Return the pool's assets as they are sold: the smallest haircut first."""
    return sorted(pool.collateral, key=lambda name: (state.assets[name].parameters.conversion_haircut_ppm, name))


def conversion_price_e8(state: State, parameters: AssetParameters) -> int:
    return state.indices[parameters.index_id].price_e8 * (PPM - parameters.conversion_haircut_ppm) // PPM


def seize(state: State, pool: MarginPool, wanted_atoms: int) -> None:
    """Sell collateral to the exchange for what a conversion would pay, float and caps apart, until the pool has as much as is wanted."""
    lines: list[LedgerTransfer] = []
    for name in in_order(state, pool):
        if pool.cash_atoms < wanted_atoms:
            lines += seize_asset(state, pool, state.assets[name].parameters, wanted_atoms - pool.cash_atoms)
    if lines:
        post(state, lines, "seized")


def seize_asset(state: State, pool: MarginPool, parameters: AssetParameters, debt_atoms: int) -> list[LedgerTransfer]:
    price = conversion_price_e8(state, parameters)
    held = pool.collateral[parameters.asset]
    # Without a price all of it goes for nothing.
    amount = converted_amount(debt_atoms=debt_atoms, held_atoms=held, price_e8=price, decimals=parameters.decimals) or held
    paid = asset_value_atoms(amount_atoms=amount, price_e8=price, decimals=parameters.decimals)
    lines = [give(state, pool, state.fees, parameters.asset, amount, "conversion")]
    if paid > 0:
        lines.append(transfer(state.fees, pool, paid, "conversion"))
    return lines


def convert_asset(state: State, pool: MarginPool, asset: Asset, debt: int) -> None:
    """Sell as much of one asset as the debt needs and the backstop may take."""
    parameters = asset.parameters
    index = state.indices[parameters.index_id]
    if not index.allows("convert"):
        return
    backstop = state.accounts[BACKSTOP].cross
    paid_e8 = conversion_price_e8(state, parameters)
    decimals = parameters.decimals
    held = pool.collateral[parameters.asset]
    amount = converted_amount(debt_atoms=debt, held_atoms=held, price_e8=paid_e8, decimals=decimals)
    has = asset_value_atoms(amount_atoms=backstop.collateral.get(parameters.asset, 0), price_e8=index.price_e8, decimals=decimals)
    room = max(0, parameters.conversion_cap_atoms - has)
    amount = most_amount(value_atoms=room, held_atoms=amount, price_e8=index.price_e8, decimals=decimals)
    amount = most_amount(value_atoms=float_atoms(state), held_atoms=amount, price_e8=paid_e8, decimals=decimals)
    paid = asset_value_atoms(amount_atoms=amount, price_e8=paid_e8, decimals=decimals)
    if paid <= 0:
        return
    capital = margin.equity(state, backstop)
    state.events.append(
        CollateralConverted(
            account_id=pool.account.account_id,
            asset=parameters.asset,
            amount_atoms=amount,
            price_e8=index.price_e8,
            haircut_ppm=parameters.conversion_haircut_ppm,
            paid_atoms=paid,
            debt_atoms=debt,
        )
    )
    lines: list[LedgerTransfer] = [
        give(state, pool, backstop, parameters.asset, amount, "conversion"),
        transfer(backstop, pool, paid, "conversion"),
    ]
    post(state, lines, "conversion")
    # What the backstop has is only in another shape: a conversion is no loss, what becomes of the asset may be one.
    state.backstop_capital_atoms += margin.equity(state, backstop) - capital
