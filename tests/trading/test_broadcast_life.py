"""Random lives of the real engine: who has a snapshot and every message after it knows what a fresh snapshot says."""

from typing import Any

import msgspec
import pytest

from markets.events import OrderFilled
from markets.gateway import Message
from markets.models import Candle
from markets.queries import GetAccount, GetMarkets
from markets.views import AccountView
from tests.engine.desk import ALICE, BOB, MARKET, OTHER, USDC, Desk
from tests.trading.lives import project, random_life
from tests.trading.test_broadcast_book import Follower
from trading import journal, representations
from trading.broadcast.broadcaster import Broadcaster
from trading.broadcast.history import restored
from trading.engine.engine import Engine
from trading.engine.snapshot import decode, encode
from trading.representations import size_text

LIVES = [(21, 600 * USDC), (22, 5_000 * USDC), (23, 2_000 * USDC)]


def body(message: Message | None) -> dict[str, Any]:
    assert message is not None
    found: dict[str, Any] = msgspec.json.decode(message.payload)
    assert found["seq"] == message.seq
    return found


class Exchange:
    """An engine fed with a life's journal, and its broadcaster as the runner keeps it."""

    def __init__(self, rows: list[journal.SealedRow]) -> None:
        self.rows = rows
        self.engine = Engine()
        self.seq = 0
        intervals_ms = Candle.INTERVALS_MS
        self.broadcaster = Broadcaster(markets=[], levels={}, histories={}, intervals_ms=intervals_ms, seq=0, stamp_ms=0, statuses={})

    def commit(self, *, extra_ms: int = 0) -> list[Message]:
        """Execute the next row and return what it makes the broadcaster send by its stamp."""
        row = self.rows[self.seq]
        content = journal.unseal(row.payload)
        self.engine.begin(row.stamp_ms)
        self.engine.remember({(one.account_id, one.client_order_id): (one.order_id, one.content_hash) for one in content.found_ids})
        for command in content.commands:
            self.engine.apply(command)
        outcome = self.engine.finish()
        self.seq = row.seq
        self.broadcaster.committed(seq=row.seq, stamp_ms=row.stamp_ms, outcome=outcome, account=self.account)
        return self.broadcaster.due(row.stamp_ms + extra_ms)

    def account(self, account_id: int) -> AccountView:
        view: AccountView | None = self.engine.answer(GetAccount(account_id=account_id))
        assert view is not None
        return view

    def watch(self, account_id: int) -> dict[str, Any]:
        return body(self.broadcaster.snapshot(f"account:{account_id}", self.account(account_id)))


@pytest.fixture(params=LIVES, ids=[f"seed {seed}" for seed, _ in LIVES])
def rows(request: pytest.FixtureRequest) -> list[journal.SealedRow]:
    seed, cash = request.param
    return random_life(seed=seed, cash=cash).sealed


@pytest.fixture
def exchange(rows: list[journal.SealedRow]) -> Exchange:
    """An exchange after the first rows: markets, accounts, prices."""
    exchange = Exchange(rows)
    while exchange.seq < 20:
        exchange.commit()
    return exchange


class AccountFollower:
    """What a page does with the account's channel."""

    def __init__(self, snapshot: dict[str, Any]) -> None:
        self.seq = snapshot["seq"]
        self.margin = {name: snapshot[name] for name in MARGIN}
        self.orders = {order["order_id"]: order for order in snapshot["orders"]}
        self.positions = {position["market"]: position for position in snapshot["positions"]}
        self.fills: list[dict[str, Any]] = []

    def follow(self, update: dict[str, Any]) -> None:
        assert update["prev_seq"] == self.seq < update["seq"]
        self.seq = update["seq"]
        self.margin = update["margin"]
        self.fills += update["fills"]
        for order in update["orders"]:
            self.orders[order["order_id"]] = order
            if order["status"] not in ("open", "untriggered"):
                del self.orders[order["order_id"]]
        for position in update["positions"]:
            self.positions[position["market"]] = position
            if position["size"] == "0":
                del self.positions[position["market"]]


MARGIN = tuple(representations.margin(Desk().account(ALICE)))
LASTING = ("size", "entry_price", "realised_pnl", "funding", "side")


