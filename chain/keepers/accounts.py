"""What a keeper needs of the chain's accounts, in plain numbers: the same rules as the programs', so that what is due can be told."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from solders.pubkey import Pubkey

from markets.parameters import MarginTier
from markets.units import tick_lot_atoms

QUOTE = 0
MAX_POSITIONS = 8
INSURANCE_SUB_ACCOUNT = 65_535
FROZEN = frozenset({"Frozen", "Escaping"})


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """Signed balances by asset, and signed lots by market, without zeros."""

    balances: tuple[int, ...]
    lots: Mapping[int, int]

    @property
    def quote(self) -> int:
        return self.balances[QUOTE]

    def changed(self, *, quote: int, market_id: int, lots: int) -> "Holdings":
        held = {**self.lots, market_id: self.lots.get(market_id, 0) + lots}
        balances = (self.quote + quote, *self.balances[1:])
        return Holdings(balances=balances, lots={one: size for one, size in held.items() if size})


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """`outlooks`: the account as it is, then as each epoch that waits will make it. `exit_can_end`: only the record of it is missing."""

    key: Pubkey
    owner: Pubkey
    sub_account: int
    outlooks: tuple[Holdings, ...]
    min_nonce: int
    exit_requested_at: int
    exit_is_open: bool
    exit_can_end: bool
    valued: bool
    claim_atoms: int
    escaped: int

    @property
    def holdings(self) -> Holdings:
        return self.outlooks[0]

    @property
    def market_ids(self) -> list[int]:
        """Return every market in which it has, or will have, a position."""
        return sorted({market_id for outlook in self.outlooks for market_id in outlook.lots})

    def is_owed(self) -> bool:
        return any(outlook.lots or any(balance > 0 for balance in outlook.balances) for outlook in self.outlooks)

    def changed(self, *, quote: int, market_id: int, lots: int) -> "User":
        return replace(self, outlooks=tuple(one.changed(quote=quote, market_id=market_id, lots=lots) for one in self.outlooks))


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


def user_of(key: Pubkey, found: Any, *, final_epoch: int, frozen: bool) -> User:
    """Read an account as the programs do, after taking up what has become final; a freeze drops the rest."""
    balances, lots = _holdings(found.holdings)
    waiting = sorted((pending for pending in found.pending if pending.epoch), key=lambda pending: pending.epoch)
    for pending in waiting:
        if pending.epoch <= final_epoch:
            balances, lots = _added(balances, lots, pending.changes)
    outlooks = [Holdings(balances=balances, lots=lots)]
    for pending in waiting:
        if pending.epoch > final_epoch and not frozen:
            balances, lots = _added(balances, lots, pending.changes)
            outlooks.append(Holdings(balances=balances, lots=lots))
    asked = bool(found.exit_requested_at) and not found.exit_paid
    empty = len(outlooks) == 1 and not lots and all(balance <= 0 for balance in balances)
    return User(
        key=key,
        owner=found.owner,
        sub_account=found.sub_account,
        outlooks=tuple(outlooks),
        min_nonce=found.min_nonce,
        exit_requested_at=found.exit_requested_at,
        exit_is_open=asked and not empty,
        exit_can_end=asked and empty,
        valued=found.valued,
        claim_atoms=found.claim_atoms,
        escaped=found.escaped,
    )


def _holdings(held: Any) -> tuple[tuple[int, ...], dict[int, int]]:
    return tuple(held.balances), {one.market_id: one.lots for one in held.positions if one.lots}


def _added(balances: tuple[int, ...], lots: dict[int, int], changes: Any) -> tuple[tuple[int, ...], dict[int, int]]:
    more, moved = _holdings(changes)
    merged = {one: lots.get(one, 0) + moved.get(one, 0) for one in {**lots, **moved}}
    return tuple(a + b for a, b in zip(balances, more, strict=True)), {one: size for one, size in merged.items() if size}
