"""Hermes's JSON, and its conversion."""

import msgspec

from oracle.feeds import scale
from oracle.feeds.feed import FeedMalformed, Price

SOURCE = "pyth"
MAX_PUBLISH_SECONDS = 1 << 40


class PriceFields(msgspec.Struct, frozen=True):
    """Price and confidence are integers sent as text, to be scaled by 10^expo; expo may change from one to the next."""

    price: str
    conf: str
    expo: int
    publish_time: int


class Parsed(msgspec.Struct, frozen=True):
    id: str
    price: PriceFields


class Updates(msgspec.Struct, frozen=True):
    parsed: list[Parsed]


class Attributes(msgspec.Struct, frozen=True):
    base: str = ""
    quote_currency: str = ""


class ListedFeed(msgspec.Struct, frozen=True):
    id: str
    attributes: Attributes


_updates = msgspec.json.Decoder(Updates)
_listed = msgspec.json.Decoder(list[ListedFeed])


def updates(data: bytes | str) -> list[Parsed]:
    try:
        return _updates.decode(data).parsed
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FeedMalformed(reason=str(error)) from error


def listed(data: bytes) -> dict[str, Attributes]:
    """Return what Hermes says that each of its feeds is, by id."""
    try:
        return {bare(feed.id): feed.attributes for feed in _listed.decode(data)}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FeedMalformed(reason=str(error)) from error


def price(parsed: Parsed, assets: dict[str, str]) -> Price:
    """Convert one price; `assets` names the asset of each id that was asked for."""
    fields = parsed.price
    asset = assets.get(bare(parsed.id))
    if asset is None or not 0 < fields.publish_time < MAX_PUBLISH_SECONDS:
        raise FeedMalformed(reason="fields", id=parsed.id[:80], publish_time=fields.publish_time)
    return Price(
        asset=asset,
        source=SOURCE,
        price_e8=scale.price_e8(scale.whole(fields.price), fields.expo),
        confidence_e8=scale.confidence_e8(scale.whole(fields.conf), fields.expo),
        published_ms=fields.publish_time * 1000,
    )


def bare(feed_id: str) -> str:
    return feed_id.lower().removeprefix("0x")
