"""The outbox settles each entry exactly once: every fault of the localnet at every step, and crashes at every step."""

from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
from django.db import IntegrityError, transaction

from chain.client import ChainClient
from chain.errors import ChainUnavailable
from chain.localnet.errors import NODE_UNHEALTHY, RpcError
from chain.localnet.faults import Dropped, Failed, ForkedAway, Late, ReplyLost, SubmissionFault
from chain.models import OutboxAttempt, OutboxEntry, OutboxShard
from chain.outbox.queue import enqueue, entry_hash, halt, release
from chain.outbox.running import settle
from chain.outbox.settler import Progress, Settler, Step, ignore
from tests.chain.localnets import Localnet, localnet
from tests.chain.transfers import MONEY, SHARD, Desk, TransferRoute

__all__ = ["localnet"]

pytestmark = pytest.mark.django_db
STEPS: tuple[Step, ...] = get_args(Step)
SUBMISSIONS: list[tuple[SubmissionFault, ...]] = [
    (),
    (Dropped(),),
    (Dropped(), Dropped(), Late(2)),
    (Late(3),),
    (Late(100), *[Dropped()] * 110),
    (Late(151), *[Dropped()] * 160),
    (ForkedAway(1),),
    (ForkedAway(2, returns=True),),
    (ForkedAway(3), ForkedAway(2), Dropped()),
]
CALLS = (
    "getEpochInfo",
    "getAccountInfo",
    "getRecentPrioritizationFees",
    "getLatestBlockhash",
    "simulateTransaction",
    "getSignatureStatuses",
)
BEHIND = RpcError(NODE_UNHEALTHY, "Node is behind by 42 slots", {"numSlotsBehind": 42})
MOST_STEPS = 1_200
SLOWLY = 40  # steps with a block after each: who is not done then waits for a transaction to expire


def by_night(*faults: SubmissionFault) -> Any:
    return pytest.param(faults, marks=pytest.mark.nightly)


class Killed(BaseException):
    """The settler ends between two steps, as by kill -9."""


@pytest.fixture
def desk(localnet: Localnet) -> Desk:
    return Desk(localnet)


@pytest.fixture
def client(localnet: Localnet) -> Iterator[ChainClient]:
    with ChainClient(localnet.url, retry_after_s=()) as client:
        yield client


def settler(desk: Desk, client: ChainClient, observe: Callable[[Step], None] = ignore) -> Settler:
    return Settler(shard=SHARD, client=client, route=desk.route, resend_after_s=0, observe=observe)


def settle_all(desk: Desk, client: ChainClient, observe: Callable[[Step], None] = ignore) -> Progress:
    """Step through everything, a block after each step; a settler that is killed is followed by a new one."""
    worker = settler(desk, client, observe)
    for number in range(MOST_STEPS):
        try:
            progress = worker.step()
        except ChainUnavailable:
            progress = "waiting"
        except Killed:
            worker, progress = settler(desk, client), "waiting"
        if progress in ("idle", "halted"):
            return progress
        desk.localnet.advance(1 if number < SLOWLY else 10)
    raise AssertionError("it never ends")


def once(wanted: Step, act: Callable[[], None]) -> Callable[[Step], None]:
    """Act the first time that this step comes."""
    left = [act]

    def observe(step: Step) -> None:
        if step == wanted and left:
            left.pop()()

    return observe


def assert_settled_once(desk: Desk, *amounts: int) -> None:
    assert (desk.received(), desk.counted()) == (sum(amounts), len(amounts))
    assert set(OutboxEntry.objects.values_list("state", flat=True)) == {OutboxEntry.State.FINAL}
    assert OutboxAttempt.objects.filter(state=OutboxAttempt.State.FINAL).count() == len(amounts)
    assert not OutboxAttempt.objects.filter(state=OutboxAttempt.State.OPEN).exists()


def test_it_settles_what_was_queued_in_order(desk: Desk, client: ChainClient) -> None:
    desk.queue(5, 7, 11)

    progress = settle_all(desk, client)

    assert progress == "idle"
    assert_settled_once(desk, 5, 7, 11)
    slots = [slot for slot in OutboxAttempt.objects.order_by("entry__seq").values_list("slot", flat=True) if slot is not None]
    assert len(slots) == 3
    assert slots == sorted(slots)


def test_it_keeps_one_entry_in_flight(desk: Desk, client: ChainClient) -> None:
    desk.queue(5, 7)
    worker = settler(desk, client)

    worker.step()
    worker.step()

    assert list(OutboxEntry.objects.values_list("state", flat=True)) == ["sending", "queued"]
    with pytest.raises(IntegrityError), transaction.atomic():
        OutboxEntry.objects.filter(seq=2).update(state="sending")


