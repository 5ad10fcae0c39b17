"""A follower of the book channel that knows only snapshots and deltas always holds the book."""

from typing import Any
from zlib import crc32

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from markets.gateway import Message
from tests.trading.factories import BTC
from trading.broadcast.book import DEPTH, BookFeed

levels = st.dictionaries(
    st.tuples(st.sampled_from(["buy", "sell"]), st.integers(1, 120)), st.integers(0, 5), min_size=1, max_size=40
)  # fmt: skip


class Follower:
    """What a careful client does with the messages."""

    def __init__(self, snapshot: Message) -> None:
        body = msgspec.json.decode(snapshot.payload)
        self.seq = body["seq"]
        self.sides = {"bids": dict(body["bids"]), "asks": dict(body["asks"])}
        self.check(body)

    def follow(self, message: Message) -> None:
        body = msgspec.json.decode(message.payload)
        assert body["type"] == "delta"
        assert body["prev_seq"] == self.seq < body["seq"] == message.seq
        self.seq = body["seq"]
        for side, sizes in self.sides.items():
            sizes.update(body[side])
            self.sides[side] = {price: size for price, size in sizes.items() if size}
        self.check(body)

    def top(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        return sorted(self.sides["bids"].items(), reverse=True), sorted(self.sides["asks"].items())

    def check(self, body: dict[str, Any]) -> None:
        bids, asks = self.top()
        text = ":".join(f"{price}:{size}" for price, size in asks[:10] + bids[:10])
        assert crc32(text.encode()) == body["checksum"]


@given(batches=st.lists(st.tuples(levels, st.booleans(), st.booleans()), max_size=25))
def test_it_gives_every_follower_the_same_top_levels(batches: list[tuple[dict[tuple[Any, int], int], bool, bool]]) -> None:
    feed = BookFeed(market_id=1, symbol=BTC.symbol, changes={}, seq=7)
    followers = [Follower(feed.snapshot())]
    for seq, (changes, sends, joins) in enumerate(batches, start=8):
        feed.commit(changes=changes, stamp_ms=seq)
        if sends and (message := feed.delta(seq)):
            for follower in followers:
                follower.follow(message)
        if joins:
            followers.append(Follower(feed.snapshot()))
    if message := feed.delta(99):
        for follower in followers:
            follower.follow(message)
    view = feed.view(depth=DEPTH, seq=99)
    assert all(follower.top() == (list(view.bids), list(view.asks)) for follower in followers)
    assert Follower(feed.snapshot()).top() == followers[0].top()


def test_it_announces_a_level_that_a_deeper_one_replaces() -> None:
    feed = BookFeed(market_id=1, symbol=BTC.symbol, changes={("buy", price): 1 for price in range(1, DEPTH + 2)}, seq=1)
    follower = Follower(feed.snapshot())
    assert 1 not in follower.sides["bids"]
    feed.commit(changes={("buy", DEPTH): 0}, stamp_ms=5)
    message = feed.delta(2)
    assert message is not None
    follower.follow(message)
    assert follower.sides["bids"][1] == 1
    assert len(follower.sides["bids"]) == DEPTH


def test_it_is_silent_when_the_top_did_not_change() -> None:
    feed = BookFeed(market_id=1, symbol=BTC.symbol, changes={("buy", price): 1 for price in range(10, 10 + DEPTH)}, seq=1)
    feed.commit(changes={("buy", 1): 5}, stamp_ms=5)
    assert feed.delta(2) is None
