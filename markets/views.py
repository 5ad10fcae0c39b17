"""What the engine answers: replies to commands, and views of its committed state. Integers, units in the names."""

import msgspec

from markets.assets import AssetParameters
from markets.commands import MarginMode, OrderType, PostOnly, SelfTradePrevention, Side, TimeInForce, TriggerBy
from markets.events import CancelReason, OrderStatus, SourceReading
from markets.parameters import MarketParameters, MarketStatus
from markets.rejects import Reject


class OrderView(msgspec.Struct, frozen=True, array_like=True):
    """An order as it stands. Field for field the columns of the orders table.

    Made for each order that is answered, hence by position: a struct of this size takes ten times as long by keywords.
    """

    order_id: int
    account_id: int
    market_id: int
    client_order_id: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    post_only: PostOnly
    reduce_only: bool
    close_position: bool
    self_trade_prevention: SelfTradePrevention
    price_ticks: int
    size_lots: int
    filled_lots: int
    filled_quote_atoms: int
    fee_atoms: int
    trigger_ticks: int
    trigger_by: TriggerBy
    good_till_ms: int
    parent_order_id: int
    link_id: int
    status: OrderStatus
    reason: CancelReason | None  # why it was cancelled
    created_ms: int
    updated_ms: int


class Reply(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The outcome of one command.

    `seq` is the journal sequence in which it is durable, set by the runner (0 for a refusal that needed no row).
    `orders` holds what the command placed, amended or cancelled; `results` one reply per item of a batch.
    """

    seq: int = 0
    reject: Reject | None = None
    orders: tuple[OrderView, ...] = ()
    results: tuple["Reply", ...] = ()


class PositionView(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    market_id: int
    size_lots: int  # negative is short
    cost_atoms: int  # signed like the size; entry price = cost / size
    mark_ticks: int
    notional_atoms: int
    unrealised_atoms: int
    initial_margin_atoms: int
    maintenance_margin_atoms: int
    liquidation_ticks: int  # 0 when no price of this market alone liquidates
    leverage: int
    realised_atoms: int  # since the position was opened, fees not included
    funding_atoms: int  # received since it was opened, negative when paid
    margin_mode: MarginMode = "cross"
    margin_atoms: int = 0  # what its isolated pool holds


class AssetView(msgspec.Struct, frozen=True, kw_only=True):
    """What an account has of one asset, and what that counts for."""

    asset: str
    amount_atoms: int
    withdrawable_atoms: int
    value_atoms: int  # at index, in quote atoms
    maintenance_value_atoms: int  # less confidence, at maintenance weights
    initial_value_atoms: int  # at the worse of that price and the stable one, at initial weights


class CollateralAssetView(msgspec.Struct, frozen=True, kw_only=True):
    """A collateral asset, its prices now, and what all users together hold of it."""

    parameters: AssetParameters
    state: str  # of its index; valid for USDC
    price_e8: int  # index
    collateral_price_e8: int  # less confidence
    initial_price_e8: int  # the worse of that and the stable price; 0 while it opens nothing
    total_atoms: int


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account, valued at mark. `available` is what new orders of the cross pool may use, `withdrawable` the USDC that may leave.

    Equity counts collateral at maintenance weights, `available` at initial ones; the other sums are over all pools.
    """

    account_id: int
    seq: int  # of the account's event stream
    balances: dict[str, int]
    equity_atoms: int
    unrealised_atoms: int
    initial_margin_atoms: int  # positions and open orders
    order_margin_atoms: int  # of which open orders
    maintenance_margin_atoms: int
    available_atoms: int
    withdrawable_atoms: int
    positions: tuple[PositionView, ...]
    orders: tuple[OrderView, ...]
    leverage: dict[int, int]  # by market
    dead_mans_switch_ms: int  # when it is due; 0 when off
    assets: tuple[AssetView, ...] = ()  # USDC first, the others by name
    isolated_atoms: dict[int, int] = {}  # what each isolated market's pool holds
    self_custody: bool = False  # owned by a wallet: it trades by signed orders only


class IndexView(msgspec.Struct, frozen=True, kw_only=True):
    """The outside price of an asset, and each source that it was made from or that was refused. Prices 0 before the first."""

    index_id: int
    asset: str
    state: str  # oracle.actions.IndexState
    price_e8: int
    confidence_e8: int
    stable_e8: int  # the slow price that initial margin is held against; 0 where none is kept
    halt_reason: str  # staff's, empty while they do not halt it
    recovering: bool  # its sources are good again, but not yet for long enough
    max_age_ms: int
    readings: tuple[SourceReading, ...]


class MarketView(msgspec.Struct, frozen=True, kw_only=True):
    parameters: MarketParameters
    status: MarketStatus  # the stricter of the market's and the exchange's
    mark_ticks: int
    index_e8: int
    oracle_state: str
    oracle_sources: tuple[tuple[str, int, int], ...]  # source, price_e8, published_ms
    last_ticks: int
    best_bid_ticks: int
    best_ask_ticks: int
    open_interest_lots: int
    predicted_funding_ppb: int  # for this hour
    next_funding_ms: int
    index: IndexView | None = None  # with all that is known of each source


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What an order would do now. `reject` tells why it would be refused; the figures hold all the same."""

    reject: Reject | None
    order_value_atoms: int
    estimated_price_ticks: int  # average fill price against the book, or the limit price
    fee_taker_atoms: int
    fee_maker_atoms: int
    initial_margin_before_atoms: int
    initial_margin_after_atoms: int
    available_after_atoms: int
    leverage_before_ppm: int  # account notional / equity
    leverage_after_ppm: int
    liquidation_ticks_before: int
    liquidation_ticks_after: int
    max_size_lots: int  # the largest size that available margin covers at this price


class StateView(msgspec.Struct, frozen=True, kw_only=True):
    seq: int
    stamp_ms: int
    epoch: int
    rules_version: int
    state_hash: str
    accounts: int
    open_orders: int


class BookView(msgspec.Struct, frozen=True, kw_only=True):
    """Committed levels, best first, as (price_ticks, size_lots)."""

    market_id: int
    seq: int
    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]


class CollateralTerm(msgspec.Struct, frozen=True, kw_only=True):
    """What one asset of a margin pool counts for. USDC counts as it is; a debt has its weight above one."""

    asset: str
    amount_atoms: int
    index_id: int  # 0 for USDC
    index_e8: int
    confidence_e8: int
    stable_e8: int  # initial margin takes the worse of it and the index
    state: str
    full_atoms: int  # at the index, before confidence and weight
    value_atoms: int  # what it adds to equity
    initial_value_atoms: int  # what it adds to the equity that initial margin is held against


class TierSlice(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a notional that lies in one margin tier."""

    from_atoms: int
    notional_atoms: int
    max_leverage: int
    initial_atoms: int


class LiquidationTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The first tick at which equity is below maintenance, and both there. The market's index moves with its mark, nothing else does."""

    ticks: int
    unrealised_atoms: int  # of this position
    equity_atoms: int
    own_maintenance_atoms: int
    maintenance_atoms: int


class HoldingTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The margin of one market's position and open orders.

    initial = max(by leverage, by tiers) + open interest + concentration; maintenance = notional x rate, rounded up, - deduction.
    """

    market_id: int
    size_lots: int
    cost_atoms: int
    mark_ticks: int
    notional_atoms: int
    unrealised_atoms: int
    leverage: int
    worst_notional_atoms: int  # with all buy orders filled, or all sell orders
    by_leverage_atoms: int
    tiers: tuple[TierSlice, ...]
    by_tiers_atoms: int
    open_interest_atoms: int  # what nearness to the market's cap adds
    concentration_atoms: int
    initial_margin_atoms: int
    maintenance_ppm: int
    deduction_atoms: int
    maintenance_margin_atoms: int
    liquidation_below: LiquidationTerms | None
    liquidation_above: LiquidationTerms | None


class PoolTerms(msgspec.Struct, frozen=True, kw_only=True):
    """One margin pool: the cross one (market 0) or an isolated position's. Its terms sum to its totals, to the atom."""

    market_id: int
    collateral: tuple[CollateralTerm, ...]
    holdings: tuple[HoldingTerms, ...]
    unrealised_atoms: int
    equity_atoms: int  # collateral at maintenance weights, and unrealised PnL
    initial_equity_atoms: int  # the same at initial weights and the worse price
    initial_margin_atoms: int
    maintenance_margin_atoms: int
    available_atoms: int
    withdrawable_atoms: int


class MarginExplanation(msgspec.Struct, frozen=True, kw_only=True):
    account_id: int
    seq: int
    pools: tuple[PoolTerms, ...]


class MarginPreview(msgspec.Struct, frozen=True, kw_only=True):
    """`reject` tells why the order would be refused now; `after` is as if it were not."""

    reject: Reject | None
    before: MarginExplanation
    after: MarginExplanation


class PriceExposure(msgspec.Struct, frozen=True, array_like=True):
    """What a margin pool gains when one index doubles, and what maintenance gains with it."""

    index_id: int
    delta_atoms: int
    notional_atoms: int  # of the position, without its sign
    slope_atoms: int


class Exposure(msgspec.Struct, frozen=True, array_like=True):
    """A margin pool as the sum of its exposures."""

    account_id: int
    market_id: int
    equity_atoms: int
    initial_margin_atoms: int
    maintenance_margin_atoms: int
    prices: tuple[PriceExposure, ...]


class DeleveragingPlace(msgspec.Struct, frozen=True, array_like=True):
    """How a position stands in its side's queue: what share of the next deleveraging would fall to it, and who bears more.

    The share is its unrealised profit over that of its whole side; a position without profit is reached only when the
    profitable ones are used up.
    """

    market_id: int
    size_lots: int
    profit_atoms: int
    side_profit_atoms: int
    share_ppm: int
    place: int  # 1 bears the most
    places: int
