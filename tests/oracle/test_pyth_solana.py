"""Pyth's accounts on Solana: what is read from them, and what is not believed."""

import struct
from typing import Any

import pytest
from solders.pubkey import Pubkey

from oracle.feeds.feed import FeedError, FeedLimited, FeedMalformed, FeedRefused, FeedUnreachable, Price
from oracle.feeds.hermes.ids import FEED_IDS
from oracle.feeds.pyth_solana.account import DISCRIMINATOR, PROGRAMS, PUSH, address
from oracle.feeds.pyth_solana.pyth_solana import pyth_solana
from tests.support.providers import Answer, chain_accounts, provider

NOW = 1_795_435_200
OWNER = PROGRAMS[PUSH]
BTC = {"BTC": FEED_IDS["BTC"]}
# Where Pyth says that its sponsored feeds are, shard 0.
PUBLISHED = {
    "BTC": "4cSM2e6rvbGQUFiJbqytoVMi5GgghSMr8LwVrT9VPSPo",
    "ETH": "42amVS4KgzR9rA28tkVYqVXjq9Qa8dcZQMbH5EYFX6XC",
    "SOL": "7UVimffxr9ow1uXYxsr4LHAcV58mLzhmwaeKvJ1pjLiE",
}


def data(**changes: Any) -> bytes:
    """Return an account's bytes as the program lays them out, with the changes that a test makes."""
    fields: dict[str, Any] = {
        "discriminator": DISCRIMINATOR,
        "authority": bytes(Pubkey.from_string(address(FEED_IDS["BTC"]))),
        "level": b"\x01",
        "feed_id": bytes.fromhex(FEED_IDS["BTC"]),
        "price": 6_395_282_153_102,
        "confidence": 2_150_000_000,
        "exponent": -8,
        "publish_time": NOW,
    } | changes
    head = fields["discriminator"] + fields["authority"] + fields["level"] + fields["feed_id"]
    price = struct.pack("<qQiq", fields["price"], fields["confidence"], fields["exponent"], fields["publish_time"])
    return bytes(head + price + struct.pack("<qqQQ", NOW - 1, 1, 1, 1) + b"\x00")


async def asked(answer: Answer) -> list[Price]:
    async with provider() as server:
        server.on("/", answer)
        feed = pyth_solana(url=server.url, feed_ids=BTC)
        try:
            return await feed.poll()
        finally:
            await feed.close()


@pytest.mark.parametrize("asset", sorted(PUBLISHED))
def test_it_derives_the_addresses_that_pyth_publishes(asset: str) -> None:
    assert address(FEED_IDS[asset]) == PUBLISHED[asset]
    assert address(FEED_IDS[asset], shard=1) != PUBLISHED[asset]


async def test_it_reads_a_fully_verified_price() -> None:
    assert len(data()) == 134
    found = await asked(chain_accounts((OWNER, data())))
    assert found == [Price("BTC", "pyth_solana", 6_395_282_153_102, 2_150_000_000, NOW * 1000)]


async def test_it_asks_for_all_accounts_at_once() -> None:
    async with provider() as server:
        server.on("/", chain_accounts((OWNER, data()), None))
        feed = pyth_solana(url=server.url, feed_ids=BTC | {"ETH": FEED_IDS["ETH"]})
        assert [price.asset for price in await feed.poll()] == ["BTC"]
        await feed.close()
        (request,) = server.requests
        assert PUBLISHED["BTC"].encode() in request.body and PUBLISHED["ETH"].encode() in request.body
        (health,) = feed.health()
        assert [(refused["asset"], refused["reason"]) for refused in health["refused"]] == [("ETH", "no account")]


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        (("11111111111111111111111111111111", data()), "owner"),
        ((OWNER, data(discriminator=b"\x00" * 8)), "layout"),
        ((OWNER, data()[:100]), "layout"),
        ((OWNER, b""), "layout"),
        ((OWNER, data(level=b"\x00\x05")), "not fully verified"),
        ((OWNER, data(authority=b"\x07" * 32)), "write authority"),
        ((OWNER, data(feed_id=bytes.fromhex(FEED_IDS["ETH"]))), "fields"),
        ((OWNER, data(publish_time=0)), "fields"),
        ((OWNER, data(publish_time=1 << 60)), "fields"),
        ((OWNER, data(exponent=-40)), "exponent"),
        ((OWNER, data(exponent=2_000_000_000)), "exponent"),
    ],
)
async def test_it_believes_nothing_else(account: tuple[str, bytes], reason: str) -> None:
    async with provider() as server:
        server.on("/", chain_accounts(account))
        feed = pyth_solana(url=server.url, feed_ids=BTC)
        assert await feed.poll() == []
        await feed.close()
        (health,) = feed.health()
        assert [(refused["asset"], refused["reason"]) for refused in health["refused"]] == [("BTC", reason)]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(401), FeedRefused),
        (Answer(429), FeedLimited),
        (Answer(500), FeedUnreachable),
        (Answer(body=b'{"error":{"code":-32429,"message":"slow down"}}'), FeedLimited),
        (Answer(body=b'{"error":{"code":-32005,"message":"node is behind"}}'), FeedUnreachable),
        (Answer(body=b"{}"), FeedUnreachable),
        (Answer(body=b"["), FeedMalformed),
        (Answer(body=b'{"result":{"value":[]}}'), FeedMalformed),
        (Answer(body=b'{"result":{"value":[{"owner":"x","data":["!","base64"]}]}}'), FeedMalformed),
        (Answer(body=b'{"result":{"value":[{"owner":1,"data":[]}]}}'), FeedMalformed),
    ],
)
async def test_it_names_what_went_wrong(answer: Answer, error: type[FeedError]) -> None:
    with pytest.raises(error):
        await asked(answer)
