"""kill -9 at any time: nothing acknowledged is lost, nothing is applied twice, and the state is the same again."""

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from markets.commands import CancelAll, CancelOrder, PlaceOrder, RulesUpgrade, SetLeverage
from markets.errors import GatewayError
from markets.gateway import AsyncGateway
from markets.queries import GetAccount, GetState
from markets.views import Reply, StateView
from tests.support.engine import ENGINE_OF_NEXT_RULES, EngineProcesses, database_url
from tests.trading.exchange import ALICE, BOB, BTC, PRICE_TICKS, limit, open_account
from trading import archive, journal, snapshots
from trading.engine.engine import RULES_VERSION, Engine
from trading.engine.snapshot import decode, encode, state_hash
from trading.journal import GENESIS_HASH
from trading.models import Journal, Snapshot
from trading.runner.exits import Exit
from trading.runner.follower import Follower, Position

NEXT = RULES_VERSION + 1


def replayed(follower: Follower, until_seq: int) -> str:
    """Follow the journal up to a row and return the state's hash."""
    for row in journal.read_sealed(follower.position.seq, until_seq - follower.position.seq):
        follower.follow(row)
    assert follower.position.seq == until_seq
    return state_hash(follower.engine.state)


def from_empty() -> Follower:
    return Follower(engine=Engine(), position=Position())


def from_snapshot(row: Snapshot) -> Follower:
    file, state = snapshots.load(seq=row.seq, state_hash=row.state_hash)
    return Follower(engine=Engine(decode(state)), position=Position(file.seq, file.journal_hash, file.stamp_ms, file.rules_version))


def trade(processes: EngineProcesses, *, orders: int, seed: int = 1) -> None:
    """Let Alice and Bob place, cross and cancel."""
    chance = random.Random(seed)  # noqa: S311
    gateway = processes.gateway
    for number in range(orders):
        account_id, side = (ALICE, "buy") if number % 2 else (BOB, "sell")
        order = limit(account_id, side=side, price_ticks=PRICE_TICKS + chance.randint(-50, 50), size_lots=chance.randint(5, 50))
        reply = gateway.submit(order)
        assert reply.reject is None, reply.reject
        if chance.random() < 0.2:
            gateway.submit(CancelOrder(account_id=account_id, client_order_id=order.client_order_id))


@pytest.fixture
def traders(engine_process: EngineProcesses) -> EngineProcesses:
    for account_id in (ALICE, BOB):
        open_account(engine_process.gateway, account_id)
    return engine_process


def wait_for_snapshot(processes: EngineProcesses, *, count: int = 1) -> Snapshot:
    seq = processes.current.wait_for("snapshot taken", count=count)["seq"]
    return Snapshot.objects.get(seq=seq)


def test_it_gives_the_live_state_again_when_the_journal_is_replayed_from_empty(traders: EngineProcesses) -> None:
    trade(traders, orders=100)
    live = traders.state()
    assert replayed(from_empty(), live.seq) == live.state_hash


def test_it_gives_the_live_state_from_a_snapshot_and_the_tail_also_a_thousand_commands_later(traders: EngineProcesses) -> None:
    trade(traders, orders=60)
    snapshots.request()
    row = wait_for_snapshot(traders)
    trade(traders, orders=1_000, seed=2)
    live = traders.state()
    assert replayed(from_snapshot(row), live.seq) == live.state_hash
    assert replayed(from_empty(), row.seq) == row.state_hash


def test_it_encodes_equal_states_to_equal_bytes_after_decoding(traders: EngineProcesses) -> None:
    trade(traders, orders=60)
    snapshots.request()
    row = wait_for_snapshot(traders)
    _, state = snapshots.load(seq=row.seq, state_hash=row.state_hash)
    assert encode(decode(state)) == state


