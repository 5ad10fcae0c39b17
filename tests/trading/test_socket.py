"""The socket as its clients see it: a real web process, a real engine."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.support.book import Book
from tests.support.engine import EngineProcesses, engine_process, engine_processes
from tests.support.people import Person, alice, bob, charlie, register
from tests.support.sockets import Json, Peer, browser, close_code, exchange, program
from tests.support.web import WebProcess, WebProcesses, web_process, web_processes

__all__ = ["alice", "bob", "charlie", "engine_process", "engine_processes", "web_process", "web_processes"]

BOOK = {"channel": "book", "market": "BTC-PERP"}


def limit(side: str = "buy", price: str = "58000.0", size: str = "0.0100", **fields: Any) -> Json:
    return {"market": "BTC-PERP", "side": side, "type": "limit", "price": price, "size": size} | fields


def observed(engine: EngineProcesses, price: int) -> None:
    try:
        engine.observe({1: price * 10**8})
    finally:
        engine.gateway.close()


class Watcher:
    """A client that keeps its copy of the book up to date."""

    def __init__(self, peer: Peer, book: Book) -> None:
        self.peer = peer
        self.book = book
        self._applied = 1  # the snapshot

    @classmethod
    async def start(cls, peer: Peer) -> "Watcher":
        await peer.ok("subscribe", **BOOK)
        return cls(peer, Book(await peer.ear.wait_for(lambda message: message["channel"] == "book")))

    async def until_bids_are(self, wanted: dict[int, int]) -> None:
        await self.peer.ear.wait_for(lambda _: self._bids() == wanted)

    def _bids(self) -> dict[int, int]:
        for delta in self.peer.ear.of("book")[self._applied :]:
            self.book.apply(delta)
            self._applied += 1
        return self.book.bids


async def test_it_answers_a_ping(web_process: WebProcess) -> None:
    async with program(web_process) as peer:
        answer = await peer.ask("ping", time_ms=7)
        assert (answer["op"], answer["time_ms"]) == ("pong", 7)
        assert answer["server_ms"] > 1_700_000_000_000


async def test_it_gives_early_and_late_watchers_the_same_book_without_gap_or_repeat(web_process: WebProcess, alice: Person) -> None:
    async with program(web_process, alice) as maker, program(web_process) as first, program(web_process) as second:
        early = await Watcher.start(first)
        assert early.book.bids == {}
        orders = [maker.client.send("place", order=limit(price=f"{58_000 - place}.0")) for place in range(40)]
        late = await Watcher.start(second)
        answers = await asyncio.gather(*orders)
        assert all(answer["ok"] for answer in answers)
        wanted = {580_000 - 10 * place: 100 for place in range(40)}
        await early.until_bids_are(wanted)
        await late.until_bids_are(wanted)
        await maker.ok("cancel_all", market="BTC-PERP")
        await early.until_bids_are({})
        await late.until_bids_are({})


async def test_it_resyncs_on_request_and_stops_on_unsubscribe(web_process: WebProcess, alice: Person) -> None:
    async with program(web_process) as watcher, program(web_process, alice) as maker:
        await Watcher.start(watcher)
        await maker.ok("place", order=limit())
        await watcher.ear.wait_for(lambda message: message["type"] == "delta")
        heard = len(watcher.ear.messages)
        await watcher.ok("resync", **BOOK)
        again = Book(await watcher.ear.wait_for(lambda message: message["type"] == "snapshot", after=heard))
        assert again.bids == {580_000: 100}
        await watcher.ok("unsubscribe", **BOOK)
        heard = len(watcher.ear.messages)
        await maker.ok("place", order=limit(price="57000.0"))
        await watcher.ok("subscribe", channel="ticker", market="BTC-PERP")
        ticker = await watcher.ear.wait_for(lambda message: True, after=heard)
        assert ticker["channel"] == "ticker"
        assert await watcher.code("unsubscribe", **BOOK) == "NOT_SUBSCRIBED"
        assert await watcher.code("resync", **BOOK) == "NOT_SUBSCRIBED"


async def test_it_serves_every_public_channel(web_process: WebProcess, alice: Person, bob: Person) -> None:
    async with program(web_process) as watcher, program(web_process, alice) as maker, program(web_process, bob) as taker:
        await watcher.ok("subscribe", channel="trades", market="BTC-PERP")
        await watcher.ok("subscribe", channel="ticker", market="BTC-PERP")
        await watcher.ok("subscribe", channel="candles", market="BTC-PERP", interval="1m")
        await maker.ok("place", order=limit(price="59990.0"))
        filled = await taker.ok("place", order={"market": "BTC-PERP", "side": "sell", "type": "market", "size": "0.0100"})
        assert filled["order"]["status"] == "filled"
        trade = await watcher.ear.wait_for(lambda m: m["channel"] == "trades" and m["type"] == "update")
        assert [(line["price"], line["size"], line["side"]) for line in trade["trades"]] == [("59990.0", "0.0100", "sell")]
        ticker = await watcher.ear.wait_for(lambda m: m["channel"] == "ticker" and m["ticker"]["last_price"] == "59990.0")
        assert ticker["ticker"]["price_source"] == "simulated"
        candle = await watcher.ear.wait_for(lambda m: m["channel"] == "candles" and (m.get("candle") or {}).get("trades") == 1)
        assert candle["candle"]["close"] == "59990.0"
        await watcher.ok("subscribe", channel="tickers")
        await watcher.ear.wait_for(lambda m: m["channel"] == "tickers" and "BTC-PERP" in {ticker["market"] for ticker in m["tickers"]})
        await watcher.ok("subscribe", channel="candles", market="BTC-PERP", interval="1w", kind="mark")
        week = await watcher.ear.wait_for(lambda m: m.get("kind") == "mark")
        assert week["candle"]["trades"] == 0


async def test_it_shows_what_an_index_is_made_of(web_process: WebProcess, engine_process: EngineProcesses) -> None:
    async with program(web_process) as watcher:
        await watcher.ok("subscribe", channel="oracle", market="BTC-PERP")
        snapshot = await watcher.ear.snapshot("oracle")
        assert (snapshot["index"]["state"], snapshot["index"]["price"]) == ("valid", "60000.00000000")
        await asyncio.to_thread(observed, engine_process, 60_030)
        update = await watcher.ear.wait_for(lambda m: m["channel"] == "oracle" and m["type"] == "update")
        assert update["prev_seq"] == snapshot["seq"]
        assert {(source["source"], source["price"]) for source in update["index"]["sources"]} == {
            ("simulation", "60030.00000000"), ("simulation_2", "60030.00000000"),
        }  # fmt: skip


async def test_it_tells_both_sides_of_a_match_and_nobody_else(web_process: WebProcess, alice: Person, bob: Person, charlie: Person) -> None:
    async with program(web_process, alice) as owner, program(web_process, bob) as other, program(web_process, charlie) as stranger:
        for peer in (owner, other, stranger):
            await peer.ok("subscribe", channel="account")
            await peer.ear.wait_for(lambda message: message["type"] == "snapshot")
        await owner.ok("place", order=limit(price="59990.0"))
        await other.ok("place", order=limit(side="sell", price="59990.0", time_in_force="ioc"))
        for peer, size in ((owner, "0.0100"), (other, "-0.0100")):
            update = await peer.ear.wait_for(lambda message: bool(message.get("fills")))
            assert update["positions"][0]["size"] == size
            assert update["fills"][0]["price"] == "59990.0"
        await stranger.ok("place", order=limit(price="50500.0", market="BTC-PERP") | {"price": "55000.0"})
        mine = await stranger.ear.wait_for(lambda message: bool(message.get("orders")) and message["type"] == "update")
        assert {order["account_id"] for order in mine["orders"]} == {charlie.account_id}
        assert all(message["account_id"] == charlie.account_id for message in stranger.ear.messages)
        assert await stranger.code("subscribe", channel="account", account_id=alice.account_id) == "ACCOUNT_NOT_FOUND"
    async with program(web_process) as anonymous:
        assert await anonymous.code("subscribe", channel="account") == "NOT_AUTHENTICATED"
        assert await anonymous.code("place", order=limit()) == "NOT_AUTHENTICATED"


async def test_it_takes_orders_amends_cancels_and_batches(web_process: WebProcess, alice: Person) -> None:
    async with program(web_process, alice) as peer:
        placed = (await peer.ok("place", order=limit(client_order_id="first")))["order"]
        assert (placed["status"], placed["price"], placed["size"]) == ("open", "58000.0", "0.0100")
        again = (await peer.ok("place", order=limit(client_order_id="first")))["order"]
        assert again == placed
        amended = (await peer.ok("amend", order={"market": "BTC-PERP", "order_id": placed["order_id"], "price": "57500.0"}))["order"]
        assert (amended["order_id"], amended["price"]) == (placed["order_id"], "57500.0")
        items = [
            {"op": "place", **limit(price="57000.0", client_order_id="second")},
            {"op": "amend", "market": "BTC-PERP", "client_order_id": "first", "size": "0.005"},
            {"op": "cancel", "client_order_id": "unknown"},
        ]
        second, first, refused = (await peer.ok("batch", items=items))["results"]
        assert (second["ok"], second["order"]["client_order_id"]) == (True, "second")
        assert (first["ok"], first["order"]["size"]) == (True, "0.0050")
        assert (refused["ok"], refused["error"]["code"]) == (False, "ORDER_NOT_FOUND")
        cancelled = (await peer.ok("cancel", order={"client_order_id": "first"}))["order"]
        assert (cancelled["status"], cancelled["reason"]) == ("cancelled", "user")
        rest = (await peer.ok("cancel_all"))["orders"]
        assert [order["client_order_id"] for order in rest] == ["second"]


async def test_it_carries_out_pipelined_requests_in_order(web_process: WebProcess, alice: Person) -> None:
    async with program(web_process, alice) as peer:
        sent = []
        for number in range(100):
            sent.append(peer.client.send("place", order=limit(client_order_id=f"o{number}", size="0.001")))
            sent.append(peer.client.send("cancel", order={"client_order_id": f"o{number}"}))
        answers = await asyncio.gather(*sent)
        assert not [answer["error"] for answer in answers if not answer["ok"]]
        assert [answer["order"]["status"] for answer in answers] == ["open", "cancelled"] * 100
        order_ids = [int(answer["order"]["order_id"]) for answer in answers[::2]]
        assert order_ids == sorted(order_ids)


BAD_FRAMES = [
    ("{", None, "INVALID_JSON", None),
    ("[]", None, "WRONG_TYPE", ""),
    ("null", None, "WRONG_TYPE", ""),
    ("[" * 30_000, None, "WRONG_TYPE", ""),
    ('{"op":"fly","id":1}', "fly", "INVALID_CHOICE", "op"),
    ('{"id":1}', None, "FIELD_REQUIRED", "op"),
    ('{"op":"ping","id":1.5}', "ping", "WRONG_TYPE", "id"),
    ('{"op":"ping","id":1,"more":2}', "ping", "UNKNOWN_FIELD", "more"),
    ('{"op":"subscribe","id":1,"channel":"news"}', "subscribe", "INVALID_CHOICE", "channel"),
    ('{"op":"subscribe","id":1,"channel":"book","market":"XXX"}', "subscribe", "MARKET_NOT_FOUND", None),
    ('{"op":"subscribe","id":1,"channel":"candles","market":"BTC-PERP","interval":"2m"}', "subscribe", "INTERVAL_NOT_FOUND", "interval"),
    ('{"op":"cancel_on_disconnect","id":1,"enabled":true}', "cancel_on_disconnect", "NOT_AUTHENTICATED", None),
    ('{"op":"cancel_all","id":1}', "cancel_all", "NOT_AUTHENTICATED", None),
]
BAD_ORDERS = [
    (limit(price="1e5"), "NUMBER_HAS_EXPONENT", "price"),
    (limit(price="NaN"), "NUMBER_NOT_FINITE", "price"),
    (limit(price="-1"), "NUMBER_SIGNED", "price"),
    (limit(price="58000.05"), "TOO_MANY_DECIMALS", "price"),
    (limit(size="0"), "NUMBER_ZERO", "size"),
    (limit(size="0.00001"), "TOO_MANY_DECIMALS", "size"),
    (limit() | {"size": 1}, "WRONG_TYPE", "order.size"),
    (limit(side="hold"), "INVALID_CHOICE", "order.side"),
    (limit(market="XXX"), "MARKET_NOT_FOUND", None),
    (limit(price="90000.0"), "PRICE_OUT_OF_BAND", "price"),
]


async def test_it_refuses_bad_input_by_name_and_stays_open(web_process: WebProcess, alice: Person) -> None:
    async with browser(web_process) as page:
        for frame, op, code, field in BAD_FRAMES:
            await page.send(frame)
            answer = json.loads(await asyncio.wait_for(page.recv(), 15))
            assert (answer["op"], answer["ok"], answer["error"]["code"]) == (op, False, code), frame[:80]
            assert answer["error"]["data"].get("field") == field, frame[:80]
    async with program(web_process, alice) as peer:
        for order, code, field in BAD_ORDERS:
            answer = await peer.ask("place", order=order)
            assert (answer["ok"], answer["error"]["code"]) == (False, code), order
            assert answer["error"]["data"].get("field") == field, order
        assert await peer.code("auth", key=alice.key_id, timestamp=1, sign="00") == "TIMESTAMP_OUTSIDE_WINDOW"
        nobody = await peer.client.login(key_id="nobody", secret=alice.secret)
        assert nobody["error"]["code"] == "AUTHENTICATION_FAILED"
        await peer.ok("place", order=limit())


async def test_it_closes_on_a_frame_that_is_too_long(web_process: WebProcess) -> None:
    async with browser(web_process) as page:
        await page.send("x" * 70_000)
        assert await close_code(page) == 1009


async def test_it_limits_subscriptions_and_messages_but_not_cancels(web_process: WebProcess, alice: Person) -> None:
    async with program(web_process, alice) as peer:
        wanted = [
            {"channel": "candles", "market": f"{asset}-PERP", "interval": interval}
            for asset in ("BTC", "ETH", "SOL", "AVAX", "LINK", "DOGE", "XRP", "SUI", "BTC")
            for interval in ("1m", "5m", "15m", "1h", "4h", "1d")
        ]
        wanted += [{"channel": "book", "market": f"{asset}-PERP"} for asset in ("BTC", "ETH", "SOL")]
        answers = await asyncio.gather(*(peer.client.send("subscribe", **fields) for fields in wanted))
        codes = [answer["error"]["code"] for answer in answers if not answer["ok"]]
        assert codes == ["TOO_MANY_SUBSCRIPTIONS"]
        flood = await asyncio.gather(*(peer.client.send("ping") for _ in range(120)))
        assert "RATE_LIMITED" in {answer["error"]["code"] for answer in flood if not answer.get("ok", True)}
        assert await peer.code("cancel", order={"order_id": "1"}) == "ORDER_NOT_FOUND"


async def test_it_closes_on_a_flood(web_process: WebProcess) -> None:
    async with browser(web_process) as page:
        for _ in range(400):
            await page.send('{"op":"ping"}')
        assert await close_code(page) == 4029


async def test_it_believes_a_login_from_our_pages_only(web_process: WebProcess, alice: Person) -> None:
    async with browser(web_process, alice) as page:
        answer = await exchange(page, {"op": "place", "id": 1, "order": limit()})
        assert answer["order"]["account_id"] == alice.account_id
    async with browser(web_process) as page:
        answer = await exchange(page, {"op": "place", "id": 1, "order": limit()})
        assert answer["error"]["code"] == "NOT_AUTHENTICATED"
    with pytest.raises(InvalidStatus) as refusal:
        async with browser(web_process, alice, origin="https://evil.example"):
            raise AssertionError("an evil origin got in")
    assert refusal.value.response.status_code == 403
    async with connect(web_process.socket_url, additional_headers={"Cookie": alice.cookie}) as without_origin:
        answer = await exchange(without_origin, {"op": "place", "id": 1, "order": limit()})
        assert answer["error"]["code"] == "NOT_AUTHENTICATED"
    with pytest.raises(InvalidStatus) as nowhere:
        async with connect(f"ws://{web_process.host}/ws/v2/"):
            raise AssertionError("there is no such socket")
    assert nowhere.value.response.status_code == 403


async def test_it_refuses_one_socket_too_many_of_an_address_and_of_an_account(web_processes: WebProcesses, alice: Person) -> None:
    web = web_processes.start(SOCKETS_PER_ADDRESS="3", SOCKETS_PER_USER="1")
    async with program(web, alice), program(web) as second, program(web):
        with pytest.raises(InvalidStatus) as refusal:
            async with program(web):
                raise AssertionError("a fourth socket got in")
        assert refusal.value.response.status_code == 429
        assert json.loads(refusal.value.response.body)["error"]["code"] == "TOO_MANY_SOCKETS"
        answer = await second.client.login(key_id=alice.key_id, secret=alice.secret)
        assert answer["error"]["code"] == "TOO_MANY_SOCKETS"
    async with program(web, alice) as again:
        await again.ok("place", order=limit())


@pytest.fixture
def reader(engine_process: EngineProcesses) -> Person:
    return register("dora", can_trade=False)


async def test_it_lets_a_reading_key_read_only(web_process: WebProcess, reader: Person) -> None:
    async with program(web_process, reader) as peer:
        await peer.ok("subscribe", channel="account")
        await peer.ear.wait_for(lambda message: message["type"] == "snapshot")
        assert await peer.code("place", order=limit()) == "SCOPE_REQUIRED"
        assert await peer.code("cancel_all") == "SCOPE_REQUIRED"
