"""The shapes of the private part of the API. Tests hold every answer against these, field by field."""

from typing import Annotated, Literal

import msgspec

from markets.api.documentation import ErrorDetail
from markets.api.pages import Limit, PageQuery
from markets.api.schemas import Decimal
from markets.commands import MarginMode, OrderType, PostOnly, SelfTradePrevention, Side, TimeInForce, TriggerBy
from markets.events import CancelReason, FillKind, LedgerKind, OrderStatus
from trading.requests import Count, Request, Signed

AccountId = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1, description="One of your accounts; without it the one in use, or the key's.")]


class AccountQuery(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    account_id: AccountId | None = None


class OrdersQuery(PageQuery, kw_only=True, frozen=True):
    account_id: AccountId | None = None
    market: str = ""
    status: Annotated[
        Literal["all", "open", "ended"], msgspec.Meta(description="`open` includes waiting triggers and is read from the engine.")
    ] = "all"


class CancelAllQuery(AccountQuery, kw_only=True, frozen=True):
    market: Annotated[str, msgspec.Meta(description="Only this market's; without it all.")] = ""


class FillsQuery(PageQuery, kw_only=True, frozen=True):
    account_id: AccountId | None = None
    market: str = ""
    order_id: str = ""


class TransfersQuery(PageQuery, kw_only=True, frozen=True):
    account_id: AccountId | None = None
    limit: Limit = 100


class FundingPaymentsQuery(PageQuery, kw_only=True, frozen=True):
    account_id: AccountId | None = None


class AmendBody(Request, kw_only=True, frozen=True):
    """What is empty stays. `size` is the new total, filled included."""

    price: str = ""
    size: str = ""
    trigger_price: str = ""
    valid_until_ms: Count = 0
    signed: Signed = ""


class LeverageBody(Request, kw_only=True, frozen=True):
    market: str
    leverage: Annotated[int, msgspec.Meta(ge=1, le=1_000)]


class SwitchBody(Request, kw_only=True, frozen=True):
    timeout_ms: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1, description="0 turns it off; else 1,000 to 86,400,000.")]


class Order(msgspec.Struct, frozen=True):
    order_id: str
    client_order_id: str
    account_id: int
    market: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    post_only: PostOnly
    reduce_only: bool
    close_position: bool
    self_trade_prevention: SelfTradePrevention
    price: Decimal
    size: Decimal
    filled: Decimal
    average_price: Decimal
    fee: Decimal
    trigger_price: Decimal
    trigger_by: TriggerBy
    good_till_ms: int
    parent_order_id: str | None
    status: OrderStatus
    reason: CancelReason | None
    created_ms: int
    updated_ms: int


class OrderList(msgspec.Struct, frozen=True):
    results: list[Order]


class BatchResult(msgspec.Struct, frozen=True):
    """Of each item: its `order`, or the `error` that refused it."""

    ok: bool
    order: Order | msgspec.UnsetType = msgspec.UNSET
    error: ErrorDetail | msgspec.UnsetType = msgspec.UNSET


class BatchResults(msgspec.Struct, frozen=True):
    results: list[BatchResult]


class Fill(msgspec.Struct, frozen=True):
    fill_id: str
    trade_id: str
    order_id: str
    account_id: int
    market: str
    side: Side
    liquidity: Literal["maker", "taker"]
    price: Decimal
    size: Decimal
    quote: Decimal
    fee: Decimal
    realised_pnl: Decimal
    kind: FillKind
    time_ms: int


class Position(msgspec.Struct, frozen=True):
    account_id: int
    market: str
    side: Side
    size: Decimal
    entry_price: Decimal
    mark_price: Decimal
    notional: Decimal
    unrealised_pnl: Decimal
    realised_pnl: Decimal
    funding: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    liquidation_price: Decimal | None
    leverage: int
    margin_mode: MarginMode
    isolated_margin: Decimal | None


class AssetBalance(msgspec.Struct, frozen=True):
    """What an account has of an asset, its value at index, and what it counts for in maintenance and initial margin."""

    asset: str
    amount: Decimal
    withdrawable: Decimal
    value: Decimal
    maintenance_value: Decimal
    initial_value: Decimal


class Account(msgspec.Struct, frozen=True):
    """An account as the engine has it now; `available` is what new orders may use."""

    account_id: int
    balances: dict[str, Decimal]
    equity: Decimal
    unrealised_pnl: Decimal
    initial_margin: Decimal
    order_margin: Decimal
    maintenance_margin: Decimal
    available: Decimal
    withdrawable: Decimal
    assets: list[AssetBalance]
    seq: int
    positions: list[Position]
    orders: list[Order]
    leverage: dict[str, int]
    self_custody: Annotated[bool, msgspec.Meta(description="A wallet owns the account: its orders are signed (`signed`).")]


class Transfer(msgspec.Struct, frozen=True):
    """A line of the account's ledger; what it paid is negative."""

    transfer_id: str
    account_id: int
    asset: str
    amount: Decimal
    kind: LedgerKind
    trade_id: str | None
    reason: str
    time_ms: int


class FundingPayment(msgspec.Struct, frozen=True):
    """What was received for one market and hour; what was paid is negative."""

    account_id: int
    market: str
    amount: Decimal
    time_ms: int


class Preview(msgspec.Struct, frozen=True):
    """What an order would do now. `reject` tells why it would be refused; the figures hold all the same."""

    reject: ErrorDetail | None
    order_value: Decimal
    estimated_price: Decimal
    taker_fee: Decimal
    maker_fee: Decimal
    initial_margin_before: Decimal
    initial_margin_after: Decimal
    available_after: Decimal
    leverage_before: Decimal
    leverage_after: Decimal
    liquidation_price_before: Decimal | None
    liquidation_price_after: Decimal | None
    max_size: Decimal


class Leverage(msgspec.Struct, frozen=True):
    market: str
    leverage: int


class Switch(msgspec.Struct, frozen=True):
    """When all orders will be cancelled, or 0 when the switch is off."""

    due_ms: int
