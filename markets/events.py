"""What happened, as the engine says it. Journalled with the commands that caused it; every table is made from these.

Encoded like commands: arrays led by the event's name; append fields, never reorder. The time of an event is its
batch's stamp; its place is (journal sequence, position in the batch).
"""

from typing import Literal

import msgspec

from markets.assets import AssetParameters, RiskParameters
from markets.commands import MarginMode, PlaceOrder, Side
from markets.parameters import MarketParameters, MarketStatus

LedgerKind = Literal[
    "deposit", "withdrawal", "transfer", "trade_pnl", "fee", "rebate", "funding", "liquidation_fee", "insurance", "adjustment", "dust",
    "conversion", "backstop", "deleveraging",
]  # fmt: skip
CancelReason = Literal[
    "user", "self_trade", "ioc", "fok", "slippage", "post_only", "reduce_only", "expired", "dead_mans_switch", "disconnect",
    "linked", "position_closed", "liquidation", "margin", "delisted", "rejected_at_trigger", "signature",
]  # fmt: skip
OrderStatus = Literal["open", "untriggered", "filled", "cancelled", "expired"]
FillKind = Literal["trade", "liquidation", "chain"]
LiquidationStage = Literal["book", "backstop", "deleveraging", "chain"]


class Event(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag=True):
    """Something that happened in the engine."""


class LedgerTransfer(msgspec.Struct, frozen=True, array_like=True):
    """Move a positive amount from the debited to the credited account. Sums to zero by construction."""

    debit_account_id: int
    credit_account_id: int
    asset: str
    amount_atoms: int
    kind: LedgerKind


