"""A real web process (uvicorn) on a free port, for tests that need sockets, the hot lane or a browser.

def test_it_…(web_process): …             # started beside a running engine; web_process.url, .socket_url
def test_it_…(web_processes): …           # start as many as you like
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from django.conf import settings as django_settings

from tests.support.engine import ROOT, START_SECONDS, EngineProcesses, database_url


class WebProcess:
    """One `manage.py web`, ready to serve when it has been made or started."""

    def __init__(self, *, engine: EngineProcesses, **environment: str) -> None:
        self._engine = engine
        self._environment = environment
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._listener.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        self.socket_url = f"ws://{self.host}/ws/v1/"
        self.start()

    def start(self) -> None:
        fd = self._listener.fileno()
        self._process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "web", "--fd", str(fd)],
            env=os.environ
            | {
                "DATABASE_URL": database_url(),
                "DATA_DIR": str(self._engine.data_dir),
                "ENGINE_URL": self._engine.url,
                "ENVIRONMENT": "test",
                "SECRET_KEY": django_settings.SECRET_KEY,
                **self._environment,
            },
            pass_fds=(fd,),
        )
        # Nothing has to be polled: the request waits in the port's queue until the process serves.
        httpx.get(f"{self.url}/api/v1/time/", timeout=START_SECONDS)

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """Kill -9, and wait until it is gone. The port stays; start() serves on it again."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGCONT)
        self._process.kill()
        self._process.wait(timeout=START_SECONDS)

    def stop(self) -> int:
        """Ask it to end (SIGTERM); return its exit code."""
        self._process.terminate()
        return self._process.wait(timeout=START_SECONDS)

    def end(self) -> None:
        """Make sure that nothing is left of it."""
        self.kill()
        self._listener.close()


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
