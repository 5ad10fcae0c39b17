"""A real web process (uvicorn) on a free port, for tests that need sockets, the hot lane or a browser.

def test_it_…(web_process): …             # started beside a running engine; web_process.url, .socket_url
def test_it_…(web_processes): …           # start as many as you like
"""

import os
import signal
import socket
from collections.abc import Iterator

import httpx
import pytest

from tests.support import forked_main
from tests.support.engine import ROOT, START_SECONDS, EngineProcesses
from tests.support.forked import FORKED_SETTINGS, ForkedProgram, Program, StartedProgram, drain, surroundings


class WebProcess:
    """One `manage.py web`, ready to serve when it has been made or started."""

    def __init__(self, *, engine: EngineProcesses, **environment: str) -> None:
        self._engine = engine
        self._environment = environment
        self._exit_code: int | None = None
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._listener.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        self.socket_url = f"ws://{self.host}/ws/v1/"
        self.start()

    def start(self) -> None:
        self._program, self._exit_code = self._begin(), None
        self._drain = drain(self._program)
        # Nothing has to be polled: the request waits in the port's queue until the process serves.
        httpx.get(f"{self.url}/api/v1/time/", timeout=START_SECONDS)

    def _begin(self) -> Program:
        known = {**surroundings(url=self._engine.url, data_dir=self._engine.data_dir), **self._environment}
        if known.keys() <= FORKED_SETTINGS:
            return ForkedProgram(forked_main.web, known, (self._listener,))
        descriptor = self._listener.fileno()
        return StartedProgram((str(ROOT / "manage.py"), "web", "--fd", str(descriptor)), known, descriptors=(descriptor,))

    @property
    def pid(self) -> int:
        return self._program.pid

    def kill(self) -> None:
        """Kill -9, and wait until it is gone. The port stays; start() serves on it again."""
        for number in (signal.SIGCONT, signal.SIGKILL):
            self._signal(number)
        self._wait()

    def stop(self) -> int:
        """Ask it to end (SIGTERM); return its exit code."""
        self._signal(signal.SIGTERM)
        return self._wait()

    def end(self) -> None:
        """Make sure that nothing is left of it."""
        self.kill()
        self._listener.close()

    def _signal(self, number: signal.Signals) -> None:
        if self._exit_code is None:
            os.kill(self.pid, number)

    def _wait(self) -> int:
        if self._exit_code is None:
            self._exit_code = self._program.wait(START_SECONDS)
            self._drain.join(START_SECONDS)
        return self._exit_code


class WebProcesses:
    def __init__(self, engine: EngineProcesses) -> None:
        self._engine = engine
        self.all: list[WebProcess] = []

    def start(self, **environment: str) -> WebProcess:
        self.all.append(WebProcess(engine=self._engine, **environment))
        return self.all[-1]

    def end(self) -> None:
        for process in self.all:
            process.end()


@pytest.fixture
def web_processes(engine_process: EngineProcesses) -> Iterator[WebProcesses]:
    """No web process yet, but a running engine for some."""
    processes = WebProcesses(engine_process)
    yield processes
    processes.end()


@pytest.fixture
def web_process(web_processes: WebProcesses) -> WebProcess:
    """A running web process beside a running engine."""
    return web_processes.start()
