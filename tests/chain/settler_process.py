"""A settler in a process of its own, stepped and killed by a test."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import get_args

from django.conf import settings

from chain.outbox.running import only_settler
from chain.outbox.settler import Step
from tests.support.engine import database_url

ROOT = Path(__file__).resolve().parents[2]
STEPS: tuple[Step, ...] = get_args(Step)
FREE_S = 10


class SettlerProcess:
    """Start `module`, which names each of its steps on a line and goes on when it is written one."""

    def __init__(self, module: str, *arguments: str, shard: str, environment: dict[str, str] | None = None) -> None:
        self._shard = shard
        own = {"DATABASE_URL": database_url(), "ENVIRONMENT": "test", "SECRET_KEY": settings.SECRET_KEY}
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=os.environ | own | (environment or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run_to(self, wanted: str, *, at: int = 1) -> str:
        """Let it go on until it names this step for the so-manieth time, or its last word; return that."""
        assert self._process.stdout is not None
        left = at
        while (step := self._process.stdout.readline().strip()) in STEPS:
            left -= step == wanted
            if left == 0:
                return step
            self.go_on()
        return step

    def go_on(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        """Kill -9, and wait until PostgreSQL has noticed and gives the shard to the next one."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(timeout=30)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        until = time.monotonic() + FREE_S
        while not _is_free(self._shard):
            assert time.monotonic() < until, f"{self._shard} is still locked {FREE_S} s after its settler was killed"
            time.sleep(0.01)


def _is_free(shard: str) -> bool:
    with only_settler(shard) as alone:
        return alone
