"""Markets and their feeds in plain numbers, and what a market will say once it has observed its feed."""

from dataclasses import dataclass, replace
from typing import Any

from solders.pubkey import Pubkey

from markets.parameters import MarginTier
from markets.units import tick_lot_atoms


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    key: Pubkey
    pyth_feed_id: bytes
    pyth_published_at: int
    max_age_s: int
    last_state: str
    price_e8: int
    average_e8: int
    published_at: int

    def state_at(self, now_s: int) -> str:
        """Return the state: a price that nobody renews goes stale."""
        fresh = self.price_e8 > 0 and now_s - self.published_at <= self.max_age_s
        return self.last_state if fresh else "Stale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    market_id: int
    key: Pubkey
    feed: Feed
    opens_at: int
    tick_e8: int
    lot_e8: int
    tick_lot_atoms: int
    max_price_age_s: int
    liquidation_fee_ppm: int
    tiers: tuple[MarginTier, ...]
    price_e8: int
    average_e8: int
    published_at: int
    may_withdraw: bool
    may_liquidate: bool
    funding_hour: int

    def fresh(self, now_s: int) -> bool:
        return self.price_e8 > 0 and now_s - self.published_at <= self.max_price_age_s

    def can_observe(self, now_s: int) -> bool:
        """Whether the feed has a price that this market takes, and is not the one that it has."""
        feed = self.feed
        same = (feed.published_at, feed.price_e8) == (self.published_at, self.price_e8) and self._agrees(now_s)
        newer = feed.published_at >= self.published_at and now_s >= self.opens_at
        return newer and not same and feed.state_at(now_s) in {"Valid", "Single"}

    def _agrees(self, now_s: int) -> bool:
        return self.may_liquidate == (self.feed.state_at(now_s) == "Valid") and self.average_e8 == self.feed.average_e8

    def observed(self, now_s: int) -> "Market":
        """Return the market as it is once it has observed its feed."""
        if not self.can_observe(now_s):
            return self
        feed = self.feed
        return replace(
            self,
            price_e8=feed.price_e8,
            average_e8=feed.average_e8,
            published_at=feed.published_at,
            may_withdraw=True,
            may_liquidate=feed.state_at(now_s) == "Valid",
        )


def feed_of(key: Pubkey, found: Any) -> Feed:
    return Feed(
        key=key,
        pyth_feed_id=bytes(found.parameters.pyth_feed_id),
        pyth_published_at=found.pyth.published_at,
        max_age_s=found.parameters.max_age_s,
        last_state=type(found.state).__name__,
        price_e8=found.price_e8,
        average_e8=found.average_e8,
        published_at=found.published_at,
    )


def market_of(key: Pubkey, found: Any, feed: Feed) -> Market:
    rules = found.parameters
    return Market(
        market_id=found.market_id,
        key=key,
        feed=feed,
        opens_at=found.opens_at,
        tick_e8=rules.tick_e8,
        lot_e8=rules.lot_e8,
        tick_lot_atoms=tick_lot_atoms(tick_e8=rules.tick_e8, lot_e8=rules.lot_e8),
        max_price_age_s=rules.max_price_age_s,
        liquidation_fee_ppm=rules.liquidation_fee_ppm,
        tiers=tuple(
            MarginTier(
                notional_from_atoms=tier.notional_from_atoms,
                maintenance_ppm=tier.maintenance_ppm,
                deduction_atoms=tier.deduction_atoms,
                max_leverage=tier.max_leverage,
            )
            for tier in rules.tiers
        ),
        price_e8=found.price_e8,
        average_e8=found.average_e8,
        published_at=found.published_at,
        may_withdraw=found.may_withdraw,
        may_liquidate=found.may_liquidate,
        funding_hour=found.funding_hour,
    )