def test_it_serves_while_a_snapshot_is_taken(traders: EngineProcesses) -> None:
    snapshots.request()
    before = wait_for_snapshot(traders)
    trade(traders, orders=20)
    snapshots.request()
    trade(traders, orders=20)
    assert wait_for_snapshot(traders, count=2).seq > before.seq


def test_it_keeps_three_snapshots(traders: EngineProcesses) -> None:
    for count in range(1, 6):
        trade(traders, orders=2, seed=count)
        snapshots.request()
        wait_for_snapshot(traders, count=count)
    rows = list(Snapshot.objects.order_by("seq"))
    assert len(rows) == snapshots.KEPT
    assert sorted(file.name for file in snapshots.folder().iterdir()) == [snapshots.path(row.seq).name for row in rows]


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100])


def delete(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize("damage", [flip, truncate, delete])
def test_it_starts_from_an_older_snapshot_when_the_newest_is_damaged(traders: EngineProcesses, damage: Callable[[Path], None]) -> None:
    for count in (1, 2):
        trade(traders, orders=20, seed=count)
        snapshots.request()
        newest = wait_for_snapshot(traders, count=count)
    trade(traders, orders=20, seed=3)
    before = traders.state()
    traders.kill()
    damage(snapshots.path(newest.seq))
    traders.start()
    assert traders.current.wait_for("snapshot skipped")["seq"] == newest.seq
    assert traders.current.wait_for("snapshot loaded")["seq"] < newest.seq
    assert_same_book(traders.state(), before)


def test_it_starts_from_nothing_when_no_snapshot_verifies(traders: EngineProcesses) -> None:
    trade(traders, orders=20)
    snapshots.request()
    flip(snapshots.path(wait_for_snapshot(traders).seq))
    before = traders.state()
    process = traders.restart()
    assert process.wait_for("leading")["rows_replayed"] >= before.seq
    assert_same_book(traders.state(), before)


def test_it_reads_from_the_archive_what_has_left_the_database(traders: EngineProcesses) -> None:
    trade(traders, orders=60)
    before = traders.state()
    traders.kill()
    old = list(journal.read_sealed(0, 40))
    archive.folder().mkdir()
    archive._write(iter(old), archive.folder() / f"{1:016d}-{40:016d}{archive.SUFFIX}")
    Journal.objects.filter(seq__lte=40).delete()
    process = traders.start()
    assert process.wait_for("leading")["rows_replayed"] >= before.seq
    after = traders.state()
    assert (after.accounts, after.open_orders) == (before.accounts, before.open_orders)


def test_it_replays_nothing_after_a_clean_stop(traders: EngineProcesses) -> None:
    trade(traders, orders=20)
    assert traders.current.stop() == 0
    process = traders.start()
    assert process.wait_for("leading")["rows_replayed"] == 0


def test_it_refuses_a_journal_that_was_changed(traders: EngineProcesses) -> None:
    trade(traders, orders=4)
    traders.kill()
    row = Journal.objects.order_by("seq")[3]
    Journal.objects.filter(seq=row.seq).update(stamp_ms=row.stamp_ms + 1)
    process = traders.launch()
    assert process.wait() == Exit.REFUSED
    assert "has been changed" in process.wait_for("the journal cannot be replayed")["error"]


def test_it_refuses_rows_of_other_rules(traders: EngineProcesses) -> None:
    traders.kill()
    last = Journal.objects.order_by("-seq")[0]
    foreign = journal.seal(
        journal.unseal(bytes(last.payload)),
        seq=last.seq + 1,
        epoch=last.epoch,
        previous_hash=bytes(last.hash),
        stamp_ms=last.stamp_ms,
        rules_version=99,
    )
    Journal.objects.create(**{field: getattr(foreign, field) for field in journal.SealedRow.__struct_fields__})
    process = traders.launch()
    assert process.wait() == Exit.REFUSED
    error = process.wait_for("the journal cannot be replayed")["error"]
    assert "rules 99" in error
    assert "snapshot" in error


def test_it_upgrades_its_rules_from_a_snapshot_at_the_tip(traders: EngineProcesses) -> None:
    trade(traders, orders=10)
    assert traders.current.stop() == 0
    tip = Snapshot.objects.order_by("-seq")[0]
    traders.start(ENGINE_OF_NEXT_RULES)
    traders.gateway.submit(limit())
    first = Journal.objects.get(seq=tip.seq + 1)
    assert journal.unseal(bytes(first.payload)).commands[0] == RulesUpgrade(from_version=RULES_VERSION, to_version=NEXT)
    assert set(Journal.objects.filter(seq__gt=tip.seq).values_list("rules_version", flat=True)) == {NEXT}
    before = traders.state()
    assert before.rules_version == NEXT
    traders.kill()
    process = traders.start(ENGINE_OF_NEXT_RULES)  # once more from the snapshot of the old rules
    assert process.wait_for("leading")["rows_replayed"] >= before.seq - tip.seq
    after = traders.state()
    assert (after.rules_version, after.open_orders) == (NEXT, before.open_orders)


def test_it_does_not_upgrade_its_rules_over_rows_that_it_would_have_to_replay(traders: EngineProcesses) -> None:
    trade(traders, orders=2)
    traders.kill()
    process = traders.launch(ENGINE_OF_NEXT_RULES)
    assert process.wait() == Exit.REFUSED
    assert f"rules {RULES_VERSION}" in process.wait_for("the journal cannot be replayed")["error"]


def test_it_does_not_go_back_to_older_rules(traders: EngineProcesses) -> None:
    traders.current.stop()
    traders.start(ENGINE_OF_NEXT_RULES)
    traders.current.stop()
    process = traders.launch()
    assert process.wait() == Exit.REFUSED
    assert f"under rules {NEXT}" in process.wait_for("the journal cannot be replayed")["error"]


def test_it_refuses_a_journal_that_the_code_does_not_reproduce(traders: EngineProcesses) -> None:
    traders.kill()
    last = Journal.objects.order_by("-seq")[0]
    body = journal.unseal(bytes(last.payload))
    invented = journal.seal(
        journal.JournalBody(commands=[SetLeverage(account_id=ALICE, market_id=BTC, leverage=3)], found_ids=[], events=body.events),
        seq=last.seq + 1,
        epoch=last.epoch,
        previous_hash=bytes(last.hash),
        stamp_ms=last.stamp_ms,
        rules_version=last.rules_version,
    )
    Journal.objects.create(**{field: getattr(invented, field) for field in journal.SealedRow.__struct_fields__})
    process = traders.launch()
    assert process.wait() == Exit.REFUSED
    assert "gives other events" in process.wait_for("the journal cannot be replayed")["error"]


def assert_same_book(state: StateView, before: StateView) -> None:
    """The restarted engine went on from all that was there."""
    assert state.seq >= before.seq
    assert (state.accounts, state.open_orders) == (before.accounts, before.open_orders)
    assert replayed(from_empty(), before.seq) == before.state_hash


LEAVING = 30  # orders of a client, of which every fifth stays open: all clients together stay below the account's limit


class Client:
    """Places orders for ever, each until its outcome is known, and remembers what was acknowledged."""

    def __init__(self, url: str, number: int) -> None:
        self.gateway = AsyncGateway(url=url)
        self.number = number
        self.acknowledged: dict[str, int] = {}
        self.retried = 0

    async def run(self) -> None:
        count = 0
        while True:
            count += 1
            order = limit(ALICE, client_order_id=f"client-{self.number}-{count}", size_lots=5, price_ticks=PRICE_TICKS * 95 // 100)
            reply = await self.outcome(order)
            assert reply.reject is None, reply.reject
            self.acknowledged[order.client_order_id] = reply.orders[0].order_id
            if count % 5 or count > LEAVING:
                await self.outcome(CancelOrder(account_id=ALICE, client_order_id=order.client_order_id))

    async def outcome(self, command: PlaceOrder | CancelOrder) -> Reply:
        while True:
            try:
                return await self.gateway.submit(command, timeout=2.0)
            except GatewayError:
                self.retried += 1
                await asyncio.sleep(0.01)


def accepted_orders() -> dict[str, list[int]]:
    """Return the ids of the orders that the journal accepted, by client id."""
    from markets.events import OrderAccepted

    accepted: dict[str, list[int]] = {}
    for row in journal.read(0, 1_000_000):
        for event in row.events:
            if isinstance(event, OrderAccepted):
                accepted.setdefault(event.order.client_order_id, []).append(event.order_id)
    return accepted


@pytest.mark.parametrize("seed", [1, 2])
def test_it_loses_no_acknowledged_order_and_doubles_none_when_killed_under_load(traders: EngineProcesses, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    acknowledged = asyncio.run(load_and_kill(traders, chance, kills=3))
    state = traders.state()
    accepted = accepted_orders()
    assert {client_id: [order_id] for client_id, order_id in acknowledged.items()}.items() <= accepted.items()
    assert all(len(order_ids) == 1 for order_ids in accepted.values())
    assert replayed(from_empty(), state.seq) == state.state_hash
    assert journal.verify(journal.read_sealed(0, state.seq), GENESIS_HASH)


async def load_and_kill(processes: EngineProcesses, chance: random.Random, *, kills: int) -> dict[str, int]:
    clients = [Client(processes.url, number) for number in range(20)]
    tasks = [asyncio.create_task(client.run()) for client in clients]
    for _ in range(kills):
        goal = sum(len(client.acknowledged) for client in clients) + chance.randint(100, 400)
        while sum(len(client.acknowledged) for client in clients) < goal:
            await asyncio.sleep(0.005)
            assert not any(task.done() for task in tasks), [task for task in tasks if task.done()]
        if chance.random() < 0.5:
            await asyncio.to_thread(snapshots_requested)
        processes.kill()
        await asyncio.to_thread(processes.start)
    await asyncio.gather(*(finish(client, task) for client, task in zip(clients, tasks, strict=True)))
    assert sum(client.retried for client in clients) > 0
    return {client_id: order_id for client in clients for client_id, order_id in client.acknowledged.items()}


async def until_acknowledged(clients: list[Client], orders: int) -> None:
    async with asyncio.timeout(60):
        while sum(len(client.acknowledged) for client in clients) < orders:  # noqa: ASYNC110 - other tasks make the progress
            await asyncio.sleep(0.005)


def snapshots_requested() -> None:
    from django.db import connection

    snapshots.request()
    connection.close()


async def finish(client: Client, task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await client.gateway.close()


def test_it_answers_the_same_command_again_after_a_restart(traders: EngineProcesses) -> None:
    order = limit()
    first = traders.gateway.submit(order)
    traders.restart()
    assert traders.gateway.submit(order).orders == first.orders
    account = traders.gateway.query(GetAccount(account_id=ALICE))
    assert account is not None
    assert len(account.orders) == 1


def test_it_serves_cancels_at_once_after_a_restart(traders: EngineProcesses) -> None:
    placed = traders.gateway.submit(limit())
    traders.restart()
    cancelled = traders.gateway.submit(CancelAll(account_id=ALICE))
    assert [order.order_id for order in cancelled.orders] == [placed.orders[0].order_id]
    assert traders.gateway.query(GetState()).open_orders == 0


def test_it_counts_a_snapshot_only_when_its_row_is_committed(traders: EngineProcesses) -> None:
    with psycopg.connect(database_url()) as holder:
        holder.execute("select 1 from trading_engineepoch for update")
        snapshots.request()
        while not list(snapshots.folder().glob("*.snapshot")):  # the child has written the file of a row that is not committed
            time.sleep(0.01)
        assert not Snapshot.objects.exists()
    row = wait_for_snapshot(traders)
    assert replayed(from_empty(), row.seq) == row.state_hash
