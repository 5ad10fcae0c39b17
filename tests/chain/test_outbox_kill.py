"""kill -9 of the settler's process at each step: settled exactly once by the next one. And two settlers do not work at once."""

from collections.abc import Iterator

import pytest

from chain.client import ChainClient
from chain.localnet.faults import Dropped, ForkedAway, Late, SubmissionFault
from chain.models import OutboxAttempt, OutboxEntry
from chain.outbox.running import only_settler, settle
from chain.outbox.settler import Step
from tests.chain.localnets import Localnet, localnet
from tests.chain.settler_main import settle_transfers
from tests.chain.settler_process import STEPS, SettlerProcess
from tests.chain.transfers import SHARD, Desk

__all__ = ["localnet"]

pytestmark = pytest.mark.django_db(transaction=True)


def settler(desk: Desk) -> SettlerProcess:
    return SettlerProcess(settle_transfers, desk.localnet.url, str(desk.alice), desk.accounts, shard=SHARD)


@pytest.fixture
def desk(localnet: Localnet) -> Iterator[Desk]:
    desk = Desk(localnet)
    stop = localnet.tick(slot_ms=10)
    yield desk
    stop()


@pytest.mark.parametrize("step", STEPS)
def test_it_settles_once_after_kill_9_at_each_step(desk: Desk, step: Step) -> None:
    desk.queue(5, 7)

    settle_over_a_kill(desk, step)

    assert_settled_once(desk, 5, 7)


@pytest.mark.nightly
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("faults", [(Dropped(),), (ForkedAway(2),), (Late(151), Dropped())], ids=["dropped", "forked", "expired"])
def test_it_settles_once_after_kill_9_at_each_step_and_faults(desk: Desk, step: Step, faults: tuple[SubmissionFault, ...]) -> None:
    desk.queue(5, 7)
    desk.localnet.faults.submission(*faults)

    settle_over_a_kill(desk, step)

    assert_settled_once(desk, 5, 7)


def test_it_leaves_a_shard_to_the_settler_that_is_at_it(desk: Desk) -> None:
    desk.queue(5)
    first = settler(desk)
    first.run_to("stored")

    with ChainClient(desk.localnet.url) as client:
        beside = settle(shard=SHARD, client=client, route=desk.route, for_s=30)
        first.kill()
        with only_settler("another shard") as alone:
            after = settle(shard=SHARD, client=client, route=desk.route, for_s=30, poll_s=0.005)

    assert (beside, alone, after) == (None, True, "idle")
    assert_settled_once(desk, 5)


def settle_over_a_kill(desk: Desk, step: Step) -> None:
    """Kill a settler's process at this step; another settler, here, does the rest."""
    killed = settler(desk)
    reached = killed.run_to(step)
    killed.kill()
    with ChainClient(desk.localnet.url) as client:
        last = settle(shard=SHARD, client=client, route=desk.route, for_s=60, poll_s=0.005)
    assert (reached, last) == (step, "idle")


def assert_settled_once(desk: Desk, *amounts: int) -> None:
    assert (desk.received(), desk.counted()) == (sum(amounts), len(amounts))
    assert set(OutboxEntry.objects.values_list("state", flat=True)) == {OutboxEntry.State.FINAL}
    assert OutboxAttempt.objects.filter(state=OutboxAttempt.State.FINAL).count() == len(amounts)