class AccountOpened(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    account_id: int
    self_custody: bool = False


class OrderAccepted(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    """An order exists. `order` is as asked, but for a price that was slid or derived, and an id that was given to it.

    Status is open (also when it fills at once: fills follow) or untriggered.
    """

    order_id: int
    order: PlaceOrder
    price_ticks: int
    size_lots: int
    status: OrderStatus
    parent_order_id: int = 0  # the order whose fills arm this trigger


class OrderRejected(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    account_id: int
    market_id: int
    client_order_id: str
    code: str


class OrderFilled(Event, frozen=True, array_like=True, tag=True):
    """One match. Two fills, and up to four ledger transfers (see trading.postings) are derived from it alone.

    `*_fee_atoms` positive is paid; `*_pnl_atoms` is realised, before fees; `*_position_lots` and `*_cost_atoms` are after the
    fill (cost is signed like the size: unrealised = size x mark - cost).
    """

    trade_id: int
    market_id: int
    price_ticks: int
    size_lots: int
    taker_side: Side
    taker_order_id: int
    taker_account_id: int
    maker_order_id: int
    maker_account_id: int
    taker_fee_atoms: int
    maker_fee_atoms: int
    taker_pnl_atoms: int
    maker_pnl_atoms: int
    taker_position_lots: int
    taker_cost_atoms: int
    maker_position_lots: int
    maker_cost_atoms: int
    kind: FillKind = "trade"


class OrderAmended(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    order_id: int
    account_id: int
    market_id: int
    price_ticks: int
    size_lots: int
    trigger_ticks: int
    signed: bytes = b""  # where the owner signed anew: for what is left to fill


class OrderCancelled(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    """The rest of an order left the book or the triggers.

    Reason `expired` is the end of a GTD order, or of its signature; `signature` that the owner did not sign for a fill, or took it back.
    """

    order_id: int
    account_id: int
    market_id: int
    reason: CancelReason


class OrderTriggered(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    """A trigger order became a live order of the same id; its fills or its end follow. Size and price are as executed."""

    order_id: int
    account_id: int
    market_id: int
    reference_ticks: int
    price_ticks: int
    size_lots: int


class PositionChanged(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    """A position changed other than by a match (delisting, deleveraging, take-over by the insurance account)."""

    account_id: int
    market_id: int
    size_lots: int
    cost_atoms: int
    realised_atoms: int
    previous_lots: int = 0  # the size before: open interest is kept from events alone


class ChainTradeBooked(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    """A trade that was made on chain, number `number` of its events: two fills and up to two ledger transfers follow from it alone.

    `quote_atoms` went from buyer to seller, exactly; the price is that value's, rounded down. `*_pnl_atoms` are realised,
    `*_position_lots` and `*_cost_atoms` are after it. In a liquidation the quote holds the fee, and its record goes around this event.
    """

    number: int
    trade_id: int
    market_id: int
    buyer_account_id: int
    seller_account_id: int
    price_ticks: int
    size_lots: int
    quote_atoms: int
    fee_atoms: int
    buyer_pnl_atoms: int
    seller_pnl_atoms: int
    buyer_position_lots: int
    buyer_cost_atoms: int
    seller_position_lots: int
    seller_cost_atoms: int
    liquidated_account_id: int  # 0 for a match
    liquidation_id: int
    buy_order: bytes  # hash of the signed order
    sell_order: bytes


class LedgerPosted(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    """Money moved other than by a match; all transfers or none."""

    transfers: tuple[LedgerTransfer, ...]
    reason: str = ""
    author: str = ""


class LeverageSet(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    account_id: int
    market_id: int
    leverage: int


class DeadMansSwitchSet(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    account_id: int
    due_ms: int  # 0 when off


class KeyRevoked(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    """An account's trading key was taken back; the cancellations of what it signed follow."""

    account_id: int
    key: bytes


class NoncesCancelled(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    """An account's signed orders with lower nonces were cancelled for ever; the cancellations of live ones follow."""

    account_id: int
    min_nonce: int


class FundingPaid(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    """A market's hourly funding. Payments are (account, atoms received, negative when paid); dust makes them sum to zero."""

    market_id: int
    due_ms: int  # the full hour it is for
    rate_ppb: int  # for this hour; longs pay when positive
    index_e8: int
    payments: tuple[tuple[int, int], ...]
    dust_atoms: int
    cumulative: str = "0"  # sum of rate_ppb x index_e8 over all hours: a position pays its size times the change; beyond 64 bits


class LiquidationStarted(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    """An account's equity fell below its maintenance margin, on mark, after its orders were cancelled."""

    liquidation_id: int
    account_id: int
    equity_atoms: int
    maintenance_atoms: int
    market_id: int = 0  # of the isolated position whose pool it is; 0 is the cross pool


class AccountLiquidated(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    """A liquidation ended, with the sums of its steps. `taken_over` by the backstop: (market, size_lots, price_ticks)."""

    liquidation_id: int
    account_id: int
    closed_quote_atoms: int
    fee_atoms: int
    insurance_paid_atoms: int
    taken_over: tuple[tuple[int, int, int], ...]
    equity_atoms: int
    maintenance_atoms: int
    deleveraged: tuple[tuple[int, int, int], ...] = ()  # (market, size_lots, quote_atoms) closed against the other side
    steps: int = 0
    market_id: int = 0


class SourceReading(msgspec.Struct, frozen=True, array_like=True):
    """One source as the engine sees it: its last accepted price (0 for none), and whether that counts.

    Verdicts: counted, not_counted (shown only), too_old, or why its last observation was refused (oracle.aggregate.REFUSALS).
    """

    source: str
    price_e8: int
    confidence_e8: int
    published_ms: int
    verdict: str


class MarginCalled(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    """A pool's margin ratio, maintenance / equity, reached a warning level (1 or 2), or fell far enough below to leave it (0, 1)."""

    account_id: int
    market_id: int  # of the isolated position; 0 is the cross pool
    level: int
    equity_atoms: int
    maintenance_atoms: int


class LiquidationStepped(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    """One step of a liquidation, on one position, with all numbers that decided it and what it did.

    `book` sells a slice inside `limit_ticks`; `backstop` hands the position over at `limit_ticks`; `deleveraging` closes it
    against the other side for `quote_atoms`; `chain` is what a stranger took over on chain, at the
    oracle's price there. Sizes are signed like the position. `equity_atoms` and `maintenance_atoms` are the pool's before the
    step, `*_after_atoms` after it.
    """

    liquidation_id: int
    account_id: int
    step: int
    stage: LiquidationStage
    market_id: int
    position_lots: int
    wanted_lots: int
    closed_lots: int
    mark_ticks: int
    limit_ticks: int
    bankruptcy_ticks: int
    quote_atoms: int
    realised_atoms: int
    fee_atoms: int
    equity_atoms: int
    maintenance_atoms: int
    equity_after_atoms: int
    maintenance_after_atoms: int


class InsurancePaid(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    """A debt that no position can cover was paid: by the insurance fund, which never goes below zero; `balance_atoms` is left in it.

    What neither the fund nor deleveraging could cover is paid by the exchange from its fees (`payer_account_id`).
    """

    liquidation_id: int  # 0 outside of a liquidation: at a market's settlement
    account_id: int
    market_id: int  # of the isolated position; 0 is the cross pool
    payer_account_id: int
    owed_atoms: int
    paid_atoms: int
    balance_atoms: int


class PositionDeleveraged(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    """Part of a position was closed against a bankrupt one of the other side, in proportion to its unrealised profit.

    `closed_lots` is signed like the position, `quote_atoms` its exact value; the ledger's transfers follow.
    """

    liquidation_id: int
    bankrupt_account_id: int
    account_id: int
    market_id: int
    position_lots: int  # before
    closed_lots: int
    mark_ticks: int
    quote_atoms: int
    profit_atoms: int  # unrealised on mark before: its weight
    side_profit_atoms: int  # the sum of all weights
    realised_atoms: int


class MarketSettled(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    """A delisted market's positions were closed at the time-weighted average of its index over the last `window_ms`.

    `covered_ms` is for how much of it there was an index; with none at all the price is the last mark.
    """

    market_id: int
    price_ticks: int
    window_ms: int
    covered_ms: int
    positions: int
    shortfall_atoms: int  # what losers could not pay
    insurance_paid_atoms: int
    winners_paid_atoms: int  # taken from the winners' settlement, in proportion to it


class MarkChanged(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    """A market's prices after ObservePrice or ClockTick; the state is that of the oracle's aggregation."""

    market_id: int
    mark_ticks: int
    index_e8: int
    state: str  # oracle.actions.IndexState
    predicted_funding_ppb: int
    sources: tuple[str, ...] = ()  # whose fresh prices made the index: tells live from simulated and replayed
    confidence_e8: int = 0
    readings: tuple[SourceReading, ...] = ()
    recovering: bool = False  # the sources are good again, but not yet for long enough
    halt_reason: str = ""  # staff's
    stable_e8: int = 0  # the slow price that initial margin is held against


class IndexChanged(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    """The price of a collateral asset that has no market; a market's own is in its MarkChanged."""

    index_id: int
    price_e8: int
    confidence_e8: int
    state: str
    readings: tuple[SourceReading, ...] = ()


class IndexHalted(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    """Staff stopped the use of a price, or with an empty reason let it be used again."""

    index_id: int
    reason: str
    author: str = ""


class MarketCreated(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    parameters: MarketParameters


class MarketUpdated(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    parameters: MarketParameters


class MarketStatusChanged(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    market_id: int  # 0 is the whole exchange
    status: MarketStatus
    reason: str
    author: str = ""


class RulesUpgraded(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    from_version: int
    to_version: int


class AssetSet(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    parameters: AssetParameters
    author: str = ""


class RiskParametersSet(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    parameters: RiskParameters
    author: str = ""


class MarginModeSet(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    account_id: int
    market_id: int
    mode: MarginMode


class IsolatedMarginMoved(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    """USDC went from an account's cross pool to an isolated position's, or back when negative: no movement in the ledger.

    `margin_atoms` is what the isolated pool holds afterwards.
    """

    account_id: int
    market_id: int
    amount_atoms: int
    margin_atoms: int


class CollateralConverted(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    """The backstop bought an account's collateral to cover its debt; the transfers are in the LedgerPosted that follows."""

    account_id: int
    asset: str
    amount_atoms: int
    price_e8: int  # of one whole unit, before the haircut
    haircut_ppm: int
    paid_atoms: int
    debt_atoms: int  # before


AnyEvent = (
    AccountOpened | OrderAccepted | OrderRejected | OrderFilled | OrderAmended | OrderCancelled | OrderTriggered
    | PositionChanged | LedgerPosted | LeverageSet | DeadMansSwitchSet | FundingPaid | LiquidationStarted | AccountLiquidated
    | MarkChanged | MarketCreated | MarketUpdated | MarketStatusChanged | RulesUpgraded
    | AssetSet | RiskParametersSet | MarginModeSet | IsolatedMarginMoved | CollateralConverted
    | IndexChanged | IndexHalted
    | MarginCalled | LiquidationStepped | InsurancePaid | PositionDeleveraged | MarketSettled
    | KeyRevoked | NoncesCancelled
    | ChainTradeBooked
)  # fmt: skip
