"""kill -9 of the process that settles a batch, at each step of several parts: the next one settles it once."""

from collections.abc import Iterator
from typing import Any

import pytest

from chain.outbox.running import settle
from chain.outbox.settler import Step
from chain.settlement.batches import SHARD
from tests.chain.settlement.desks import SettlementDesk
from tests.chain.settlement.test_route import many
from tests.chain.settler_main import settle_batches
from tests.chain.settler_process import STEPS, SettlerProcess

pytestmark = pytest.mark.django_db(transaction=True)
ONLY_ONCE = {"found", "finished"}


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

    killed = SettlerProcess(settle_batches, desk.localnet.url, shard=SHARD, chain_dir=desk.deployment.folder)
    reached = killed.run_to(step, at=wanted)
    killed.kill()
    last = settle(shard=SHARD, client=desk.client, route=desk.route(), for_s=60, poll_s=0.01)

    assert (reached, last) == (step, "idle")
    desk.assert_settled_once(batches)
