"""The projector beside a running engine: own orders are found right after their acknowledgement, also after kill -9 of either."""

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import Balance
from markets.commands import CancelOrder
from markets.gateway import Gateway
from markets.queries import GetAccount
from tests.support import forked_main
from tests.support.engine import START_SECONDS, EngineProcesses, engine_process, engine_processes
from tests.support.forked import ForkedProgram, surroundings
from tests.trading.exchange import ALICE, BOB, limit, open_account
from trading import selectors
from trading.models import Fill, Order, Position
from trading.ownership import connect_as_owner
from trading.projector.projector import APPLICATION_NAME
from trading.selectors import ProjectionBehind, order_by_client_id, projected_seq, wait_for_projection

__all__ = ["engine_process", "engine_processes"]

TOUCH_TICKS = 600_000
LOSE_CONNECTIONS = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = %s and datname = current_database()"


class ProjectorProcess:
    """One `manage.py projector`."""

    def __init__(self, engines: EngineProcesses) -> None:
        self._program = ForkedProgram(forked_main.projector, surroundings(url=engines.url, data_dir=engines.data_dir))
        self._log = open(self._program.log, encoding="utf-8")  # noqa: PTH123, SIM115 - a descriptor, which end() closes
        self._exit_code: int | None = None

    def wait_until_projecting(self) -> None:
        assert any(json.loads(line)["event"] == "projecting" for line in self._log), "the projector ended"

    def wait(self) -> int:
        """Wait until it has ended; return its exit code."""
        if self._exit_code is None:
            self._exit_code = self._program.wait(START_SECONDS)
        return self._exit_code

    def stop(self, number: signal.Signals) -> int:
        if self._exit_code is None:
            os.kill(self._program.pid, number)
        return self.wait()

    def end(self) -> None:
        """Make sure that nothing is left of it."""
        self.stop(signal.SIGKILL)
        self._log.close()


class Projectors:
    def __init__(self, engines: EngineProcesses) -> None:
        self._engines = engines
        self.all: list[ProjectorProcess] = []

    def start(self) -> ProjectorProcess:
        started = ProjectorProcess(self._engines)
        self.all.append(started)
        started.wait_until_projecting()
        return started


@pytest.fixture
def projectors(engine_process: EngineProcesses, monkeypatch: pytest.MonkeyPatch) -> Iterator[Projectors]:
    monkeypatch.setattr(selectors, "PATIENCE_SECONDS", 60.0)  # on a busy machine a second can be too short
    projectors = Projectors(engine_process)
    yield projectors
    for one in projectors.all:
        one.end()


@pytest.fixture
def gateway(engine_process: EngineProcesses) -> Gateway:
    """A gateway to an engine with two funded accounts."""
    for account_id in (ALICE, BOB):
        open_account(engine_process.gateway, account_id)
    return engine_process.gateway


def trade(gateway: Gateway, count: int) -> None:
    """Let Alice rest and Bob take, `count` times, each lot acknowledged before the next."""
    for _ in range(count):
        for order in (limit(ALICE, price_ticks=TOUCH_TICKS), limit(BOB, side="sell", price_ticks=TOUCH_TICKS)):
            reply = gateway.submit(order)
            assert reply.reject is None, reply.reject


def test_it_shows_an_order_right_after_its_acknowledgement(projectors: Projectors, gateway: Gateway) -> None:
    projectors.start()
    for number in range(20):
        reply = gateway.submit(limit(ALICE, client_order_id=f"mine-{number}"))
        wait_for_projection(ALICE)
        order = order_by_client_id(ALICE, f"mine-{number}")
        assert order is not None
        assert (order.id, order.status) == (reply.orders[0].order_id, "open")
        gateway.submit(CancelOrder(account_id=ALICE, order_id=order.id))
        wait_for_projection(ALICE)
        assert Order.objects.get(id=order.id).status == "cancelled"


def test_it_says_that_the_tables_are_behind(gateway: Gateway) -> None:
    with pytest.raises(ProjectionBehind) as caught:
        wait_for_projection(ALICE)
    assert caught.value.status == 503
    assert caught.value.data["projected_seq"] < caught.value.data["committed_seq"]


def test_it_loses_and_doubles_nothing_when_killed_under_load(
    projectors: Projectors, engine_process: EngineProcesses, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    for victim in ("projector", "engine", "projector"):
        running = projectors.start()
        trade(gateway, 30)
        if victim == "engine":
            engine_process.restart()
            running.stop(signal.SIGTERM)
        else:
            running.stop(signal.SIGKILL)
    trade(gateway, 5)
    last = projectors.start()
    wait_for_projection(ALICE)
    wait_for_projection(BOB)
    assert Fill.objects.filter(account_id=ALICE).count() == Fill.objects.filter(account_id=BOB).count() == 95
    for account_id in (ALICE, BOB):
        view: Any = gateway.query(GetAccount(account_id=account_id))
        assert Balance.objects.get(account_id=account_id).amount_atoms == view.balances["USDC"]
        assert Position.objects.get(account_id=account_id).size_lots == view.positions[0].size_lots
    assert last.stop(signal.SIGTERM) == 0
    engine_process.current.stop()
    call_command("verify_journal")
    said = capsys.readouterr().out
    assert f"up to journal row {projected_seq():,}" in said
    assert "the snapshot of row" in said


def test_it_ends_when_its_connection_is_lost_and_a_new_one_goes_on(projectors: Projectors, gateway: Gateway) -> None:
    running = projectors.start()
    trade(gateway, 2)
    wait_for_projection(ALICE)
    connection.close()  # an earlier test may have projected on it
    with connect_as_owner() as owner:
        owner.execute(LOSE_CONNECTIONS, [APPLICATION_NAME])
    trade(gateway, 2)
    assert running.wait() == 1
    projectors.start()
    wait_for_projection(ALICE)
    assert Fill.objects.filter(account_id=ALICE).count() == 4
