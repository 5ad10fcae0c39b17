"""What every provider of prices looks like to the oracle."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, NamedTuple, Protocol

from markets.errors import DomainError

if TYPE_CHECKING:
    from oracle.feeds.health import HealthRecord


class Price(NamedTuple):
    """A provider's price of an asset in USD, as published: integers of 1e-8; the source is one of oracle.sources."""

    asset: str
    source: str
    price_e8: int
    confidence_e8: int
    published_ms: int


class Feed(Protocol):
    name: str

    async def poll(self) -> list[Price]:
        """Ask once; a FeedError says why there are no prices."""

    def stream(self) -> AsyncGenerator[list[Price], None]:
        """Yield prices as they come, for ever: what goes wrong is logged and tried again."""

    async def close(self) -> None: ...

    def health(self) -> "list[HealthRecord]":
        """Return how each provider behind this feed is doing."""


class FeedError(DomainError):
    """A provider gave no usable answer.

    FeedError
    ├── FeedUnreachable    no connection, or none in time
    ├── FeedRefused        it wants a key, or another one
    ├── FeedLimited        too many requests; `retry_seconds` tells when the next may be sent
    └── FeedMalformed      its answer is not in its own format
    """

    code = "FEED_ERROR"
    status = 502
    retry_seconds = 0.0


class FeedUnreachable(FeedError):
    code = "FEED_UNREACHABLE"
    message = "The price provider cannot be reached."


class FeedRefused(FeedError):
    code = "FEED_REFUSED"
    message = "The price provider does not accept the key."


class FeedLimited(FeedError):
    code = "FEED_LIMITED"
    message = "The price provider wants fewer requests."

    def __init__(self, message: str = "", *, retry_seconds: float, **data: object) -> None:
        super().__init__(message, **data)
        self.retry_seconds = retry_seconds


class FeedMalformed(FeedError):
    code = "FEED_MALFORMED"
    message = "The price provider's answer is not understood."
