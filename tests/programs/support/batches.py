"""Batches as a settler builds them: leaves by account, their trees, and proofs for challenges."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain import merkle
from markets.signed_orders import SignedOrder, encode

TICK_LOT_ATOMS = 100
QUOTE = 0
GIVING_UP = {"Bankruptcy", "Deleveraging"}


@dataclass(kw_only=True)
class Leaf:
    """A change of one account: what the program is shown, its bytes and its effect."""

    kind: str
    fields: dict[str, Any]
    data: bytes
    sums: merkle.Sums
    order: bytes = b""
    signer: Keypair | None = None

    def name(self, user: Pubkey, place: int) -> bytes:
        """Return what its record goes by: a trade's order, or the leaf that gave a position up; nothing for others."""
        if self.order:
            return hashlib.sha256(self.order).digest()
        if self.kind not in GIVING_UP:
            return bytes(32)
        bankrupt, given_up = self.fields.get("bankrupt", user), self.fields.get("place", place)
        return hashlib.sha256(bytes(bankrupt) + number(given_up, 4)).digest()

    @property
    def shown(self) -> dict[str, dict[str, Any]]:
        return {self.kind: self.fields}


def number(value: int, size: int = 8) -> bytes:
    return value.to_bytes(size, "little", signed=value < 0)


def credit(amount: int, *, asset: int = QUOTE, reference: int = 0) -> Leaf:
    data = b"\0" + bytes([asset]) + number(amount) + number(reference)
    fields = {"asset": asset, "amount": amount, "reference": reference}
    return Leaf(kind="Credit", fields=fields, data=data, sums=merkle.canonical([(asset, amount)]))


def moved(*, market_id: int, lots: int, price_ticks: int, fee_atoms: int) -> merkle.Sums:
    value = lots * price_ticks * TICK_LOT_ATOMS
    return merkle.canonical([(QUOTE, -value - fee_atoms), (merkle.position_slot(market_id), lots)])


def trade(
    order: SignedOrder, signer: Keypair, *, size_lots: int, price_ticks: int, time_ms: int, fee_atoms: int = 0, filled_lots: int = 0
) -> Leaf:
    data = encode(order)
    digest = hashlib.sha256(data).digest()
    fields: dict[str, Any] = {
        "order": digest,
        "size_lots": size_lots,
        "price_ticks": price_ticks,
        "fee_atoms": fee_atoms,
        "time_ms": time_ms,
        "filled_lots": filled_lots,
    }
    body = b"\1" + digest + b"".join(number(fields[name]) for name in list(fields)[1:])
    lots = size_lots if order.side == "buy" else -size_lots
    sums = moved(market_id=order.market_id, lots=lots, price_ticks=price_ticks, fee_atoms=fee_atoms)
    return Leaf(kind="Trade", fields=fields, data=body, sums=sums, order=data, signer=signer)


def funding(market_id: int, paid_atoms: int) -> Leaf:
    return Leaf(
        kind="Funding", fields={"market_id": market_id}, data=b"\2" + number(market_id, 4), sums=merkle.canonical([(QUOTE, paid_atoms)])
    )


def reduction(*, market_id: int, lots: int, price_ticks: int, time_ms: int, fee_atoms: int = 0) -> Leaf:
    fields = {"market_id": market_id, "lots": lots, "price_ticks": price_ticks, "fee_atoms": fee_atoms, "time_ms": time_ms}
    data = b"\3" + number(market_id, 4) + number(lots) + number(price_ticks) + number(fee_atoms) + number(time_ms)
    sums = moved(market_id=market_id, lots=lots, price_ticks=price_ticks, fee_atoms=fee_atoms)
    return Leaf(kind="Reduction", fields=fields, data=data, sums=sums)


def house(slot: int, amount: int, *, reference: int = 0) -> Leaf:
    fields = {"slot": slot, "amount": amount, "reference": reference}
    data = b"\4" + number(slot, 4) + number(amount) + number(reference)
    return Leaf(kind="House", fields=fields, data=data, sums=merkle.canonical([(slot, amount)]))


def deleveraging(*, market_id: int, lots: int, bankrupt: Pubkey, place: int, quote_atoms: int) -> Leaf:
    """`quote_atoms` is what the program makes of the part: what the account receives."""
    fields = {"market_id": market_id, "lots": lots, "bankrupt": bankrupt, "place": place}
    data = b"\5" + number(market_id, 4) + number(lots) + bytes(bankrupt) + number(place, 4)
    return Leaf(kind="Deleveraging", fields=fields, data=data, sums=given_up(market_id=market_id, lots=lots, quote_atoms=quote_atoms))


def bankruptcy(*, market_id: int, lots: int, quote_atoms: int, time_ms: int) -> Leaf:
    fields = {"market_id": market_id, "lots": lots, "quote_atoms": quote_atoms, "time_ms": time_ms}
    data = b"\6" + number(market_id, 4) + number(lots) + number(quote_atoms) + number(time_ms)
    return Leaf(kind="Bankruptcy", fields=fields, data=data, sums=given_up(market_id=market_id, lots=lots, quote_atoms=quote_atoms))


def given_up(*, market_id: int, lots: int, quote_atoms: int) -> merkle.Sums:
    return merkle.canonical([(QUOTE, quote_atoms), (merkle.position_slot(market_id), lots)])


def slots(sums: merkle.Sums) -> list[dict[str, int]]:
    return [{"slot": slot, "amount": amount} for slot, amount in sums]


def nodes(siblings: tuple[merkle.Node, ...]) -> list[dict[str, Any]]:
    return [{"hash": node.hash, "sums": slots(node.sums)} for node in siblings]


@dataclass(kw_only=True)
class Entry:
    """One account of a batch."""

    user: Pubkey
    before: merkle.Sums
    leaves: list[Leaf]

    @property
    def nodes(self) -> list[merkle.Node]:
        return [merkle.change_leaf(leaf.data, leaf.sums) for leaf in self.leaves]

    @property
    def root(self) -> merkle.Node:
        return merkle.root(self.nodes)

    @property
    def leaf(self) -> merkle.Node:
        return merkle.account_leaf(account=bytes(self.user), before=self.before, changes=len(self.leaves), root=self.root)

    @property
    def change(self) -> dict[str, Any]:
        return {"changes": len(self.leaves), "root": self.root.hash, "sums": slots(self.root.sums)}


@dataclass(kw_only=True)
class Batch:
    seq: int
    entries: list[Entry] = field(default_factory=list)

    @property
    def root(self) -> merkle.Node:
        return merkle.root([entry.leaf for entry in self.entries])

    def entry(self, user: Pubkey) -> Entry:
        return next(entry for entry in self.entries if entry.user == user)

    def proof(self, user: Pubkey) -> dict[str, Any]:
        """What a challenge of this account shows."""
        index = [entry.user for entry in self.entries].index(user)
        entry = self.entries[index]
        path = merkle.prove([item.leaf for item in self.entries], index)
        return {"index": index, "siblings": nodes(path.siblings), "before": slots(entry.before)} | entry.change
