"""From sources' prices to one index price and a state. Pure: the engine runs it, so a replay gives the same index."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from markets.units import PPM

IndexState = Literal["valid", "single", "disputed", "stale"]

FUTURE_TOLERANCE_MS = 2_000
MAX_CONFIDENCE_PPM = 20_000  # a source this unsure of itself is refused
MAX_DISAGREEMENT_PPM = 10_000  # two sources further apart than this dispute the price
MAX_JUMP_PPM = 100_000  # a lone source that moves further than this at once is held until it stays there
MAX_PRICE_E8 = 10**18
FRESH_STATES: Final = frozenset({"valid", "single"})


class Source(NamedTuple):
    """A source's last accepted price, in units of 1e-8 USD."""

    source: str
    price_e8: int
    confidence_e8: int
    published_ms: int


class Index(NamedTuple):
    """The index price; 0 with state stale when there is none."""

    price_e8: int
    state: IndexState


def refusal(*, last: Source | None, observation: Source, now_ms: int) -> str | None:
    """Return why an observation cannot be used, or None. A repeat or an older one is `not_newer`."""
    if not 0 < observation.price_e8 <= MAX_PRICE_E8:
        return "not_positive"
    if observation.published_ms > now_ms + FUTURE_TOLERANCE_MS:
        return "from_the_future"
    if last is not None and observation.published_ms <= last.published_ms:
        return "not_newer"
    if observation.confidence_e8 < 0 or observation.confidence_e8 * PPM > observation.price_e8 * MAX_CONFIDENCE_PPM:
        return "too_uncertain"
    return None


def jumps(*, from_price_e8: int, to_price_e8: int) -> bool:
    """Tell whether a price moved further at once than one source may move it."""
    return abs(to_price_e8 - from_price_e8) * PPM > from_price_e8 * MAX_JUMP_PPM


def aggregate(sources: Sequence[Source], *, now_ms: int, max_age_ms: int) -> Index:
    """Combine the fresh sources: three or more, their median; two that agree, their mean; one alone, itself.

    Means are rounded down. The order of the sources does not matter.
    """
    fresh = [source for source in sources if now_ms - source.published_ms <= max_age_ms]
    prices = sorted(source.price_e8 for source in fresh)
    if not prices:
        return Index(0, "stale")
    if len(prices) == 1:
        return Index(prices[0], "single")
    if len(prices) == 2:
        agree = (prices[1] - prices[0]) * PPM <= prices[0] * MAX_DISAGREEMENT_PPM
        return Index(sum(prices) // 2, "valid" if agree else "disputed")
    middle = len(prices) // 2
    return Index(prices[middle] if len(prices) % 2 else (prices[middle - 1] + prices[middle]) // 2, "valid")
