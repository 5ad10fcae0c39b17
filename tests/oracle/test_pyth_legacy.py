"""Pyth's first layout, read with pythclient: its integers only, and nothing that would hang it."""

import struct
from typing import Any

import pytest

from oracle.feeds.feed import FeedMalformed, Price
from oracle.feeds.pyth_legacy.account import ADDRESSES, OWNER, price
from oracle.feeds.pyth_legacy.pyth_legacy import pyth_legacy
from oracle.feeds.rpc import ChainAccount
from oracle.sources import RANKS
from tests.support.providers import chain_accounts, provider

NOW = 1_795_435_200


def data(**changes: Any) -> bytes:
    fields: dict[str, Any] = {"magic": 0xA1B2C3D4, "version": 2, "type": 3, "exponent": -8, "status": 1, "timestamp": NOW} | changes
    head = struct.pack("<IIII", fields["magic"], fields["version"], fields["type"], 3312)
    head += struct.pack("<IiIIQQ6q", 1, fields["exponent"], 0, 0, 9, 9, *[0] * 6)
    head += struct.pack("<qB", fields["timestamp"], 1) + bytes(7) + b"\x01" * 32 + b"\x02" * 32 + struct.pack("<QqQq", 0, 0, 0, 0)
    return head + struct.pack("<qQIIQ", 6_395_282_153_102, 2_150_000_000, fields["status"], 0, 9) + bytes(96)


async def test_it_reads_a_price_that_counts_for_nothing() -> None:
    async with provider() as server:
        server.on("/", chain_accounts((OWNER, data()), None, None))
        feed = pyth_legacy(url=server.url)
        assert await feed.poll() == [Price("BTC", "pyth_legacy", 6_395_282_153_102, 2_150_000_000, NOW * 1000)]
        await feed.close()
    assert next(iter(ADDRESSES)) == "BTC"
    assert RANKS["pyth_legacy"].weight == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"magic": 1},
        {"version": 1},
        {"type": 2},
        {"exponent": 2_000_000_000},
        {"exponent": -40},
        {"status": 0},
        {"status": 77},
        {"timestamp": 0},
    ],
)
def test_it_refuses_what_is_not_a_trading_price(changes: dict[str, int]) -> None:
    with pytest.raises(FeedMalformed):
        price(ChainAccount(OWNER, data(**changes)), asset="BTC")


@pytest.mark.parametrize("account", [ChainAccount("x", data()), ChainAccount(OWNER, data()[:200]), ChainAccount(OWNER, b"")])
def test_it_refuses_what_is_no_price_account(account: ChainAccount) -> None:
    with pytest.raises(FeedMalformed):
        price(account, asset="BTC")