@pytest.mark.parametrize("faults", SUBMISSIONS, ids=[str(faults)[:60] for faults in SUBMISSIONS])
def test_it_settles_once_whatever_becomes_of_a_transaction(desk: Desk, client: ChainClient, faults: tuple[SubmissionFault, ...]) -> None:
    desk.queue(5, 7)
    desk.localnet.faults.submission(*faults)

    assert settle_all(desk, client) == "idle"

    assert_settled_once(desk, 5, 7)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("faults", [(), (Dropped(),), by_night(Late(2)), by_night(ForkedAway(2))], ids=str)
def test_it_settles_once_when_it_is_killed_at_a_step_and_transactions_meet_faults(
    desk: Desk, client: ChainClient, step: Step, faults: tuple[SubmissionFault, ...]
) -> None:
    def die() -> None:
        raise Killed

    desk.queue(5, 7)
    desk.localnet.faults.submission(*faults)

    assert settle_all(desk, client, once(step, die)) == "idle"

    assert_settled_once(desk, 5, 7)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("returns", [False, True])
def test_it_settles_once_when_the_chain_forks_at_a_step(desk: Desk, client: ChainClient, step: Step, returns: bool) -> None:
    desk.queue(5, 7)

    def fork() -> None:
        desk.localnet.fork(2, returns=returns)

    desk.localnet.advance(4)

    assert settle_all(desk, client, once(step, fork)) == "idle"

    assert_settled_once(desk, 5, 7)


@pytest.mark.parametrize("fault", [ReplyLost(), BEHIND], ids=["lost", "behind"])
@pytest.mark.parametrize("method", [*CALLS, "sendTransaction"])
def test_it_settles_once_when_calls_fail(desk: Desk, client: ChainClient, method: str, fault: ReplyLost | RpcError) -> None:
    desk.queue(5, 7)
    desk.localnet.faults.reply(method, fault, fault, fault)

    assert settle_all(desk, client) == "idle"

    assert_settled_once(desk, 5, 7)


@pytest.mark.parametrize("step", STEPS)
def test_it_settles_once_when_the_node_fails_at_a_step(desk: Desk, client: ChainClient, step: Step) -> None:
    desk.queue(5, 7)

    def fail() -> None:
        for method in (*CALLS, "sendTransaction"):
            desk.localnet.faults.reply(method, BEHIND, ReplyLost())

    assert settle_all(desk, client, once(step, fail)) == "idle"

    assert_settled_once(desk, 5, 7)


def test_it_sends_the_same_bytes_until_they_cannot_land_any_more(desk: Desk, client: ChainClient) -> None:
    desk.queue(5)
    desk.localnet.faults.submission(*[Dropped()] * 1_000)
    worker = settler(desk, client)

    seen, heights = [], []
    for _ in range(158):
        heights.append(client.point("finalized").block_height)
        seen.append(worker.step())
        desk.localnet.advance()

    first = OutboxAttempt.objects.order_by("id").first()
    assert first is not None
    assert (first.state, first.sends) == (OutboxAttempt.State.EXPIRED, seen.index("expired"))
    assert set(seen[: seen.index("expired")]) == {"sent"}
    # It gave up at the first final block in which the bytes could not land any more, and signed anew then, not before.
    assert heights[seen.index("expired")] == first.last_valid_block_height + 1
    assert OutboxAttempt.objects.count() == 2


def test_it_stores_a_signature_before_anybody_sees_it(desk: Desk, client: ChainClient) -> None:
    desk.queue(5)
    seen: dict[Step, tuple[int, bool]] = {}

    def look(step: Step) -> None:
        stored = OutboxAttempt.objects.filter(state=OutboxAttempt.State.OPEN)
        seen[step] = (stored.count(), desk.landed_anything())

    settler(desk, client, look).step()

    assert seen["built"] == (0, False)
    assert seen["stored"] == (1, False)
    assert seen["sent"] == (1, True)


def test_it_waits_between_two_sendings(desk: Desk, client: ChainClient) -> None:
    desk.queue(5)
    desk.localnet.faults.submission(Dropped())
    worker = Settler(shard=SHARD, client=client, route=desk.route, resend_after_s=3_600)

    assert [worker.step(), worker.step(), worker.step()] == ["sent", "waiting", "waiting"]


@pytest.mark.parametrize("step", STEPS)
def test_it_quarantines_what_failed_for_good_and_halts(desk: Desk, client: ChainClient, step: Step) -> None:
    def die() -> None:
        raise Killed

    desk.queue(5, 7)
    desk.localnet.faults.submission(Failed({"InstructionError": [0, {"Custom": 6001}]}))

    assert settle_all(desk, client, once(step, die)) == "halted"

    assert (desk.received(), desk.counted()) == (0, 0)
    assert list(OutboxEntry.objects.values_list("state", flat=True)) == ["quarantined", "queued"]
    assert "6001" in OutboxShard.objects.get().halt_reason
    assert settle_all(desk, client) == "halted"


