"""From sources' prices to one index price and its state. Pure: the engine runs it, so a replay gives the same index."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from markets.units import PPM
from oracle.actions import OPEN, IndexState
from oracle.sources import RANKS

FUTURE_TOLERANCE_MS: Final = 2_000
MAX_CONFIDENCE_PPM: Final = 20_000  # a source this unsure of itself is refused
MAX_INDEX_CONFIDENCE_PPM: Final = 10_000  # an index this unsure of itself is uncertain
MAX_DISAGREEMENT_PPM: Final = 10_000  # two sources further apart than this dispute the price
MAX_JUMP_PPM: Final = 100_000  # a source that moves further than this at once is held until something confirms it
LONE_STEP_PPM: Final = 10_000  # a lone source moves the index by no more than this, at once or within LONE_STEP_MS
LONE_STEP_MS: Final = 1_000
VOLATILE_FACTOR: Final = 5  # an index this many times its hourly average, or less than that part of it, is halted
RECOVERY_MS: Final = 3_000  # sources must have been good for so long before a market opens again
MAX_PRICE_E8: Final = 10**18
# Why an observation is not used, in the order of the checks.
REFUSALS: Final = (
    "unknown_source",
    "not_positive",
    "from_the_future",
    "not_newer",
    "too_old",
    "too_uncertain",
    "jump_unconfirmed",
)


class Source(NamedTuple):
    """A source's last accepted price, in units of 1e-8 USD."""

    source: str
    price_e8: int
    confidence_e8: int
    published_ms: int


class Combined(NamedTuple):
    """What the fresh sources say together: valid, single, uncertain, disputed or stale. Without a price both numbers are 0."""

    price_e8: int
    confidence_e8: int
    state: IndexState
    is_lone: bool = False  # one source says so, alone


def refusal(*, last: Source | None, observation: Source, now_ms: int, max_age_ms: int) -> str | None:
    """Return why an observation cannot be used, or None; jumps are looked at apart. A repeat is `not_newer`."""
    if observation.source not in RANKS:
        return "unknown_source"
    if not 0 < observation.price_e8 <= MAX_PRICE_E8:
        return "not_positive"
    if observation.published_ms > now_ms + FUTURE_TOLERANCE_MS:
        return "from_the_future"
    if last is not None and observation.published_ms <= last.published_ms:
        return "not_newer"
    if observation.published_ms < now_ms - max_age_ms:
        return "too_old"
    if observation.confidence_e8 < 0 or observation.confidence_e8 * PPM > observation.price_e8 * MAX_CONFIDENCE_PPM:
        return "too_uncertain"
    return None


def apart(one_e8: int, other_e8: int, limit_ppm: int) -> bool:
    """Tell whether two prices differ by more than a part of the lower one."""
    return abs(one_e8 - other_e8) * PPM > min(one_e8, other_e8) * limit_ppm


def jumps(*, reference_e8: int, price_e8: int) -> bool:
    """Tell whether a price is further from the index than one source may bring it at once; there is no jump to a first price."""
    return reference_e8 > 0 and apart(reference_e8, price_e8, MAX_JUMP_PPM)


def confirmed(*, observation: Source, others: Sequence[Source], suspect: Source | None) -> bool:
    """Tell whether a jump has a second opinion: another source's price or suspect (both in `others`), or an earlier one of its own."""
    price = observation.price_e8
    if suspect is not None and suspect.published_ms < observation.published_ms and not apart(suspect.price_e8, price, MAX_JUMP_PPM):
        return True
    near = [other for other in others if other.source != observation.source and not apart(other.price_e8, price, MAX_DISAGREEMENT_PPM)]
    return len(near) > 0


def aggregate(sources: Sequence[Source], *, now_ms: int, max_age_ms: int) -> Combined:
    """Combine the fresh sources that count: three or more, their weighted median; two that agree, their mean; one, itself.

    Only fallback sources make no more than an uncertain price. The order of the sources does not matter.
    """
    counted: list[Source] = []
    primary = False
    for source in sources:
        rank = RANKS.get(source.source)
        if rank is not None and rank.weight and now_ms - source.published_ms <= max_age_ms:
            counted.append(source)
            primary = primary or rank.primary
    if not counted:
        return Combined(0, 0, "stale")
    if len(counted) == 1:
        combined = alone(counted[0])
    elif len(counted) == 2:
        combined = mean(counted[0], counted[1])
    else:
        combined = middle(counted)
    if combined.state == "disputed":
        return combined
    return judged(combined, primary)