def test_it_keeps_every_account_as_a_fresh_snapshot_would_show_it(exchange: Exchange) -> None:
    followers = {account_id: AccountFollower(exchange.watch(account_id)) for account_id in (ALICE, BOB)}
    expected_fills = {ALICE: 0, BOB: 0}
    while exchange.seq < len(exchange.rows):
        for message in exchange.commit():
            channel, _, name = message.topic.partition(":")
            if channel == "account":
                followers[int(name)].follow(body(message))
        for event in journal.unseal(exchange.rows[exchange.seq - 1].payload).events:
            if isinstance(event, OrderFilled):
                for account_id in (event.taker_account_id, event.maker_account_id):
                    expected_fills[account_id] = expected_fills.get(account_id, 0) + 1
        for account_id, follower in followers.items():
            view = exchange.account(account_id)
            assert follower.seq == view.seq
            assert follower.margin["balances"] == representations.margin(view)["balances"]
            markets = {view.parameters.market_id: view.parameters for view in exchange.engine.answer(GetMarkets())}
            fresh = representations.account(view, markets)
            assert follower.orders == {order["order_id"]: order for order in fresh["orders"]}
            assert {name: [held[field] for field in LASTING] for name, held in follower.positions.items()} == {
                held["market"]: [held[field] for field in LASTING] for held in fresh["positions"]
            }
    assert {account_id: len(follower.fills) for account_id, follower in followers.items()} == {
        account_id: expected_fills[account_id] for account_id in followers
    }


def test_it_numbers_every_topic_without_gaps(exchange: Exchange) -> None:
    books = {f"book:{market_id}": Follower(snapshot_of(exchange, f"book:{market_id}")) for market_id in (MARKET, OTHER)}
    last = {topic: snapshot_of(exchange, topic).seq for topic in public_topics() if topic not in books}
    while exchange.seq < len(exchange.rows):
        for message in exchange.commit(extra_ms=exchange.seq % 2 * 1_000):
            if message.topic in books:
                books[message.topic].follow(message)
            elif message.topic in last:
                update = body(message)
                assert update["prev_seq"] == last[message.topic] < update["seq"] <= exchange.seq
                last[message.topic] = update["seq"]
    for message in exchange.broadcaster.due(exchange.rows[-1].stamp_ms + 10_000):
        if message.topic in books:
            books[message.topic].follow(message)
    for topic, follower in books.items():
        book = exchange.engine.state.markets[int(topic.removeprefix("book:"))].book
        bids = [(key, level.size_lots) for key, level in sorted(book.bids.levels.items(), reverse=True)]
        asks = [(-key, level.size_lots) for key, level in sorted(book.asks.levels.items(), reverse=True)]
        assert follower.top() == (bids[:50], asks[:50])


def snapshot_of(exchange: Exchange, topic: str) -> Message:
    message = exchange.broadcaster.snapshot(topic)
    assert message is not None
    return message


def test_it_tells_the_ticker_as_the_engine_has_it(exchange: Exchange) -> None:
    while exchange.seq < len(exchange.rows):
        exchange.commit()
    exchange.broadcaster.due(exchange.rows[-1].stamp_ms + 10_000)
    for view in exchange.engine.answer(GetMarkets()):
        ticker = body(exchange.broadcaster.snapshot(f"ticker:{view.parameters.market_id}"))["ticker"]
        market = view.parameters
        assert ticker["mark_price"] == representations.price_text(view.mark_ticks, market)
        assert ticker["best_bid"] == representations.price_text(view.best_bid_ticks, market)
        assert ticker["best_ask"] == representations.price_text(view.best_ask_ticks, market)
        assert ticker["open_interest"] == size_text(view.open_interest_lots, market)
        assert (ticker["status"], ticker["oracle_state"]) == (view.status, view.oracle_state)
        assert ticker["next_funding_ms"] == view.next_funding_ms
        assert ticker["price_source"] == "live"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("projected", [0.0, 0.5, 1.0], ids=["nothing projected", "half projected", "all projected"])
def test_it_is_restored_as_it_was(rows: list[journal.SealedRow], projected: float) -> None:
    exchange = Exchange(rows)
    for _ in rows:
        exchange.commit()
    exchange.broadcaster.due(rows[-1].stamp_ms + 10_000)
    desk = random_life_of(rows)
    desk.store()
    project(desk.rows()[: int(len(rows) * projected)])
    state = decode(encode(exchange.engine.state))
    again = restored(state=state, markets=Engine(state).answer(GetMarkets()), seq=len(rows))
    for topic in public_topics():
        before, after = body(exchange.broadcaster.snapshot(topic)), body(again.snapshot(topic))
        moved = ("seq", "time_ms")  # a restored channel starts at the last commit
        assert {name: after[name] for name in after if name not in moved} == {name: before[name] for name in before if name not in moved}


def public_topics() -> list[str]:
    candles = (f"candles:{{}}:{interval}{kind}" for interval in Candle.INTERVALS_MS for kind in ("", ":mark"))
    channels = ["book:{}", "trades:{}", "ticker:{}", *candles]
    return [channel.format(market_id) for market_id in (MARKET, OTHER) for channel in channels]


def random_life_of(rows: list[journal.SealedRow]) -> Any:
    return next(desk for desk in (random_life(seed=seed, cash=cash) for seed, cash in LIVES) if desk.sealed is rows)
