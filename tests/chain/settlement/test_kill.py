"""kill -9 of the process that settles a batch, at each step of several parts: the next one settles it once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from django.conf import settings as django_settings

from chain.outbox.running import settle
from chain.outbox.settler import Step
from chain.settlement.batches import SHARD
from tests.chain.settlement.desks import SettlementDesk
from tests.chain.settlement.test_route import many
from tests.support.engine import database_url

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[3]
STEPS: tuple[Step, ...] = get_args(Step)
ONLY_ONCE = {"found", "finished"}


class SettlerProcess:
    def __init__(self, desk: SettlementDesk) -> None:
        environment = {
            "DATABASE_URL": database_url(),
            "ENVIRONMENT": "test",
            "SECRET_KEY": django_settings.SECRET_KEY,
            "CHAIN_DIR": str(desk.deployment.folder),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chain.settlement.settler_main", desk.localnet.url],
            cwd=ROOT,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run_to(self, wanted: str, *, at: int) -> str:
        """Let it go on until it names this step for the so-manieth time, or its last word; return that."""
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        left = at
        while (step := self._process.stdout.readline().strip()) in STEPS:
            left -= step == wanted
            if left == 0:
                return step
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        return step

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(timeout=30)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def ticking(desk: SettlementDesk) -> Iterator[SettlementDesk]:
    stop = desk.localnet.tick(slot_ms=20)
    yield desk
    stop()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("at", [pytest.param(1, marks=pytest.mark.nightly), 6])
def test_it_settles_a_batch_once_after_kill_9_at_each_step(ticking: SettlementDesk, step: Step, at: int) -> None:
    desk: Any = ticking
    batches = many(desk)
    wanted = 1 if step in ONLY_ONCE else at

    killed = SettlerProcess(desk)
    reached = killed.run_to(step, at=wanted)
    killed.kill()
    last = settle(shard=SHARD, client=desk.client, route=desk.route(), for_s=60, poll_s=0.01)

    assert (reached, last) == (step, "idle")
    desk.assert_settled_once(batches)
