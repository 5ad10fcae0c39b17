"""Accounts of the exchange in plain numbers, by the same rules as the programs': as they are, and as what is pending will make them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from solders.pubkey import Pubkey

QUOTE = 0
MAX_POSITIONS = 8
INSURANCE_SUB_ACCOUNT = 65_535
FROZEN = frozenset({"Frozen", "Escaping"})


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
