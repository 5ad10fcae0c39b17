"""The runner's promises about batches, replies and links, with a real engine process on a real database."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec
import psycopg
import pytest

from markets import ledger, wire
from markets.commands import CancelAll, ClockTick, OpenAccount, PlaceBatch, RulesUpgrade
from markets.errors import EngineBusy, OutcomeUnknown
from markets.gateway import AsyncGateway, Gateway, Message
from markets.queries import GetAccount, GetBook, GetCommittedSeq, GetMarkets, GetOrder, GetState
from tests.support.engine import ENGINE, EngineProcesses, database_url
from tests.trading.exchange import ALICE, BOB, BTC, CHARLIE, PRICE_TICKS, limit, open_account
from trading import journal
from trading.engine.engine import RULES_VERSION
from trading.models import Journal, UsedClientOrderId
from trading.runner.exits import Exit

WAITING_INSERTS = """
select count(*) from pg_stat_activity
where datname = current_database() and wait_event_type = 'Lock' and query like '%%insert into trading_journal%%'
"""


@contextmanager
def commits_held() -> Iterator[psycopg.Connection[Any]]:
    """Lock the epoch's row, so that the journal's next row cannot be committed before the end of the block."""
    with psycopg.connect(database_url()) as holder, psycopg.connect(database_url(), autocommit=True) as observer:
        holder.execute("select 1 from trading_engineepoch for update")
        yield observer


async def until_a_commit_waits(observer: psycopg.Connection[Any]) -> None:
    async with asyncio.timeout(60):
        while observer.execute(WAITING_INSERTS).fetchone() == (0,):  # noqa: ASYNC110 - another process's lock has no event
            await asyncio.sleep(0.01)


@pytest.fixture
async def link(engine_process: EngineProcesses) -> AsyncIterator[AsyncGateway]:
    gateway = AsyncGateway(url=engine_process.url)
    yield gateway
    await gateway.close()


def raw_link(engine_process: EngineProcesses) -> Any:
    """Open a socket to the engine, for what a gateway would never do."""
    from markets.gateway.address import Address

    return Address.parse(engine_process.url).connect(timeout_seconds=60)


class Watcher:
    """Collects the feed of a gateway, and waits for a message that a test describes."""

    def __init__(self, gateway: AsyncGateway) -> None:
        self.messages: list[Message] = []
        self._arrived = asyncio.Event()
        gateway.listen(self._take)

    def _take(self, message: Message) -> None:
        self.messages.append(message)
        self._arrived.set()

    async def until_seq(self, topic: str, seq: int) -> Message:
        async with asyncio.timeout(60):
            while True:
                for message in self.messages:
                    if message.topic == topic and message.seq >= seq:
                        return message
                self._arrived.clear()
                await self._arrived.wait()


async def test_it_lets_nothing_out_before_its_commit(engine_process: EngineProcesses, link: AsyncGateway) -> None:
    open_account(engine_process.gateway)
    watcher = Watcher(link)
    start = await link.snapshot("journal")
    await link.snapshot(f"book:{BTC}")
    order = limit()
    with commits_held() as observer:
        requests: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(link.submit(order)),
            asyncio.ensure_future(link.submit(order)),  # its duplicate's answer
            asyncio.ensure_future(link.submit(limit(CHARLIE))),  # a refusal: Charlie has no account
            asyncio.ensure_future(link.query(GetAccount(account_id=ALICE))),
            asyncio.ensure_future(link.query(GetOrder(account_id=ALICE, client_order_id=order.client_order_id))),
            asyncio.ensure_future(link.query(GetBook(market_id=BTC))),
            asyncio.ensure_future(link.query(GetMarkets())),
            asyncio.ensure_future(link.query(GetState())),
            asyncio.ensure_future(link.snapshot(f"account:{ALICE}")),
        ]
        await until_a_commit_waits(observer)
        later = AsyncGateway(url=engine_process.url)  # a query on its own, while the commit is in flight
        requests.append(asyncio.ensure_future(later.query(GetMarkets())))
        await link.ping()
        await later.ping()
        assert not any(request.done() for request in requests)
        assert watcher.messages == []
    results = await asyncio.wait_for(asyncio.gather(*requests), 60)
    await later.close()
    assert results[0].orders == results[1].orders
    assert results[0].seq > start.seq
    await watcher.until_seq("journal", results[0].seq)


async def test_it_leaves_the_outcome_open_when_the_process_dies_before_the_commit(
    engine_process: EngineProcesses, link: AsyncGateway
) -> None:
    open_account(engine_process.gateway)
    order = limit()
    with commits_held() as observer:
        request = asyncio.ensure_future(link.submit(order))
        await until_a_commit_waits(observer)
        engine_process.kill()
        with pytest.raises(OutcomeUnknown):
            await request
    engine_process.start()
    first = await link.submit(order)
    assert (await link.submit(order)).orders == first.orders
    account = await link.query(GetAccount(account_id=ALICE))
    assert account is not None
    assert len(account.orders) == 1


async def test_it_makes_one_batch_of_what_queued_while_a_commit_was_in_flight(engine_process: EngineProcesses, link: AsyncGateway) -> None:
    with commits_held() as observer:
        first = asyncio.ensure_future(link.submit(OpenAccount(account_id=ALICE)))
        await until_a_commit_waits(observer)
        queued = [asyncio.ensure_future(link.submit(OpenAccount(account_id=ALICE + number), timeout=60)) for number in range(1, 51)]
        await link.ping()
    replies = await asyncio.gather(*queued)
    assert {reply.seq for reply in replies} == {(await first).seq + 1}


def test_it_answers_a_batch_without_items(engine_process: EngineProcesses) -> None:
    open_account(engine_process.gateway)
    assert engine_process.gateway.submit(PlaceBatch(account_id=ALICE, items=())).results == ()


def test_it_writes_no_row_for_questions(engine_process: EngineProcesses) -> None:
    open_account(engine_process.gateway)
    start = engine_process.state().seq
    for _ in range(20):
        engine_process.gateway.query(GetAccount(account_id=ALICE))
    assert all(row.commands == [ClockTick()] for row in journal.read(start, 100))


def test_it_stamps_rows_with_times_that_never_go_back(engine_process: EngineProcesses) -> None:
    for _ in range(5):
        engine_process.gateway.submit(ClockTick())
    stamps = [row.stamp_ms for row in Journal.objects.order_by("seq")]
    assert stamps == sorted(stamps)


def test_it_ticks_by_itself(engine_process: EngineProcesses) -> None:
    async def two_ticks() -> int:
        gateway = AsyncGateway(url=engine_process.url)
        watcher = Watcher(gateway)
        start = await gateway.snapshot("journal")
        await watcher.until_seq("journal", start.seq + 2)
        await gateway.close()
        return start.seq

    rows = journal.read(asyncio.run(two_ticks()), 2)
    assert [row.commands for row in rows] == [[ClockTick()], [ClockTick()]]


async def test_it_refuses_more_than_the_queue_holds(engine_processes: EngineProcesses) -> None:
    engine_processes.start(ENGINE_QUEUE_LIMIT="10")
    link = AsyncGateway(url=engine_processes.url)
    with commits_held() as observer:
        first = asyncio.ensure_future(link.submit(OpenAccount(account_id=ALICE), timeout=60))
        await until_a_commit_waits(observer)
        flood = [asyncio.ensure_future(link.submit(OpenAccount(account_id=ALICE + number), timeout=60)) for number in range(3_000)]
        done, _ = await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED, timeout=60)
        assert any(isinstance(request.exception(), EngineBusy) for request in done)
    results = await asyncio.gather(*flood, return_exceptions=True)
    accepted = [result for result in results if not isinstance(result, EngineBusy)]
    assert (await first).reject is None
    await link.close()
    # Alice is opened first and once more; what was refused was not done.
    assert engine_processes.state().accounts == len(ledger.NAMES) + len(accepted)


async def test_it_cancels_a_sessions_orders_when_its_link_is_lost(engine_process: EngineProcesses, link: AsyncGateway) -> None:
    open_account(engine_process.gateway)
    holder = AsyncGateway(url=engine_process.url)
    await holder.hold_session(ALICE, 77)
    await holder.submit(limit(session_id=77))
    kept = await holder.submit(limit())
    watcher = Watcher(link)
    start = await link.snapshot(f"account:{ALICE}")
    await holder.close()
    update = await watcher.until_seq(f"account:{ALICE}", start.seq + 1)
    assert b"disconnect" in update.payload
    account = await link.query(GetAccount(account_id=ALICE))
    assert account is not None
    assert [order.order_id for order in account.orders] == [kept.orders[0].order_id]


async def test_it_cancels_nothing_of_a_session_that_ended_on_purpose(engine_process: EngineProcesses, link: AsyncGateway) -> None:
    open_account(engine_process.gateway)
    holder = AsyncGateway(url=engine_process.url)
    await holder.hold_session(ALICE, 77)
    placed = await holder.submit(limit(session_id=77))
    await holder.release_session(ALICE, 77)
    await holder.close()
    await link.submit(ClockTick())
    account = await link.query(GetAccount(account_id=ALICE))
    assert account is not None
    assert [order.order_id for order in account.orders] == [placed.orders[0].order_id]


async def test_it_ends_the_sessions_that_nobody_takes_up_after_the_engines_death(engine_process: EngineProcesses) -> None:
    open_account(engine_process.gateway)
    open_account(engine_process.gateway, BOB)
    gone, back = AsyncGateway(url=engine_process.url), AsyncGateway(url=engine_process.url)
    await gone.hold_session(ALICE, 77)
    await back.hold_session(BOB, 78)
    await gone.submit(limit(session_id=77))
    await back.submit(limit(BOB, session_id=78))
    engine_process.kill()
    await gone.close()
    engine_process.start()
    watcher = Watcher(back)
    start = await back.snapshot(f"account:{ALICE}")
    await watcher.until_seq(f"account:{ALICE}", start.seq + 1)
    alice, bob = await back.query(GetAccount(account_id=ALICE)), await back.query(GetAccount(account_id=BOB))
    await back.close()
    assert alice is not None
    assert bob is not None
    assert (len(alice.orders), len(bob.orders)) == (0, 1)


async def test_it_publishes_what_was_committed_to_those_who_watch(engine_process: EngineProcesses, link: AsyncGateway) -> None:
    open_account(engine_process.gateway)
    open_account(engine_process.gateway, BOB)
    watcher = Watcher(link)
    account, book = await link.snapshot(f"account:{ALICE}"), await link.snapshot(f"book:{BTC}")
    await link.snapshot(f"trades:{BTC}")
    resting = await link.submit(limit(price_ticks=PRICE_TICKS))
    taking = await link.submit(limit(BOB, side="sell", price_ticks=PRICE_TICKS))
    trade = await watcher.until_seq(f"trades:{BTC}", taking.seq)
    await watcher.until_seq(f"account:{ALICE}", account.seq + 2)
    assert msgspec.json.decode(trade.payload)["trades"]
    assert resting.seq > book.seq
    assert not [message for message in watcher.messages if message.topic == f"account:{BOB}"]


async def test_it_sends_nothing_more_of_a_topic_that_is_unwatched(engine_process: EngineProcesses, link: AsyncGateway) -> None:
    watcher = Watcher(link)
    await link.snapshot("journal")
    await link.snapshot(f"ticker:{BTC}")
    await link.unwatch("journal")
    watcher.messages.clear()
    for _ in range(3):
        await link.submit(ClockTick())
    assert not [message for message in watcher.messages if message.topic == "journal"]


async def test_it_knows_which_topics_there_are(engine_process: EngineProcesses, link: AsyncGateway) -> None:
    for topic in ("book:99", "account:999999", "nonsense", ""):
        with pytest.raises(LookupError):
            await link.snapshot(topic)


async def test_it_answers_which_row_touched_an_account_last(engine_process: EngineProcesses, link: AsyncGateway) -> None:
    open_account(engine_process.gateway)
    placed = await link.submit(limit())
    tick = await link.submit(ClockTick())
    assert await link.query(GetCommittedSeq(account_id=ALICE)) == placed.seq
    assert await link.query(GetCommittedSeq()) >= tick.seq


async def test_it_answers_queries_in_order_with_the_commands_around_them(engine_process: EngineProcesses, link: AsyncGateway) -> None:
    open_account(engine_process.gateway)
    requests: list[Any] = []
    for _ in range(20):
        requests += [link.submit(limit()), link.query(GetAccount(account_id=ALICE)), link.query(GetBook(market_id=BTC))]
    results = await asyncio.gather(*requests)
    assert [len(account.orders) for account in results[1::3]] == list(range(1, 21))


def test_it_tells_an_old_client_id_from_a_new_one_by_the_tables(engine_process: EngineProcesses) -> None:
    from trading.engine.identity import content_hash

    gateway = engine_process.gateway
    open_account(gateway)
    old = limit(client_order_id="used-long-ago")
    UsedClientOrderId.objects.create(account_id=ALICE, client_order_id="used-long-ago", order_id=1, content_hash=content_hash(old))
    engine_process.restart()  # the filter is loaded at start
    other = gateway.submit(limit(client_order_id="used-long-ago", size_lots=20))
    assert other.reject is not None
    assert other.reject.code == "DUPLICATE_ID"
    in_batch = gateway.submit(PlaceBatch(account_id=ALICE, items=(limit(client_order_id="used-long-ago", size_lots=20), limit())))
    assert [result.reject and result.reject.code for result in in_batch.results] == ["DUPLICATE_ID", None]
    assert engine_process.state().open_orders == 1
    live = engine_process.state()
    engine_process.restart()  # replay is told what the batches were told
    assert gateway.submit(CancelAll(account_id=ALICE)).orders
    assert live.open_orders == 1


def test_it_refuses_new_orders_while_the_tables_are_too_far_behind(engine_process: EngineProcesses) -> None:
    gateway = engine_process.gateway
    open_account(gateway)
    placed = gateway.submit(limit())
    Journal.objects.filter(seq=1).update(stamp_ms=1)
    engine_process.current.stop()
    engine_process.start()  # from the snapshot: row 1 is not replayed
    refused = gateway.submit(limit())
    assert refused.reject is not None
    assert (refused.reject.code, refused.reject.transient, refused.seq) == ("PROJECTION_BEHIND", True, 0)
    assert placed.orders[0].order_id in {order.order_id for order in gateway.submit(CancelAll(account_id=ALICE)).orders}


def test_it_refuses_only_the_malformed_request_of_a_link(engine_process: EngineProcesses) -> None:
    with raw_link(engine_process) as link:
        bad = wire.encoder.encode([1, 5, ["PlaceOrder", 0, "not an account"]])
        good = wire.encoder.encode(wire.Ping(6))
        link.sendall(wire.frames([wire.encoder.encode(wire.Hello(wire.VERSION, "")), bad, good]))
        answers: list[wire.ServerMessage] = []
        frames = wire.Frames()
        while len(answers) < 2:
            for body in frames.feed(link.recv(65_536)):
                answers += wire.server_decoder.decode(body)
    assert isinstance(answers[0], wire.Malformed)
    assert answers[0].id == 5
    assert answers[1] == wire.Done(6)
    assert engine_process.state().epoch == 1


def test_it_closes_a_link_that_does_not_read_what_it_asked_for(engine_process: EngineProcesses) -> None:
    with raw_link(engine_process) as link:
        link.sendall(wire.frames_of([wire.Hello(wire.VERSION, "")]))
        asked = wire.frames_of([wire.Ask(number, GetMarkets()) for number in range(10_000)])
        link.sendall(asked)
        engine_process.current.wait_for("link closed: it does not read")
    assert engine_process.state().epoch == 1


def test_it_lets_no_link_upgrade_the_rules(engine_process: EngineProcesses) -> None:
    with pytest.raises(TypeError, match="only the runner itself"):
        engine_process.gateway.submit(RulesUpgrade(from_version=RULES_VERSION, to_version=RULES_VERSION + 1))
    assert engine_process.state().rules_version == RULES_VERSION


def test_it_shows_its_measures_where_the_settings_say(engine_processes: EngineProcesses) -> None:
    port = free_port()
    engine_processes.start(ENGINE_METRICS_PORT=str(port))
    seq = engine_processes.gateway.submit(ClockTick()).seq
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=60).text
    measures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(measures["qd_engine_seq"]) >= seq
    assert float(measures["qd_engine_epoch"]) == 1
    assert float(measures["qd_journal_commit_seconds_count"]) >= seq


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


NOT_THE_LANGUAGE = [
    b"GET / HTTP/1.1\r\n\r\n",
    b"\x00\x00\x00\x01\xc1",
    wire.frames_of([wire.Ping(1)]),  # without a greeting
    wire.frames_of([wire.Hello(wire.VERSION + 1, "")]),
]


@pytest.mark.parametrize("nonsense", NOT_THE_LANGUAGE)
def test_it_closes_a_link_that_does_not_speak_its_language(engine_process: EngineProcesses, nonsense: bytes) -> None:
    with raw_link(engine_process) as link:
        link.sendall(nonsense)
        try:
            rest = link.recv(65_536)
        except ConnectionResetError:
            rest = b""
    assert rest == b""
    assert engine_process.state().epoch == 1


def test_it_lets_only_its_own_user_reach_the_socket(engine_process: EngineProcesses) -> None:
    assert (engine_process.data_dir / "run").stat().st_mode & 0o777 == 0o700


def test_it_says_that_the_database_cannot_be_used(engine_processes: EngineProcesses) -> None:
    process = engine_processes.launch(ENGINE, DATABASE_URL="postgresql://nobody@127.0.0.1:1/nowhere")
    assert process.wait() == Exit.NO_DATABASE
    assert process.wait_for("the database cannot be used")["level"] == "critical"


def test_it_wants_the_token_on_tcp(engine_processes: EngineProcesses, settings: Any) -> None:
    engine_processes.url = f"tcp://127.0.0.1:{free_port()}"
    engine_processes.start()
    stranger = Gateway(url=engine_processes.url, token="guessed")
    with pytest.raises(OutcomeUnknown):
        stranger.submit(OpenAccount(account_id=ALICE))
    stranger.close()
    friend = Gateway(url=engine_processes.url, token=wire.token(settings.SECRET_KEY))
    assert friend.submit(OpenAccount(account_id=ALICE)).reject is None
    friend.close()
