"""Signed orders that a keeper knows: those that it was given, and those that auctions and bids brought on chain."""

import base64
import binascii
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from chain import base58
from chain.client import ChainClient
from chain.errors import ChainError
from markets.signed_orders import OrderMalformed, Signed, SignedOrder, decode, order_hash, take_apart, verify

ED25519: Final = Pubkey.from_string("Ed25519SigVerify111111111111111111111111111")
HERE: Final = 0xFFFF  # in the Ed25519 program's instruction: the offsets are inside itself
ENTRY: Final = struct.Struct("<7H")
HEADER_BYTES: Final = 2
TIMEOUT_S: Final = 10.0
URLS: Final = ("http://", "https://")


class OrdersUnreadable(ChainError):
    """The file or address gives no signed orders."""

    code = "KEEPER_ORDERS_UNREADABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOrder:
    """`hash`: what the chain calls it by."""

    hash: bytes
    order: SignedOrder
    signed: Signed

    @property
    def owner(self) -> Pubkey:
        return Pubkey(self.order.owner)


def read_orders(source: str) -> list[KnownOrder]:
    """Read a file, or what an address serves: a signed order on each line, in base64, as the API takes them."""
    try:
        text = httpx.get(source, timeout=TIMEOUT_S).raise_for_status().text if source.startswith(URLS) else Path(source).read_text()
    except (OSError, UnicodeDecodeError, httpx.HTTPError) as error:
        raise OrdersUnreadable(f"{source} cannot be read: {error}") from error
    return [_read_line(source, number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def _read_line(source: str, number: int, line: str) -> KnownOrder:
    try:
        found = known(take_apart(base64.b64decode(line.strip(), validate=True)))
    except (binascii.Error, OrderMalformed) as error:
        raise OrdersUnreadable(f"Line {number} of {source} is no signed order.") from error
    if found is None:
        raise OrdersUnreadable(f"The order on line {number} of {source} was not signed by its key.")
    return found


def known(signed: Signed) -> KnownOrder | None:
    """Return the order, None where the signature is not that of its key."""
    if not verify(signed.data, signature=signed.signature, public_key=signed.key):
        return None
    return KnownOrder(hash=order_hash(signed.data), order=decode(signed.data), signed=signed)


def orders_of(client: ChainClient, address: Pubkey) -> Iterator[KnownOrder]:
    """Return the signed orders that transactions about an address carried: an auction's, and all that answered it."""
    before: str | None = None
    while rows := client.history(address, before=before, until=None, min_slot=0):
        for row in rows:
            if not row.failed:
                yield from _carried(client.transaction(row.signature))
        before = rows[-1].signature


def _carried(found: dict[str, Any] | None) -> Iterator[KnownOrder]:
    message = found["transaction"]["message"] if found else {"instructions": []}
    for one in message["instructions"]:
        if message["accountKeys"][one["programIdIndex"]] == str(ED25519):
            for signed in entries(base58.decode(one["data"]) or b""):
                try:
                    order = known(signed)
                except OrderMalformed:
                    continue  # signed, and no order: somebody else's business
                if order is not None:
                    yield order


def entries(data: bytes) -> list[Signed]:
    """Read the messages that an instruction of the Ed25519 program holds itself, with keys and signatures."""
    found: list[Signed] = []
    for place in range(data[0] if data else 0):
        at = HEADER_BYTES + place * ENTRY.size
        if len(data) < at + ENTRY.size:
            return found
        signature_at, _, key_at, _, message_at, size, _ = ENTRY.unpack_from(data, at)
        signed = Signed(
            data=data[message_at : message_at + size], key=data[key_at : key_at + 32], signature=data[signature_at : signature_at + 64]
        )
        found.append(signed)
    return found


def verification(orders: Sequence[KnownOrder]) -> Instruction:
    """Return the instruction that has the cluster verify these signatures, in this order."""
    start = HEADER_BYTES + ENTRY.size * len(orders)
    offsets, blob = b"", b""
    for one in (known_order.signed for known_order in orders):
        at = start + len(blob)
        offsets += ENTRY.pack(at, HERE, at + 64, HERE, at + 96, len(one.data), HERE)
        blob += one.signature + one.key + one.data
    return Instruction(ED25519, bytes([len(orders), 0]) + offsets + blob, [])


def by_hash(orders: Iterable[KnownOrder]) -> dict[bytes, KnownOrder]:
    return {one.hash: one for one in orders}
