"""The shapes of margin: what explains it, what is tried on it, what changes it."""

from typing import Annotated

import msgspec

from markets.api.documentation import ErrorDetail
from markets.api.schemas import Decimal
from markets.commands import MarginMode
from trading.requests import PlaceRequest, Request

Symbol = Annotated[str, msgspec.Meta(max_length=40)]
MAX_NAMED = 50


class MarginPreviewBody(Request, kw_only=True, frozen=True):
    """What is tried, in this order: leverage, isolated margin, the order, price moves. All of it may be left out."""

    leverage: Annotated[dict[Symbol, int], msgspec.Meta(max_length=MAX_NAMED)] = {}
    isolated_margin: Annotated[
        dict[Symbol, str], msgspec.Meta(max_length=MAX_NAMED, description="By market: USDC to add, or with a minus to remove.")
    ] = {}
    order: PlaceRequest | None = None
    moves: Annotated[
        dict[Symbol, str],
        msgspec.Meta(max_length=MAX_NAMED, description="By market: per cent that mark and index move, such as -12.5."),
    ] = {}


class MarginModeBody(Request, kw_only=True, frozen=True):
    market: str
    mode: MarginMode


class IsolatedMarginBody(Request, kw_only=True, frozen=True):
    market: str
    amount: Annotated[str, msgspec.Meta(description="USDC to add, or with a minus to remove.")]


class MarginModeAnswer(msgspec.Struct, frozen=True):
    market: str
    mode: MarginMode


class IsolatedMargin(msgspec.Struct, frozen=True):
    """How much was moved, and what margin is with it."""

    market: str
    amount: Decimal


class CollateralTerm(msgspec.Struct, frozen=True):
    """An asset: its amount x index, less confidence (a debt: more), at the weight of its size. Initial margin takes the worse price."""

    asset: str
    amount: Decimal
    index_price: Decimal
    confidence: Decimal
    stable_price: Decimal
    oracle_state: str
    full_value: Decimal
    weight: Decimal | None
    value: Decimal
    initial_weight: Decimal | None
    initial_value: Decimal


class TierSlice(msgspec.Struct, frozen=True):
    notional_from: Decimal
    notional: Decimal
    max_leverage: int
    initial_margin: Decimal


class InitialTerms(msgspec.Struct, frozen=True):
    """total = max(by_leverage, by_tiers) + open_interest + concentration."""

    worst_notional: Decimal
    by_leverage: Decimal
    by_tiers: Decimal
    tiers: list[TierSlice]
    open_interest: Decimal
    concentration: Decimal
    total: Decimal


class MaintenanceTerms(msgspec.Struct, frozen=True):
    """total = notional x rate, rounded up, - deduction."""

    notional: Decimal
    rate: Decimal
    deduction: Decimal
    total: Decimal


class LiquidationTerms(msgspec.Struct, frozen=True):
    """The first price at which equity is below maintenance, while only this market's mark and index move; and both there."""

    price: Decimal
    unrealised_pnl: Decimal
    equity: Decimal
    own_maintenance: Decimal
    other_maintenance: Decimal
    maintenance: Decimal


class HoldingTerms(msgspec.Struct, frozen=True):
    market: str
    size: Decimal
    entry_price: Decimal
    mark_price: Decimal
    notional: Decimal
    unrealised_pnl: Decimal
    leverage: int
    initial_margin: InitialTerms
    maintenance_margin: MaintenanceTerms
    liquidation_below: LiquidationTerms | None
    liquidation_above: LiquidationTerms | None


class PoolTerms(msgspec.Struct, frozen=True):
    """A margin pool: the cross one, or an isolated position's. Terms sum to totals exactly."""

    margin_mode: MarginMode
    market: str | None
    collateral: list[CollateralTerm]
    positions: list[HoldingTerms]
    unrealised_pnl: Decimal
    equity: Decimal
    initial_equity: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    available: Decimal
    withdrawable: Decimal


class MarginExplanation(msgspec.Struct, frozen=True):
    account_id: int
    seq: int
    pools: list[PoolTerms]


class MarginPreview(msgspec.Struct, frozen=True):
    """`reject` is the error that the order would be refused with now; `after` is as if it were not."""

    reject: ErrorDetail | None
    before: MarginExplanation
    after: MarginExplanation
