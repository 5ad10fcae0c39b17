"""The leaves of an account's tree: bytes as the program reads them, and what they change. Pure.

Encoded as: kind u8, then the fields in order, little-endian. Twin of `leaf.rs` in perp_dex.
"""

import struct
from dataclasses import astuple, dataclass, field
from typing import Any, Final

from chain import merkle
from markets.units import ceil_div, charge

QUOTE: Final = 0  # the slot of USDC: the first asset that was listed
MAX_LEAVES: Final = 64  # of one account in one batch
KINDS: Final = ("Credit", "Trade", "Funding", "Reduction", "House", "Deleveraging", "Bankruptcy")
FORMS: Final = {
    "Credit": "<BQQ",
    "Trade": "<32sQQqQQ",
    "Funding": "<I",
    "Reduction": "<IqQqQ",
    "House": "<IqQ",
    "Deleveraging": "<Iq32sI",
    "Bankruptcy": "<IqqQ",
}
FIELDS: Final = {
    "Credit": ("asset", "amount", "reference"),
    "Trade": ("order", "size_lots", "price_ticks", "fee_atoms", "time_ms", "filled_lots"),
    "Funding": ("market_id",),
    "Reduction": ("market_id", "lots", "price_ticks", "fee_atoms", "time_ms"),
    "House": ("slot", "amount", "reference"),
    "Deleveraging": ("market_id", "lots", "bankrupt", "place"),
    "Bankruptcy": ("market_id", "lots", "quote_atoms", "time_ms"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafFill:
    """One of several fills that a leaf says together."""

    trade_id: int
    size_lots: int
    fee_atoms: int
    time_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One change of one account. `trade_id` says which match it is a side of, 0 for none; of several `fills`, the last."""

    kind: str
    fields: dict[str, Any]
    sums: merkle.Sums
    trade_id: int = 0
    fills: tuple[LeafFill, ...] = ()
    data: bytes = field(init=False)

    def __post_init__(self) -> None:
        values = [self.fields[name] for name in FIELDS[self.kind]]
        object.__setattr__(self, "data", bytes([KINDS.index(self.kind)]) + struct.pack(FORMS[self.kind], *values))

    @property
    def node(self) -> merkle.Node:
        return merkle.change_leaf(self.data, self.sums)

    @property
    def stored(self) -> dict[str, Any]:
        """Return what a table keeps of it, as JSON."""
        plain = {name: value.hex() if isinstance(value, bytes) else value for name, value in self.fields.items()}
        several = {"fills": [list(astuple(one)) for one in self.fills]} if self.fills else {}
        return {"kind": self.kind, "fields": plain, "sums": [list(one) for one in self.sums], "trade_id": self.trade_id} | several

    def tells(self, trade_id: int) -> bool:
        """Whether it is, alone or with others, a side of this match."""
        return trade_id == self.trade_id or any(one.trade_id == trade_id for one in self.fills)


def restored(stored: dict[str, Any]) -> Leaf:
    """Return the leaf that `stored` keeps."""
    fields = {name: bytes.fromhex(value) if isinstance(value, str) else value for name, value in stored["fields"].items()}
    sums = tuple((slot, amount) for slot, amount in stored["sums"])
    fills = tuple(
        LeafFill(trade_id=trade_id, size_lots=size_lots, fee_atoms=fee_atoms, time_ms=time_ms)
        for trade_id, size_lots, fee_atoms, time_ms in stored.get("fills", ())
    )
    return Leaf(kind=stored["kind"], fields=fields, sums=sums, trade_id=stored["trade_id"], fills=fills)


def credit(amount: int, *, reference: int = 0) -> Leaf:
    """Money in: needs nobody's signature."""
    fields = {"asset": QUOTE, "amount": amount, "reference": reference}
    return Leaf(kind="Credit", fields=fields, sums=merkle.canonical([(QUOTE, amount)]))


def house(slot: int, amount: int, *, reference: int = 0) -> Leaf:
    """A net change of one slot of an account whose key the platform holds."""
    return Leaf(kind="House", fields={"slot": slot, "amount": amount, "reference": reference}, sums=merkle.canonical([(slot, amount)]))


def trade(
    *,
    order: bytes,
    market_id: int,
    lots: int,
    price_ticks: int,
    tick_lot_atoms: int,
    fee_atoms: int,
    time_ms: int,
    filled_lots: int,
    trade_id: int,
) -> Leaf:
    """One side of a match; `order` is the SHA-256 of the signed bytes, `lots` are signed, `filled_lots` those of the order before."""
    fields = {
        "order": order,
        "size_lots": abs(lots),
        "price_ticks": price_ticks,
        "fee_atoms": fee_atoms,
        "time_ms": time_ms,
        "filled_lots": filled_lots,
    }
    quote = -lots * price_ticks * tick_lot_atoms - fee_atoms
    return Leaf(kind="Trade", fields=fields, sums=moved(market_id, lots, quote), trade_id=trade_id)


def together(one: Leaf | None, other: Leaf, *, fee_cap_ppm: int, tick_lot_atoms: int) -> Leaf | None:
    """Return two fills of one order at one price, the one right after the other, as one leaf; None where they must stay two.

    What the program asks of the second, at its time and after both, it asks of the sum: nothing else happened to the account in between.
    Only the fee is different, since the cap is rounded up for each leaf.
    """
    if one is None or one.kind != "Trade" or any(one.fields[name] != other.fields[name] for name in ("order", "price_ticks")):
        return None
    size = one.fields["size_lots"] + other.fields["size_lots"]
    fee = one.fields["fee_atoms"] + other.fields["fee_atoms"]
    if fee > charge(size * other.fields["price_ticks"] * tick_lot_atoms, fee_cap_ppm):
        return None
    fields = other.fields | {"size_lots": size, "fee_atoms": fee, "filled_lots": one.fields["filled_lots"]}
    sums = merkle.canonical([*one.sums, *other.sums])
    return Leaf(kind="Trade", fields=fields, sums=sums, trade_id=other.trade_id, fills=(*_fills(one), *_fills(other)))


def _fills(leaf: Leaf) -> tuple[LeafFill, ...]:
    said = leaf.fields
    alone = LeafFill(trade_id=leaf.trade_id, size_lots=said["size_lots"], fee_atoms=said["fee_atoms"], time_ms=said["time_ms"])
    return leaf.fills or (alone,)


def funding(market_id: int, paid_atoms: int) -> Leaf:
    return Leaf(kind="Funding", fields={"market_id": market_id}, sums=merkle.canonical([(QUOTE, paid_atoms)]))


def reduction(*, market_id: int, lots: int, price_ticks: int, tick_lot_atoms: int, fee_atoms: int, time_ms: int, trade_id: int = 0) -> Leaf:
    """A reduction without the owner: `lots` are what the position changes by."""
    fields = {"market_id": market_id, "lots": lots, "price_ticks": price_ticks, "fee_atoms": fee_atoms, "time_ms": time_ms}
    quote = -lots * price_ticks * tick_lot_atoms - fee_atoms
    return Leaf(kind="Reduction", fields=fields, sums=moved(market_id, lots, quote), trade_id=trade_id)


def bankruptcy(*, market_id: int, lots: int, quote_atoms: int, time_ms: int) -> Leaf:
    """A position that others must take over, for exactly `quote_atoms` (negative: paid)."""
    fields = {"market_id": market_id, "lots": lots, "quote_atoms": quote_atoms, "time_ms": time_ms}
    return Leaf(kind="Bankruptcy", fields=fields, sums=moved(market_id, lots, quote_atoms))


def deleveraging(*, market_id: int, lots: int, quote_atoms: int, bankrupt: bytes, place: int) -> Leaf:
    """What an account takes over of the position that leaf `place` of the account `bankrupt` gave up."""
    fields = {"market_id": market_id, "lots": lots, "bankrupt": bankrupt, "place": place}
    return Leaf(kind="Deleveraging", fields=fields, sums=moved(market_id, lots, quote_atoms))


def moved(market_id: int, lots: int, quote_atoms: int) -> merkle.Sums:
    return merkle.canonical([(QUOTE, quote_atoms), (merkle.position_slot(market_id), lots)])


def most_fee(leaf: Leaf, tick_lot_atoms: int, rate_ppm: int) -> int:
    """Return the highest fee that a reduction may carry."""
    value = abs(leaf.fields["lots"]) * leaf.fields["price_ticks"] * tick_lot_atoms
    return ceil_div(value * rate_ppm, 1_000_000)