def judged(combined: Combined, primary: bool) -> Combined:
    """Call a price uncertain that is too wide, or that no primary source has."""
    if primary and combined.confidence_e8 * PPM <= combined.price_e8 * MAX_INDEX_CONFIDENCE_PPM:
        return combined
    return Combined(combined.price_e8, combined.confidence_e8, "uncertain", combined.is_lone)


def alone(source: Source) -> Combined:
    """Trust a lone source half as much as it trusts itself."""
    return Combined(source.price_e8, 2 * source.confidence_e8, "single", True)


def mean(one: Source, other: Source) -> Combined:
    """Return two sources' mean, each counted by the other's confidence: the surer one for more. Rounded down."""
    apart_e8 = abs(one.price_e8 - other.price_e8)
    confidence = max(one.confidence_e8, other.confidence_e8, (apart_e8 + 1) // 2)
    if apart(one.price_e8, other.price_e8, MAX_DISAGREEMENT_PPM):
        return Combined((one.price_e8 + other.price_e8) // 2, confidence, "disputed")
    mine = other.confidence_e8 + 1
    theirs = one.confidence_e8 + 1
    return Combined((one.price_e8 * mine + other.price_e8 * theirs) // (mine + theirs), confidence, "valid")


def middle(sources: Sequence[Source]) -> Combined:
    """Return the weighted median of three or more; its confidence is the median of theirs, or of their distances if larger."""
    weights = limited_weights([RANKS[source.source].weight for source in sources])
    price = weighted_median([source.price_e8 for source in sources], weights)
    confidence = weighted_median([source.confidence_e8 for source in sources], weights)
    distance = weighted_median([abs(source.price_e8 - price) for source in sources], weights)
    return Combined(price, max(confidence, distance), "valid")


def limited_weights(weights: Sequence[int]) -> list[int]:
    """Cut a weight that is half of all or more, so that no single source decides a median."""
    total = sum(weights)
    return [weight if 2 * weight < total else total - weight - 1 for weight in weights]


def weighted_median(values: Sequence[int], weights: Sequence[int]) -> int:
    """Return the value at which half of the weight is reached; exactly at half, the mean with the next, rounded down."""
    pairs = sorted(zip(values, weights, strict=True))
    total = sum(weights)
    reached = 0
    for place, (value, weight) in enumerate(pairs):
        reached += weight
        if 2 * reached == total:
            return (value + pairs[place + 1][0]) // 2
        if 2 * reached > total:
            return value
    raise AssertionError("no weights")


def lone_step(*, index_e8: int, combined: Combined, elapsed_ms: int) -> Combined:
    """Limit what one source alone may do to the index, and count what it is still away from it as uncertainty.

    The index moves by at most LONE_STEP_PPM at once, and by less if it last moved less than LONE_STEP_MS ago: in proportion.
    """
    most = index_e8 * LONE_STEP_PPM * min(elapsed_ms, LONE_STEP_MS) // (PPM * LONE_STEP_MS)
    price = max(index_e8 - most, min(index_e8 + most, combined.price_e8))
    lag = abs(combined.price_e8 - price)
    return Combined(price, combined.confidence_e8 + lag, combined.state, True)


def too_volatile(*, price_e8: int, average_e8: int) -> bool:
    """Tell whether a price is out of all proportion to its hourly average; 0 is no average yet."""
    return average_e8 > 0 and max(price_e8, average_e8) > VOLATILE_FACTOR * min(price_e8, average_e8)


def recovered(*, present: IndexState, wanted: IndexState, newest_ms: int, since_ms: int) -> bool:
    """Tell whether a price may take the state that its sources give it.

    For the worse it does at once. Out of a state that closes the market it goes only when the newest publication is RECOVERY_MS
    after the newest of when its sources became good again.
    """
    return wanted not in OPEN or present in OPEN or (since_ms > 0 and newest_ms >= since_ms + RECOVERY_MS)
