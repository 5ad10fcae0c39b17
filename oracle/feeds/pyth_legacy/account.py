"""The price accounts of Pyth's first layout, which Pythnet still serves. Nothing in them is verified: shown, never counted."""

import struct
from typing import Final

from pythclient.exceptions import NotLoadedException
from pythclient.pythaccounts import PythPriceAccount, PythPriceStatus
from pythclient.solana import SolanaPublicKey

from oracle.feeds import scale
from oracle.feeds.feed import FeedMalformed, Price
from oracle.feeds.rpc import ChainAccount

SOURCE: Final = "pyth_legacy"
OWNER: Final = "FsJ3A3u2vn5cTVofAjvy6y5kwABJAqYWpe4975bi2epH"
HEADER: Final = struct.Struct("<IIII")  # magic, version, type, size
MAGIC, VERSION, PRICE_TYPE = 0xA1B2C3D4, 2, 3
EXPONENT_AT: Final = 20
MIN_BYTES: Final = 240  # up to and with the aggregate price
MAX_PUBLISH_SECONDS: Final = 1 << 40
ADDRESSES: Final = {
    "BTC": "GVXRSBjFk6e6J3NbVPXohDJetcTjaeeuykUpbQF8UoMU",
    "ETH": "JBu1AL4obBcCMqKBBxhpWCNUt136ijcuMZLFvTP7iWdB",
    "SOL": "H6ARHf6YXhGYeQfUzQNGk6rDNnLBQKrenN712K4AQJEG",
}


def price(account: ChainAccount, *, asset: str) -> Price:
    """Read a price with pythclient, by its integers; what pythclient would choke on is looked at before."""
    data = account.data
    if account.owner != OWNER:
        raise FeedMalformed(reason="owner", owner=account.owner[:44])
    if len(data) < MIN_BYTES or HEADER.unpack_from(data)[:3] != (MAGIC, VERSION, PRICE_TYPE):
        raise FeedMalformed(reason="layout", length=len(data))
    (exponent,) = struct.unpack_from("<i", data, EXPONENT_AT)
    scale.price_e8(1, exponent)  # pythclient raises ten to it, however large it is
    read = PythPriceAccount(SolanaPublicKey(ADDRESSES[asset]), None)
    try:
        read.update_from(data, version=VERSION, offset=HEADER.size)
    except (struct.error, ValueError, NotLoadedException) as error:
        raise FeedMalformed(reason="layout") from error
    aggregate = read.aggregate_price_info
    if aggregate.price_status != PythPriceStatus.TRADING or not 0 < read.timestamp < MAX_PUBLISH_SECONDS:
        raise FeedMalformed(reason="not trading")
    return Price(
        asset=asset,
        source=SOURCE,
        price_e8=scale.price_e8(aggregate.raw_price, exponent),
        confidence_e8=scale.confidence_e8(aggregate.raw_confidence_interval, exponent),
        published_ms=int(read.timestamp) * 1000,
    )
