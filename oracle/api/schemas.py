"""The shapes of the oracle's part of the API."""

from typing import Annotated, Literal

import msgspec

from markets.api.pages import Limit, PageQuery
from markets.api.schemas import Decimal, Milliseconds

State = Literal["valid", "single", "uncertain", "disputed", "stale", "halted"]


class OracleSource(msgspec.Struct, frozen=True):
    """`verdict` is `counted`, `not_counted` (shown only), `too_old`, or why its last observation was refused."""

    source: str
    price: Decimal | None
    confidence: Decimal | None
    published_ms: int | None
    age_ms: Annotated[int | None, msgspec.Meta(description="Since it was published.")]
    verdict: str


class OracleIndex(msgspec.Struct, frozen=True):
    symbol: Annotated[str, msgspec.Meta(description="The market, or the asset where it has none.")]
    asset: str
    state: State
    price: Decimal | None
    confidence: Decimal | None
    stable_price: Annotated[Decimal | None, msgspec.Meta(description="Follows the price slowly; initial margin uses the worse of both.")]
    recovering: Annotated[bool, msgspec.Meta(description="The sources are good again, but not yet for long enough.")]
    halt_reason: str
    max_age_ms: int
    permits: Annotated[list[str], msgspec.Meta(description="What may be done at this price now.")]
    sources: list[OracleSource]


class OracleRefusal(msgspec.Struct, frozen=True):
    """A price that the feed did not pass on: it was no sound number."""

    asset: str
    reason: str
    at_ms: int


class OracleProvider(msgspec.Struct, frozen=True):
    """One provider as the oracle process sees it; `code` and `reason` tell why it is failing or what it is waiting for."""

    feed: str
    status: Literal["starting", "ok", "waiting", "failing"]
    code: str
    reason: str
    answered_ms: int
    refused: list[OracleRefusal]


class OracleFeedStatus(msgspec.Struct, frozen=True):
    """The oracle process: null where it does not run."""

    feed: str
    said_ms: int
    providers: list[OracleProvider]


class OracleList(msgspec.Struct, frozen=True):
    results: list[OracleIndex]
    feed: OracleFeedStatus | None


class OracleDetail(msgspec.Struct, frozen=True):
    index: OracleIndex
    feed: OracleFeedStatus | None


class OracleHistoryQuery(PageQuery, kw_only=True, frozen=True, rename={"from_ms": "from", "to_ms": "to"}):
    limit: Limit = 100
    from_ms: Milliseconds | None = None
    to_ms: Milliseconds | None = None


class OraclePriceRow(msgspec.Struct, frozen=True):
    time_ms: int
    mark_price: Decimal
    index_price: Decimal
    confidence: Decimal | None
    state: State
