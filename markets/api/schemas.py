"""The shapes of the public part of the API: what is asked in a query string, and what is answered."""

from typing import Annotated, Literal

import msgspec

from markets.api.pages import Limit, PageQuery
from markets.commands import Side
from markets.events import FillKind
from markets.parameters import MarketStatus

MAX_CANDLES = 1_500
MAX_DEPTH = 200
MAX_MS = 4_102_444_800_000  # the year 2100

Decimal = Annotated[str, msgspec.Meta(description="A decimal string.", examples=["64000.1"])]
Interval = Literal["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "1w"]
StoredInterval = Literal["1m", "5m", "15m", "1h", "4h", "1d", "1w"]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=MAX_MS, description="Milliseconds since 1970-01-01 UTC.")]


class NoQuery(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Takes no parameters."""


class BookQuery(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    depth: Annotated[int, msgspec.Meta(ge=1, le=MAX_DEPTH, description="Levels of each side.")] = 50


class RangeQuery(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, rename={"from_ms": "from", "to_ms": "to"}):
    """From `from` on and before `to`: the first `limit` when `from` is given, else the last."""

    from_ms: Milliseconds | None = None
    to_ms: Milliseconds | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_CANDLES)] = 500


class CandlesQuery(RangeQuery, kw_only=True, frozen=True):
    """Candles of trades or of the mark. Weeks begin on Mondays, UTC; where nothing traded a candle is flat, with zero `trades`."""

    interval: Interval = "1m"
    kind: Literal["trade", "mark"] = "trade"


class OpenInterestQuery(RangeQuery, kw_only=True, frozen=True):
    interval: StoredInterval = "1h"


class TradesQuery(PageQuery, kw_only=True, frozen=True):
    limit: Limit = 50


class FundingQuery(PageQuery, kw_only=True, frozen=True, rename={"from_ms": "from", "to_ms": "to"}):
    limit: Limit = 168
    from_ms: Milliseconds | None = None
    to_ms: Milliseconds | None = None


class ServerTime(msgspec.Struct, frozen=True):
    time_ms: int


class Tier(msgspec.Struct, frozen=True):
    """Maintenance margin = notional x rate - deduction, from `notional_from` on."""

    notional_from: Decimal
    maintenance_rate: Decimal
    deduction: Decimal
    max_leverage: int


class Market(msgspec.Struct, frozen=True):
    """A market's rules and prices. Fees, rates and bands are fractions: 0.000450 is 0.045 %.

    Initial margin rises with open interest beyond `margin_rises_from`, to the whole notional at `max_open_interest`; what a
    position has beyond `concentration_from` needs `concentration_rate` more. Null is without such a limit.
    """

    market_id: int
    symbol: str
    base_asset: str
    quote_asset: str
    status: MarketStatus
    mark_price: Decimal
    index_price: Decimal
    oracle_state: str
    tick_size: Decimal
    lot_size: Decimal
    min_notional: Decimal
    max_order_size: Decimal
    max_open_orders: int
    max_open_interest: Decimal
    max_position: Decimal | None
    margin_rises_from: Decimal | None
    concentration_from: Decimal | None
    concentration_rate: Decimal
    max_leverage: int
    taker_fee: Decimal
    maker_fee: Decimal
    price_band: Decimal
    market_slippage: Decimal
    liquidation_fee: Decimal
    funding_cap: Decimal
    tiers: list[Tier]


class Ticker(msgspec.Struct, frozen=True):
    market: str
    status: MarketStatus
    mark_price: Decimal
    index_price: Decimal
    oracle_state: str
    price_source: Literal["live", "simulated", "replay"]
    last_price: Decimal
    best_bid: Decimal
    best_ask: Decimal
    open_24h: Decimal
    high_24h: Decimal
    low_24h: Decimal
    volume_24h: Decimal
    quote_volume_24h: Decimal
    change_24h: Decimal
    open_interest: Decimal
    funding_rate: Decimal
    next_funding_ms: int


class MarketOverview(Ticker, frozen=True):
    """A ticker with what a list of markets shows beside it. `sparkline`: the mark from 24 hours ago up to now, every half hour."""

    base_asset: str
    max_leverage: int
    sparkline: list[Decimal]


class Book(msgspec.Struct, frozen=True):
    """Price and size of each level, best first, after the journal row `seq`."""

    market: str
    seq: int
    bids: list[tuple[Decimal, Decimal]]
    asks: list[tuple[Decimal, Decimal]]


class Trade(msgspec.Struct, frozen=True):
    trade_id: str
    price: Decimal
    size: Decimal
    side: Side
    kind: FillKind
    time_ms: int


class Candle(msgspec.Struct, frozen=True):
    opened_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades: int


class FundingRate(msgspec.Struct, frozen=True):
    """One hour's rate; longs pay when it is positive."""

    time_ms: int
    rate: Decimal
    index_price: Decimal


class MarketList(msgspec.Struct, frozen=True):
    results: list[Market]


class TickerList(msgspec.Struct, frozen=True):
    results: list[Ticker]


class OpenInterest(msgspec.Struct, frozen=True):
    """At the end of the interval that opened at `opened_ms`, or now; `value` is at the mark."""

    opened_ms: int
    open_interest: Decimal
    value: Decimal
    mark_price: Decimal


class OpenInterestList(msgspec.Struct, frozen=True):
    """Oldest first."""

    results: list[OpenInterest]


class MarketOverviewList(msgspec.Struct, frozen=True):
    results: list[MarketOverview]


class CandleList(msgspec.Struct, frozen=True):
    """Oldest first."""

    results: list[Candle]
