"""The canonical bytes of a signed order, its signature, and the fills that it allows. Same vectors as the Rust crate `order`.

148 bytes, little-endian: tag, program, genesis hash, market u32, owner, sub-account u16, side u8, size u64, limit u64, fee cap u32,
flags u8, expiry u64, nonce u64. Program and genesis hash bind an order to one deployment on one cluster.

What a command carries is longer: the order's bytes, then the key (32) and its signature (64). The chain knows an order by the SHA-256
of its bytes.
"""

import struct
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from markets.errors import DomainError
from markets.units import charge

TAG = b"QDORDER1"
LAYOUT = struct.Struct("<8s32s32sI32sHBQQIBQQ")
SIDES: tuple[Literal["buy"], Literal["sell"]] = ("buy", "sell")
REDUCE_ONLY = 1
MAX_SIZE_LOTS = 2**63 - 1
MAX_U64 = 2**64 - 1
KEY_BYTES = 32
SIGNED_BYTES = LAYOUT.size + KEY_BYTES + Signature.LENGTH

FormatError = Literal["Length", "Tag", "Side", "Size", "Limit", "Flags"]
FillError = Literal["OtherDomain", "OtherMarket", "Expired", "NoSize", "Overfilled", "OutsideLimit", "FeeAboveCap", "NotReducing"]


class OrderMalformed(DomainError):
    """The bytes are no order. `rule` names what they break; an order has exactly one encoding."""

    code = "SIGNED_ORDER_MALFORMED"
    status = 400

    def __init__(self, rule: FormatError) -> None:
        super().__init__(f"The signed order is malformed: {rule}.", rule=rule)
        self.rule = rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    program: bytes
    genesis_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signed order as commands carry it, taken apart; whether the signature is good is another question."""

    data: bytes
    key: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One side of a match. `filled_lots` and `position_lots` are the order's and the account's before it."""

    domain: Domain
    market_id: int
    size_lots: int
    price_ticks: int
    fee_atoms: int
    time_ms: int
    filled_lots: int
    position_lots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOrder:
    domain: Domain
    market_id: int
    owner: bytes
    sub_account: int
    side: Literal["buy", "sell"]
    size_lots: int
    limit_ticks: int
    fee_cap_ppm: int
    reduce_only: bool
    expiry_ms: int
    nonce: int


def encode(order: SignedOrder) -> bytes:
    """Return the bytes to sign; OrderMalformed for an order that could not be read again."""
    _check(order)
    return LAYOUT.pack(
        TAG,
        order.domain.program,
        order.domain.genesis_hash,
        order.market_id,
        order.owner,
        order.sub_account,
        SIDES.index(order.side),
        order.size_lots,
        order.limit_ticks,
        order.fee_cap_ppm,
        REDUCE_ONLY if order.reduce_only else 0,
        order.expiry_ms,
        order.nonce,
    )


def decode(data: bytes) -> SignedOrder:
    if len(data) != LAYOUT.size:
        raise OrderMalformed("Length")
    tag, program, genesis_hash, market, owner, sub_account, side, size, limit, cap, flags, expiry, nonce = LAYOUT.unpack(data)
    if tag != TAG:
        raise OrderMalformed("Tag")
    if side >= len(SIDES):
        raise OrderMalformed("Side")
    if flags & ~REDUCE_ONLY:
        raise OrderMalformed("Flags")
    order = SignedOrder(
        domain=Domain(program=program, genesis_hash=genesis_hash),
        market_id=market,
        owner=owner,
        sub_account=sub_account,
        side=SIDES[side],
        size_lots=size,
        limit_ticks=limit,
        fee_cap_ppm=cap,
        reduce_only=flags == REDUCE_ONLY,
        expiry_ms=expiry,
        nonce=nonce,
    )
    _check(order)
    return order


def take_apart(signed: bytes) -> Signed:
    """Return the parts of what a command carries; OrderMalformed where it has another length."""
    if len(signed) != SIGNED_BYTES:
        raise OrderMalformed("Length")
    key_at = LAYOUT.size
    signature_at = key_at + KEY_BYTES
    return Signed(data=signed[:key_at], key=signed[key_at:signature_at], signature=signed[signature_at:])


def put_together(data: bytes, *, key: Keypair) -> bytes:
    """Return the order's bytes, signed, as commands carry them."""
    return data + bytes(key.pubkey()) + sign(data, key)


def order_hash(data: bytes) -> bytes:
    """Return what the chain calls the order by."""
    return sha256(data).digest()


def sign(data: bytes, key: Keypair) -> bytes:
    return bytes(key.sign_message(data))


def verify(data: bytes, *, signature: bytes, public_key: bytes) -> bool:
    """Whether the holder of the key signed exactly these bytes. What has not the length of a key or signature was not signed."""
    if len(signature) != Signature.LENGTH or len(public_key) != Pubkey.LENGTH:
        return False
    return Signature(signature).verify(Pubkey(public_key), data)


def refusal(order: SignedOrder, fill: Fill, *, tick_lot_atoms: int) -> FillError | None:
    """Return why the owner did not sign for this fill, first rule first; None when he did."""
    if order.domain != fill.domain:
        return "OtherDomain"
    if order.market_id != fill.market_id:
        return "OtherMarket"
    if fill.time_ms >= order.expiry_ms:
        return "Expired"
    if fill.size_lots <= 0:
        return "NoSize"
    if fill.filled_lots + fill.size_lots > order.size_lots:
        return "Overfilled"
    if not _inside_limit(order, fill.price_ticks):
        return "OutsideLimit"
    if fill.fee_atoms > charge(fill.size_lots * fill.price_ticks * tick_lot_atoms, order.fee_cap_ppm):
        return "FeeAboveCap"
    if order.reduce_only and not _reduces(order, fill):
        return "NotReducing"
    return None


def _inside_limit(order: SignedOrder, price_ticks: int) -> bool:
    if price_ticks <= 0:
        return False
    return price_ticks <= order.limit_ticks if order.side == "buy" else price_ticks >= order.limit_ticks


def _reduces(order: SignedOrder, fill: Fill) -> bool:
    opposite = fill.position_lots < 0 if order.side == "buy" else fill.position_lots > 0
    return opposite and fill.size_lots <= abs(fill.position_lots)


def _check(order: SignedOrder) -> None:
    if not 0 < order.size_lots <= MAX_SIZE_LOTS:
        raise OrderMalformed("Size")
    if not 0 < order.limit_ticks <= MAX_U64:
        raise OrderMalformed("Limit")
