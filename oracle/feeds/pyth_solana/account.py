"""PriceUpdateV2: the account in which Pyth's receiver program keeps one verified price."""

import struct
from typing import Final

from solders.pubkey import Pubkey

from oracle.feeds import scale
from oracle.feeds.feed import FeedMalformed, Price
from oracle.feeds.rpc import ChainAccount

SOURCE: Final = "pyth_solana"
# The receiver owns the accounts, the push program derives their addresses; both sets of programs are Pyth's own.
PROGRAMS: Final = {
    "pythWSnswVUd12oZpeFP8e9CVaEqJg25g1Vtc2biRsT": "rec5EKMGg6MxZYaMdyBfgwp4d5rB9T1VQH5pJv5LtFJ",
    "pyt2F414BA6dPttK6RddPZUdHfapoBN24GL5wbrPCou": "rec2HHDDnjLfj4kE7VyEtFA1HPGQLK33259532cRyHp",
}
PUSH: Final = "pythWSnswVUd12oZpeFP8e9CVaEqJg25g1Vtc2biRsT"
DISCRIMINATOR: Final = bytes.fromhex("22f123639d7ef4cd")
FULL: Final = 1  # how much of Wormhole's signatures were checked; a partial check takes one byte more and shifts the rest
LEVEL_AT: Final = 40
# From the level on: level, feed id, price, confidence, exponent, publish time, previous one, average price and confidence, slot.
FIELDS: Final = struct.Struct("<B32sqQiqqqQQ")
MAX_PUBLISH_SECONDS: Final = 1 << 40


def address(feed_id: str, *, shard: int = 0, push: str = PUSH) -> str:
    """Return where a feed's price is pushed to."""
    seeds = [shard.to_bytes(2, "little"), bytes.fromhex(feed_id)]
    found, _ = Pubkey.find_program_address(seeds, Pubkey.from_string(push))
    return str(found)


def price(account: ChainAccount, *, asset: str, feed_id: str, at: str, push: str = PUSH) -> Price:
    """Read a price; FeedMalformed unless the account is the receiver's, the feed's own, fully verified, and of sound numbers."""
    data = account.data
    if account.owner != PROGRAMS[push]:
        raise FeedMalformed(reason="owner", owner=account.owner[:44])
    if len(data) < LEVEL_AT + FIELDS.size or data[:8] != DISCRIMINATOR:
        raise FeedMalformed(reason="layout", length=len(data))
    if data[LEVEL_AT] != FULL:
        raise FeedMalformed(reason="not fully verified")
    if data[8:LEVEL_AT] != bytes(Pubkey.from_string(at)):
        raise FeedMalformed(reason="write authority")
    _, found_id, mantissa, confidence, exponent, publish_time, *_ = FIELDS.unpack_from(data, LEVEL_AT)
    if found_id.hex() != feed_id or not 0 < publish_time < MAX_PUBLISH_SECONDS:
        raise FeedMalformed(reason="fields", publish_time=publish_time)
    return Price(
        asset=asset,
        source=SOURCE,
        price_e8=scale.price_e8(mantissa, exponent),
        confidence_e8=scale.confidence_e8(confidence, exponent),
        published_ms=publish_time * 1000,
    )
