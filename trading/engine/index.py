"""The outside price of an asset: what its sources said, and what the exchange makes of it."""

from typing import Final

from markets.events import SourceReading
from oracle.actions import Action, IndexState, allows
from oracle.aggregate import (
    MAX_DISAGREEMENT_PPM,
    Combined,
    Source,
    aggregate,
    apart,
    confirmed,
    judged,
    jumps,
    lone_step,
    recovered,
    refusal,
    too_volatile,
)
from oracle.sources import RANKS
from risk.mark import ema
from risk.stable import StablePrice

AVERAGE_WINDOW_MS: Final = 3_600_000
DEFAULT_MAX_AGE_MS: Final = 60_000
NOTHING: Final = Source("", 0, 0, 0)
REPORT_MS: Final = 5_000  # a price that goes on unchanged is reported this often
MAX_REFUSALS: Final = 16  # names of sources that are remembered for having been refused


class Index:
    """Prices are in units of 1e-8 USD, 0 before the first. An index of a market has the market's id."""

    __slots__ = (
        "asset",
        "average_e8",
        "averaged_ms",
        "confidence_e8",
        "halt_reason",
        "index_id",
        "max_age_ms",
        "moved_ms",
        "price_e8",
        "recovering_ms",
        "refusals",
        "sources",
        "stable",
        "state",
        "suspects",
        "verdicts",
    )

    def __init__(self, index_id: int, asset: str) -> None:
        self.index_id: int = index_id
        self.asset: str = asset
        self.max_age_ms: int = DEFAULT_MAX_AGE_MS
        self.sources: dict[str, Source] = {}
        self.suspects: dict[str, Source] = {}  # each source's jump that waits for confirmation
        self.refusals: dict[str, tuple[str, int]] = {}  # each source's last refusal and its stamp, until it is accepted again
        self.state: IndexState = "stale"
        self.price_e8: int = 0
        self.confidence_e8: int = 0
        self.stable: StablePrice = StablePrice()
        self.moved_ms: int = 0
        self.recovering_ms: int = 0  # the newest publication when the sources became good again; 0 while they are not
        self.average_e8: int = 0
        self.averaged_ms: int = 0
        self.verdicts: str = ""  # what was last reported of the sources
        self.halt_reason: str = ""  # staff's; while there is one the state is halted

    def allows(self, action: Action) -> bool:
        return allows(self.state, action)

    def observe(self, observation: Source, stamp_ms: int) -> bool:
        """Take in what a source published, or remember why not; tell whether it was taken in."""
        name = observation.source
        last = self.sources.get(name)
        reason = refusal(last=last, observation=observation, now_ms=stamp_ms, max_age_ms=self.max_age_ms)
        if reason is None and not self.is_confirmed(observation, stamp_ms):
            self.suspects[name] = observation
            reason = "jump_unconfirmed"
        if reason is None:
            self.accept(observation)
            return True
        repeated = reason == "not_newer" and last is not None and last.published_ms == observation.published_ms
        if not repeated and (name in self.refusals or len(self.refusals) < MAX_REFUSALS):
            self.refusals[name] = (reason, stamp_ms)
        return False

    def is_confirmed(self, observation: Source, stamp_ms: int) -> bool:
        """Tell whether a price is near the index, or a jump that something else confirms which is not too old itself."""
        if not jumps(reference_e8=self.price_e8, price_e8=observation.price_e8):
            return True
        oldest = stamp_ms - self.max_age_ms
        others = self.fresh(stamp_ms) + [suspect for suspect in self.suspects.values() if suspect.published_ms >= oldest]
        suspect = self.suspects.get(observation.source)
        return confirmed(observation=observation, others=others, suspect=suspect if suspect in others else None)

    def accept(self, observation: Source) -> None:
        """Take a price in, and with it the same jump of any other source that waited for a second opinion."""
        self.sources[observation.source] = observation
        self.suspects.pop(observation.source, None)
        self.refusals.pop(observation.source, None)
        if not self.suspects:
            return
        for name in sorted(self.suspects):
            suspect = self.suspects[name]
            if not apart(suspect.price_e8, observation.price_e8, MAX_DISAGREEMENT_PPM):
                self.sources[name] = suspect
                del self.suspects[name]
                self.refusals.pop(name, None)

    def fresh(self, stamp_ms: int) -> list[Source]:
        oldest = stamp_ms - self.max_age_ms
        return [source for source in self.sources.values() if source.published_ms >= oldest]

    def settle(self, stamp_ms: int) -> None:
        """Bring price, confidence and state to the stamp. Without sources that agree the price stays where it is."""
        fresh = self.fresh(stamp_ms)
        combined = aggregate(fresh, now_ms=stamp_ms, max_age_ms=self.max_age_ms)
        wanted = combined.state
        if wanted not in {"stale", "disputed"}:
            wanted = self.move(combined, stamp_ms)
        if self.halt_reason:
            wanted = "halted"
        self.turn(wanted, newest_ms(fresh))
        if self.allows("value_collateral"):
            self.stable.follow(self.price_e8, stamp_ms)

    def age(self, stamp_ms: int) -> None:
        """Let sources that have grown old drop out: only the state tells, the price stays where it is."""
        fresh = self.fresh(stamp_ms)
        wanted = aggregate(fresh, now_ms=stamp_ms, max_age_ms=self.max_age_ms).state
        self.turn("halted" if self.halt_reason else wanted, newest_ms(fresh))

    def ages_ms(self, stamp_ms: int) -> int:
        """Return when the oldest fresh source will be too old, 0 without one."""
        ages = [source.published_ms + self.max_age_ms + 1 for source in self.fresh(stamp_ms)]
        return min(ages) if ages else 0

    def readings(self, stamp_ms: int) -> tuple[SourceReading, ...]:
        """Return each source that has ever been heard of, and what its last price is worth now."""
        names = sorted({*self.sources, *self.refusals})
        return tuple([self.reading(name, stamp_ms) for name in names])

    def reading(self, name: str, stamp_ms: int) -> SourceReading:
        source = self.sources.get(name, NOTHING)
        return SourceReading(name, source.price_e8, source.confidence_e8, source.published_ms, self.verdict(source, name, stamp_ms))

    def verdict(self, source: Source, name: str, stamp_ms: int) -> str:
        """Tell whether a source's last price counts now; the last refusal stands until it is accepted again."""
        refused = self.refusals.get(name)
        if refused is not None:
            return refused[0]
        if source.published_ms < stamp_ms - self.max_age_ms:
            return "too_old"
        return "counted" if RANKS[name].weight else "not_counted"

    def summary(self, readings: tuple[SourceReading, ...]) -> str:
        """Return what must be reported anew when it changes: verdicts, and now and then that a source is still there."""
        words = [f"{reading.verdict} {reading.published_ms // REPORT_MS}" for reading in readings]
        return " ".join(words) + (" recovering" if self.recovering_ms else "") + self.halt_reason

    def names(self, stamp_ms: int) -> list[str]:
        """Return whose prices the index is made of; when none is fresh, whose it was made of."""
        return sorted([source.source for source in self.fresh(stamp_ms)] or self.sources)

    def move(self, combined: Combined, stamp_ms: int) -> IndexState:
        """Follow a combined price, and return the state that it gives."""
        first = self.price_e8 == 0
        if combined.is_lone and not first:
            stepped = lone_step(index_e8=self.price_e8, combined=combined, elapsed_ms=stamp_ms - self.moved_ms)
            combined = judged(stepped, combined.state == "single")
        volatile = too_volatile(price_e8=combined.price_e8, average_e8=self.average_e8)
        if first:
            self.average_e8 = combined.price_e8
        else:
            elapsed = stamp_ms - self.averaged_ms
            self.average_e8 = ema(value=self.average_e8, sample=combined.price_e8, elapsed_ms=elapsed, window_ms=AVERAGE_WINDOW_MS)
        self.averaged_ms = stamp_ms
        if combined.price_e8 != self.price_e8:
            self.moved_ms = stamp_ms
        self.price_e8 = combined.price_e8
        self.confidence_e8 = combined.confidence_e8
        if first:
            self.state = combined.state  # nothing to recover from
        return "halted" if volatile else combined.state

    def turn(self, wanted: IndexState, newest_ms: int) -> None:
        """Take a worse state at once, and an open one only after the sources have been good for a while."""
        if recovered(present=self.state, wanted=wanted, newest_ms=newest_ms, since_ms=self.recovering_ms):
            self.state = wanted
            self.recovering_ms = 0
        elif self.recovering_ms == 0:
            self.recovering_ms = newest_ms


def newest_ms(sources: list[Source]) -> int:
    published = [source.published_ms for source in sources]
    return max(published) if published else 0
