"""The shapes of liquidations, the funds behind them, and deleveraging."""

from typing import Literal

import msgspec

from markets.api.pages import Page, PageQuery
from markets.api.schemas import Decimal
from markets.commands import Side
from markets.events import LedgerKind, LiquidationStage
from trading.api.schemas import AccountId


class LiquidationsQuery(PageQuery, kw_only=True, frozen=True):
    account_id: AccountId | None = None


class InsuranceQuery(PageQuery, kw_only=True, frozen=True):
    fund: Literal["insurance", "backstop"] = "insurance"


class Handover(msgspec.Struct, frozen=True):
    market: str
    side: Side
    size: Decimal
    price: Decimal


class Liquidation(msgspec.Struct, frozen=True):
    """`ended_ms` is null while it runs; amounts are sums of its steps."""

    liquidation_id: str
    account_id: int
    margin: str  # cross, or the market of the isolated position
    started_ms: int
    ended_ms: int | None
    equity: Decimal
    maintenance_margin: Decimal
    equity_after: Decimal | None
    closed_quote: Decimal
    fee: Decimal
    insurance_paid: Decimal
    steps_taken: int
    backstop: list[Handover]
    deleveraged: list[Handover]


class LiquidationStep(msgspec.Struct, frozen=True):
    """One step: what decided it, and what it did. `price` is the average of what was closed, null for nothing."""

    step: int
    time_ms: int
    stage: LiquidationStage
    market: str
    side: Side
    position: Decimal
    wanted: Decimal
    closed: Decimal
    price: Decimal | None
    mark_price: Decimal
    limit_price: Decimal
    bankruptcy_price: Decimal
    quote: Decimal
    realised_pnl: Decimal
    fee: Decimal
    equity: Decimal
    maintenance_margin: Decimal
    equity_after: Decimal
    maintenance_margin_after: Decimal


class LiquidationDispute(msgspec.Struct, frozen=True):
    status: Literal["open", "compensating", "compensated", "rejected"]
    opened_ms: int
    text: str
    resolution: str
    compensation: Decimal
    resolved_ms: int | None


class LiquidationReport(Liquidation, frozen=True):
    steps: list[LiquidationStep]
    disputes: list[LiquidationDispute]


class FundMovement(msgspec.Struct, frozen=True):
    """Negative left the fund. `balance` is what it had afterwards, of this asset."""

    movement_id: str
    time_ms: int
    asset: str
    amount: Decimal
    balance: Decimal
    kind: LedgerKind


class Insurance(Page[FundMovement], frozen=True):
    """A fund's balance in USDC now, and what came and went."""

    fund: Literal["insurance", "backstop"]
    balance: Decimal


class DeleveragingPlace(msgspec.Struct, frozen=True):
    """`share` is the part of the next deleveraging of its side that this position would bear; place 1 bears the most."""

    market: str
    side: Side
    size: Decimal
    profit: Decimal
    share: Decimal
    place: int
    places: int


class DeleveragingPlaces(msgspec.Struct, frozen=True):
    results: list[DeleveragingPlace]


class Deleveraging(msgspec.Struct, frozen=True):
    deleveraging_id: str
    time_ms: int
    account_id: int
    market: str
    side: Side
    position: Decimal
    closed: Decimal
    price: Decimal
    mark_price: Decimal
    quote: Decimal
    realised_pnl: Decimal
    share: Decimal
