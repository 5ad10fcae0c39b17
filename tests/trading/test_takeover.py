"""Leader and standby: one writes, the other takes over, and the old one can write no more."""

import asyncio

import psycopg

from markets.commands import OpenAccount
from markets.queries import GetState
from tests.support.engine import EngineProcesses, database_url
from tests.trading.exchange import BOB, limit, open_account
from tests.trading.test_recovery import Client, accepted_orders, finish, from_empty, replayed, until_acknowledged
from trading.models import EngineEpoch, Journal
from trading.runner.exits import Exit
from trading.runner.leadership import LOCK_KEY, TERMINATE_HOLDER


def test_it_leads_only_one_at_a_time(engine_process: EngineProcesses) -> None:
    standby = engine_process.launch()
    standby.wait_for("standing by")
    open_account(engine_process.gateway)
    assert not [line for line in standby.lines if line["event"] == "leading"]
    assert standby.stop() == 0


def test_it_takes_over_when_the_leader_is_killed_and_goes_on_from_its_last_row(engine_process: EngineProcesses) -> None:
    leader = engine_process.current
    standby = engine_process.launch()
    standby.wait_for("standing by")
    open_account(engine_process.gateway)
    placed = engine_process.gateway.submit(limit())
    before = engine_process.state()
    leader.kill()
    standby.wait_until_serving()
    after = engine_process.state()
    assert after.epoch == before.epoch + 1
    assert after.open_orders == 1
    assert after.seq >= placed.seq
    assert replayed(from_empty(), before.seq) == before.state_hash
    assert replayed(from_empty(), after.seq) == after.state_hash


def test_it_takes_over_from_a_leader_that_is_stopped_and_fences_it(engine_process: EngineProcesses) -> None:
    leader = engine_process.current
    standby = engine_process.launch()
    standby.wait_for("standing by")
    open_account(engine_process.gateway)
    leader.pause()
    standby.wait_until_serving()
    assert standby.wait_for("the leader is silent: ending its session")
    engine_process.gateway.close()  # its link is still open, to the stopped leader
    assert engine_process.gateway.submit(OpenAccount(account_id=BOB)).reject is None
    leader.resume()
    assert leader.wait() in (Exit.COMMIT_FAILED, Exit.FENCED)
    state = engine_process.state()
    assert state.epoch == 2
    assert replayed(from_empty(), state.seq) == state.state_hash


def test_it_writes_nothing_once_another_has_raised_the_epoch(engine_process: EngineProcesses) -> None:
    open_account(engine_process.gateway)
    EngineEpoch.objects.update(epoch=7)
    rows = Journal.objects.count()
    assert engine_process.current.wait() == Exit.FENCED  # its next tick finds another epoch
    assert Journal.objects.filter(epoch=1).count() in (rows, rows + 1)
    assert Journal.objects.filter(epoch__gt=1).count() == 0
    engine_process.start()
    assert engine_process.gateway.query(GetState()).epoch == 8


def test_it_lets_a_commit_of_the_old_leader_be_before_its_read_or_refused(engine_process: EngineProcesses) -> None:
    """The old leader's row waits for the epoch's row while the new one raises it: it must not appear afterwards."""
    with psycopg.connect(database_url()) as rival:
        rival.execute("update trading_engineepoch set epoch = epoch + 1")
        last = Journal.objects.order_by("-seq").values_list("seq", flat=True)[0]
        with psycopg.connect(database_url(), autocommit=True) as observer:
            while observer.execute("select count(*) from pg_locks where not granted").fetchone() == (0,):
                pass
        rival.commit()
    assert engine_process.current.wait() == Exit.FENCED
    assert Journal.objects.order_by("-seq").values_list("seq", flat=True)[0] == last


def test_it_loses_nothing_when_the_standby_takes_over_under_load(engine_process: EngineProcesses) -> None:
    open_account(engine_process.gateway)
    acknowledged = asyncio.run(load_and_take_over(engine_process))
    accepted = accepted_orders()
    assert {client_id: [order_id] for client_id, order_id in acknowledged.items()}.items() <= accepted.items()
    assert all(len(order_ids) == 1 for order_ids in accepted.values())
    state = engine_process.state()
    assert state.epoch == 2
    assert replayed(from_empty(), state.seq) == state.state_hash


async def load_and_take_over(processes: EngineProcesses) -> dict[str, int]:
    leader, standby = processes.current, processes.launch()
    await asyncio.to_thread(standby.wait_for, "standing by")
    clients = [Client(processes.url, number) for number in range(20)]
    tasks = [asyncio.create_task(client.run()) for client in clients]
    await until_acknowledged(clients, 300)
    leader.kill()
    await asyncio.to_thread(standby.wait_until_serving)
    await until_acknowledged(clients, 600)
    await asyncio.gather(*(finish(client, task) for client, task in zip(clients, tasks, strict=True)))
    return {client_id: order_id for client in clients for client_id, order_id in client.acknowledged.items()}


def test_it_ends_when_its_session_is_ended(engine_process: EngineProcesses) -> None:
    with psycopg.connect(database_url(), autocommit=True) as connection:
        connection.execute(TERMINATE_HOLDER, [LOCK_KEY])
    assert engine_process.current.wait() == Exit.COMMIT_FAILED


def test_it_has_the_standby_follow_while_it_waits(engine_process: EngineProcesses) -> None:
    seq = engine_process.state().seq
    leader = engine_process.current
    standby = engine_process.launch()
    assert standby.wait_for("standing by")["rows_followed"] >= seq
    open_account(engine_process.gateway)
    before = engine_process.state()
    leader.kill()
    assert standby.wait_for("leading")["seq"] >= before.seq
    standby.wait_until_serving()
    after = engine_process.state()
    assert replayed(from_empty(), after.seq) == after.state_hash
