"""A settler in a process of its own, stepped and killed by a test."""

import os
import signal
import time
from collections.abc import Callable
from multiprocessing import Pipe
from pathlib import Path
from typing import Any, get_args

from chain.outbox.running import only_settler
from chain.outbox.settler import Step
from tests.support.engine import START_SECONDS
from tests.support.forked import ForkedProgram, database_url, drain

STEPS: tuple[Step, ...] = get_args(Step)
FREE_S = 60


class SettlerProcess:
    """Run one of settler_main's programs, which names each of its steps and goes on when it is told to."""

    def __init__(self, program: Callable[..., None], *arguments: Any, shard: str, chain_dir: Path | None = None) -> None:
        self._shard = shard
        known = {"DATABASE_URL": database_url()} | ({"CHAIN_DIR": str(chain_dir)} if chain_dir else {})
        self._steps, theirs = Pipe()
        self._process = ForkedProgram(program, known, (theirs, *arguments))
        theirs.close()
        self._drain = drain(self._process)

    def run_to(self, wanted: str, *, at: int = 1) -> str:
        """Let it go on until it names this step for the so-manieth time, or its last word; return that."""
        left = at
        while (step := str(self._steps.recv())) in STEPS:
            left -= step == wanted
            if left == 0:
                return step
            self.go_on()
        return step

    def go_on(self) -> None:
        self._steps.send(None)

    def kill(self) -> None:
        """Kill -9, and wait until PostgreSQL has noticed and gives the shard to the next one."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait(START_SECONDS)
        self._drain.join(START_SECONDS)
        self._steps.close()
        until = time.monotonic() + FREE_S
        while not _is_free(self._shard):
            assert time.monotonic() < until, f"{self._shard} is still locked {FREE_S} s after its settler was killed"
            time.sleep(0.01)


def _is_free(shard: str) -> bool:
    with only_settler(shard) as alone:
        return alone
