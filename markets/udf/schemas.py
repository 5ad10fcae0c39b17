"""What TradingView's client asks. It may add parameters of its own, so unknown ones are passed over; what is known must be right."""

from typing import Annotated, Literal

import msgspec

MAX_SECONDS = 4_102_444_800  # the year 2100
RESOLUTIONS = {
    "1": "1m", "3": "3m", "5": "5m", "15": "15m", "30": "30m", "60": "1h", "120": "2h", "240": "4h", "360": "6h", "480": "8h",
    "720": "12h", "1D": "1d", "1W": "1w",
}  # fmt: skip
SHORT_FORMS = {"D": "1D", "W": "1W"}

Seconds = Annotated[int, msgspec.Meta(ge=0, le=MAX_SECONDS)]
Resolution = Literal["1", "3", "5", "15", "30", "60", "120", "240", "360", "480", "720", "1D", "1W", "D", "W"]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Nothing(msgspec.Struct, kw_only=True, frozen=True):
    """Takes no parameters."""


class SymbolQuery(msgspec.Struct, kw_only=True, frozen=True):
    symbol: Name


class SearchQuery(msgspec.Struct, kw_only=True, frozen=True):
    query: str = ""
    type: str = ""
    exchange: str = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 30


class RangeQuery(msgspec.Struct, kw_only=True, frozen=True, rename={"from_s": "from", "to_s": "to"}):
    """From `from` on and before `to`, in seconds."""

    symbol: Name
    resolution: Resolution
    to_s: Seconds
    from_s: Seconds = 0

    @property
    def interval(self) -> str:
        return RESOLUTIONS[SHORT_FORMS.get(self.resolution, self.resolution)]


class HistoryQuery(RangeQuery, kw_only=True, frozen=True, rename={"from_s": "from", "to_s": "to"}):
    """`countback` wins over `from`."""

    countback: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] | None = None


class QuotesQuery(msgspec.Struct, kw_only=True, frozen=True):
    symbols: Annotated[str, msgspec.Meta(min_length=1, max_length=4_096)]
