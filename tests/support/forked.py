"""Programs of the exchange in processes of their own: forked from one that has imported everything, or started from nothing.

Both stand on the test's own database, and what they say is read from `log`.
"""

import multiprocessing
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from django.conf import settings as django_settings

from tests.support import forked_main

ROOT = Path(__file__).resolve().parents[2]
# What a program that is forked can be told: everything else was read when it was imported.
NUMBERS, FOLDERS = {"ENGINE_QUEUE_LIMIT", "ENGINE_METRICS_PORT"}, {"DATA_DIR", "CHAIN_DIR"}
FORKED_SETTINGS = {"DATABASE_URL", "SECRET_KEY", "ENVIRONMENT", "ENGINE_URL"} | NUMBERS | FOLDERS

forkserver = multiprocessing.get_context("forkserver")
forkserver.set_forkserver_preload(["pytest", "tests.support.forked_main", "quantdesk.asgi", "quantdesk.urls"])


def database_url() -> str:
    """Return the address of the database that this test uses."""
    database = django_settings.DATABASES["default"]
    login = quote(database["USER"]) + (":" + quote(database["PASSWORD"]) if database["PASSWORD"] else "")
    query = {name: database[name.upper()] for name in ("host", "port") if database[name.upper()]}
    options = {name: value for name, value in database.get("OPTIONS", {}).items() if isinstance(value, str)}
    return f"postgresql://{login}@/{database['NAME']}?{urlencode(query | options)}"


def surroundings(*, url: str, data_dir: Path) -> dict[str, str]:
    """Return what a program needs to know: the test's database, and an engine's address and folder."""
    places = {"DATABASE_URL": database_url(), "DATA_DIR": str(data_dir), "CHAIN_DIR": str(data_dir / "chain"), "ENGINE_URL": url}
    return places | {"ENVIRONMENT": "test", "SECRET_KEY": django_settings.SECRET_KEY}


def setting(name: str, value: str) -> str | int | Path:
    """Return what a variable of the environment becomes in the settings."""
    return int(value) if name in NUMBERS else Path(value) if name in FOLDERS else value


class Program(Protocol):
    """A process that somebody started, whichever way."""

    pid: int
    log: int

    def wait(self, timeout: float) -> int: ...


class ForkedProgram:
    """One of forked_main's programs. `given` are its arguments; sockets and connections among them are handed over."""

    def __init__(self, program: Callable[..., None], environment: dict[str, str], given: tuple[Any, ...] = ()) -> None:
        log, theirs = forkserver.Pipe(duplex=False)
        database = {name: django_settings.DATABASES["default"][name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
        overrides: dict[str, Any] = {name: setting(name, value) for name, value in environment.items()}
        overrides["DATABASE_OWNER_URL"] = environment["DATABASE_URL"]
        self._process = forkserver.Process(target=forked_main.main, args=(program, given, theirs, database, overrides))
        self._process.start()
        theirs.close()
        self.log = os.dup(log.fileno())
        log.close()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def wait(self, timeout: float) -> int:
        self._process.join(timeout)
        assert self._process.exitcode is not None
        return self._process.exitcode


class StartedProgram:
    """A program of its own, from the start of its interpreter."""

    def __init__(self, program: tuple[str, ...], environment: dict[str, str], *, descriptors: tuple[int, ...] = ()) -> None:
        self.log, theirs = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, *program],
            cwd=ROOT,
            env=os.environ | environment,
            stdout=theirs,
            stderr=subprocess.STDOUT,
            pass_fds=descriptors,
        )
        os.close(theirs)
        self.pid = self._process.pid

    def wait(self, timeout: float) -> int:
        return self._process.wait(timeout)


def drain(program: Program) -> threading.Thread:
    """Read what a program logs, and forget it: a pipe that is full would stop the program."""
    thread = threading.Thread(target=_read_on, args=(program.log,), daemon=True)
    thread.start()
    return thread


def _read_on(descriptor: int) -> None:
    with open(descriptor, "rb") as log:
        deque(log, 0)