def test_it_does_not_believe_a_failure_that_is_forked_away(desk: Desk, client: ChainClient) -> None:
    desk.queue(5)
    desk.localnet.faults.submission(Failed({"InstructionError": [0, {"Custom": 6001}]}))
    worker = settler(desk, client)
    worker.step()
    desk.localnet.advance()
    before = worker.step()
    desk.localnet.fork(1)

    assert before == "waiting"
    assert settle_all(desk, client) == "idle"
    assert_settled_once(desk, 5)


def test_it_quarantines_what_its_simulation_refuses_without_sending_it(desk: Desk, client: ChainClient) -> None:
    desk.queue(MONEY + 1, 7)

    assert settle_all(desk, client) == "halted"

    assert OutboxAttempt.objects.count() == 0
    assert OutboxEntry.objects.get(seq=1).state == OutboxEntry.State.QUARANTINED


def test_it_goes_on_when_staff_have_removed_the_cause(desk: Desk, client: ChainClient) -> None:
    desk.queue(5, 7)
    desk.localnet.faults.submission(Failed({"InstructionError": [0, {"Custom": 6001}]}))
    settle_all(desk, client)

    release(shard=SHARD)

    assert settle_all(desk, client) == "idle"
    assert_settled_once(desk, 5, 7)


def test_it_halts_when_somebody_else_has_settled(desk: Desk, client: ChainClient) -> None:
    desk.queue(5)
    entry = OutboxEntry.objects.get()
    foreign = desk.localnet.signed(desk.alice, *desk.route.instructions(entry))
    desk.localnet.client.send_raw_transaction(bytes(foreign))
    seen = settler(desk, client).step()
    desk.localnet.finalize()

    assert seen == "waiting"
    assert settle_all(desk, client) == "halted"
    assert OutboxShard.objects.get().halt_reason == "entry 1: the chain is at 1, the outbox at 0"
    assert OutboxAttempt.objects.count() == 0


def test_it_signs_nothing_again_when_the_sequence_moved_though_its_status_is_unknown(desk: Desk, client: ChainClient) -> None:
    desk.queue(5)
    desk.localnet.faults.submission(*[Dropped()] * 1_000)
    worker = settler(desk, client)
    worker.step()
    foreign = desk.localnet.signed(desk.alice, *desk.route.instructions(OutboxEntry.objects.get()))
    desk.localnet.do(lambda: desk.localnet.chain.land(foreign))
    desk.localnet.advance(160)

    assert settle_all(desk, client) == "halted"

    assert desk.counted() == 1
    assert OutboxAttempt.objects.get().state == OutboxAttempt.State.OPEN


@pytest.mark.parametrize("change", [{"payload": b"\x09"}, {"hash": bytes(32)}, {"prev_hash": b"\1" * 32}], ids=str)
def test_it_halts_when_a_queued_row_was_changed(desk: Desk, client: ChainClient, change: dict[str, bytes]) -> None:
    desk.queue(5, 7)
    OutboxEntry.objects.filter(seq=2).update(**change)

    assert settle_all(desk, client) == "halted"

    assert (desk.received(), desk.counted()) == (5, 1)
    assert "does not follow" in OutboxShard.objects.get().halt_reason


def test_it_links_entries_by_their_hashes() -> None:
    first, second = enqueue(shard="a", payload=b"one"), enqueue(shard="a", payload=b"two")
    other = enqueue(shard="b", payload=b"one")

    assert (first.seq, second.seq, other.seq) == (1, 2, 1)
    assert second.prev_hash == first.hash == other.hash
    assert second.hash == entry_hash(prev_hash=bytes(first.hash), seq=2, payload=b"two")


def test_it_keeps_the_first_reason_of_a_halt() -> None:
    enqueue(shard="a", payload=b"one")

    halt(shard="a", reason="first")
    halt(shard="a", reason="second")

    assert OutboxShard.objects.get().halt_reason == "first"


def test_it_runs_until_nothing_is_left(desk: Desk) -> None:
    desk.queue(5, 7)
    ticking = desk.localnet.tick(slot_ms=5)

    with ChainClient(desk.localnet.url) as client:
        progress = settle(shard=SHARD, client=client, route=TransferRoute(desk.alice, desk.accounts), for_s=50.0)
    ticking()

    assert progress == "idle"
    assert_settled_once(desk, 5, 7)
