"""A real engine process on the test's own database, that tests can kill, stop and start again.

def test_it_…(engine_process): …          # started, with the seed markets and a fresh price in each
def test_it_…(engine_processes): …        # start as many as you like
"""

import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from markets.commands import CreateMarket, Observation, ObservePrice
from markets.gateway import Gateway, gateway
from markets.parameters import MarketParameters
from markets.queries import GetState
from markets.views import StateView
from tests.support import forked_main
from tests.support.forked import ROOT, ForkedProgram, Program, StartedProgram, database_url, surroundings

__all__ = ["ROOT", "database_url"]

START_SECONDS = 60
ENGINE = (str(ROOT / "manage.py"), "engine")
# The same code with another version of the rules: what a release that changes them looks like.
ENGINE_OF_NEXT_RULES = (
    "-c",
    "import sys, manage; from trading.engine import engine; engine.RULES_VERSION += 1; sys.argv = ['manage.py', 'engine']; manage.main()",
)


class EngineProcess:
    """One engine. What it logs is read as it comes, and awaited instead of slept for."""

    def __init__(self, *, url: str, data_dir: Path, program: tuple[str, ...] = (), **environment: str) -> None:
        self.url = url
        self.lines: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._ended = False
        known = {**surroundings(url=url, data_dir=data_dir), **environment}
        self._program: Program = StartedProgram(program, known) if program else ForkedProgram(forked_main.engine, known)
        self._exit_code: int | None = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._program.pid

    def wait_for(self, event: str, *, count: int = 1) -> dict[str, Any]:
        """Wait until the process has logged an event `count` times; return the last of these lines."""
        with self._changed:
            self._changed.wait_for(lambda: self._count(event) >= count or self._ended, timeout=START_SECONDS)
        found = [line for line in self.lines if line["event"] == event]
        assert len(found) >= count, f"the engine did not say {event!r}: {self.lines[-20:]}"
        return found[count - 1]

    def wait_until_serving(self) -> None:
        self.wait_for("serving")

    def kill(self) -> None:
        """Kill -9, and wait until it is gone."""
        self._signal(signal.SIGKILL)
        self.wait()

    def stop(self) -> int:
        """Ask it to end (SIGTERM); return its exit code."""
        self._signal(signal.SIGTERM)
        return self.wait()

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def wait(self) -> int:
        """Wait until it has ended; return its exit code."""
        if self._exit_code is None:
            self._exit_code = self._program.wait(START_SECONDS)
            self._reader.join(timeout=START_SECONDS)
        return self._exit_code

    def end(self) -> None:
        """Make sure that nothing is left of it."""
        self._signal(signal.SIGKILL)
        self.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._exit_code is None:
            os.kill(self.pid, number)

    def _count(self, event: str) -> int:
        return sum(line["event"] == event for line in self.lines)

    def _read(self) -> None:
        with open(self._program.log, encoding="utf-8") as log:  # noqa: PTH123 - a descriptor
            for text in log:
                self._take(text)
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _take(self, text: str) -> None:
        try:
            line = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.MsgspecError:
            line = {"event": text.rstrip()}
        with self._changed:
            self.lines.append(line)
            self._changed.notify_all()


class EngineProcesses:
    """Starts engines that share a database, a data folder and an address. `current` is the one started last."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder
        self.url = f"unix://{folder}/run/engine.sock"
        self.all: list[EngineProcess] = []

    @property
    def current(self) -> EngineProcess:
        return self.all[-1]

    @property
    def gateway(self) -> Gateway:
        return gateway()

    def launch(self, program: tuple[str, ...] = (), **environment: str) -> EngineProcess:
        """Start a process and do not wait for it: while another leads it stands by."""
        self.all.append(EngineProcess(url=self.url, data_dir=self.data_dir, program=program, **environment))
        return self.current

    def start(self, program: tuple[str, ...] = (), **environment: str) -> EngineProcess:
        """Start a process and wait until it serves."""
        self.launch(program, **environment).wait_until_serving()
        return self.current

    def kill(self) -> None:
        self.current.kill()

    def restart(self) -> EngineProcess:
        """Kill -9 the current process and start another."""
        self.kill()
        return self.start()

    def state(self) -> StateView:
        return self.gateway.query(GetState(), timeout=START_SECONDS)

    def create_markets(self, markets: tuple[MarketParameters, ...]) -> None:
        for parameters in markets:
            reply = self.gateway.submit(CreateMarket(parameters=parameters, author="tests"), timeout=START_SECONDS)
            assert reply.reject is None, reply.reject

    def observe(self, prices_e8: dict[int, int]) -> None:
        """Publish a fresh index price for each market, by two sources: one alone would move it by 1 % at most."""
        now_ms = time.time_ns() // 1_000_000
        observations = tuple(
            Observation(market_id=market_id, source=source, price_e8=price, confidence_e8=0, published_ms=now_ms)
            for market_id, price in prices_e8.items()
            for source in ("simulation", "simulation_2")
        )
        reply = self.gateway.submit(ObservePrice(observations=observations), timeout=START_SECONDS)
        assert reply.reject is None, reply.reject

    def end(self) -> None:
        for process in self.all:
            process.end()
        self.gateway.close()


@pytest.fixture
def engine_processes(transactional_db: None, settings: Any) -> Iterator[EngineProcesses]:
    """No engine yet, but an address and a folder for some; settings name both."""
    folder = Path(tempfile.mkdtemp(prefix="qd-"))
    processes = EngineProcesses(folder)
    settings.ENGINE_URL = processes.url
    settings.DATA_DIR = folder
    yield processes
    processes.end()
    shutil.rmtree(folder)


SEED_PRICES_E8 = {"BTC": 60_000, "ETH": 3_000, "SOL": 150, "AVAX": 20, "LINK": 15, "DOGE": 1, "XRP": 2, "SUI": 3}


@pytest.fixture
def engine_process(engine_processes: EngineProcesses) -> EngineProcesses:
    """A running engine with the seed markets and a price in each; kill, start and restart it as you like."""
    from markets.seed import MARKETS

    engine_processes.start()
    engine_processes.create_markets(MARKETS)
    engine_processes.observe({market.market_id: SEED_PRICES_E8[market.base_asset] * 10**8 for market in MARKETS})
    return engine_processes
