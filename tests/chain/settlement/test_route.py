"""A batch is settled once over its transactions: every fault of the localnet, and crashes at every step."""

from collections.abc import Callable
from itertools import count
from typing import get_args

import pytest
from solders.instruction import AccountMeta, Instruction
from spl.token.constants import TOKEN_PROGRAM_ID

from chain.errors import ChainUnavailable
from chain.localnet.errors import NODE_UNHEALTHY, RpcError
from chain.localnet.faults import Dropped, Failed, ForkedAway, Late, ReplyLost, SubmissionFault
from chain.models import OutboxAttempt, OutboxEntry, OutboxShard
from chain.outbox.queue import release
from chain.outbox.settler import Step
from chain.settlement.models import SettlementBatch
from markets.ledger import FEES
from tests.chain.settlement.desks import Killed, Owner, SettlementDesk
from tests.engine.desk import ALICE, BOB, CHARLIE, USDC

pytestmark = pytest.mark.django_db
STEPS: tuple[Step, ...] = get_args(Step)
MANY = range(2_000, 2_012)
SUBMISSIONS: list[tuple[SubmissionFault, ...]] = [
    (Dropped(), Dropped(), Dropped()),
    (Late(3), Late(1), Late(4), Late(2)),
    (Late(151), *[Dropped()] * 160),
    (ForkedAway(1), ForkedAway(1), ForkedAway(1), ForkedAway(1)),
    (ForkedAway(3), ForkedAway(2, returns=True), ForkedAway(3), Dropped()),
]
CALLS = ("getEpochInfo", "getAccountInfo", "getMultipleAccounts", "getLatestBlockhash", "simulateTransaction", "getSignatureStatuses")
BEHIND = RpcError(NODE_UNHEALTHY, "Node is behind by 42 slots", {"numSlotsBehind": 42})


def many(desk: SettlementDesk) -> int:
    """Queue a batch that takes several transactions: accounts to be opened, and changes that fill more than one."""
    for account_id in MANY:
        desk.join(account_id, 100 * USDC)
        desk.trade(1, 10_000, buyer=account_id, seller=BOB)
    assert desk.make() is not None
    return 1


def once(wanted: Step, act: Callable[[], None], *, at: int = 1) -> Callable[[Step], None]:
    """Act when this step comes for the so-manieth time."""
    seen = [0]

    def observe(step: Step) -> None:
        if step == wanted:
            seen[0] += 1
            if seen[0] == at:
                act()

    return observe


def die() -> None:
    raise Killed


def noise(owner: Owner) -> list[Instruction]:
    """Return instructions whose logs fill what a transaction may log: transfers of nothing to oneself."""
    account = AccountMeta(owner.place.token_account, is_signer=False, is_writable=True)
    holder = AccountMeta(owner.wallet.pubkey(), is_signer=True, is_writable=False)
    return [Instruction(TOKEN_PROGRAM_ID, bytes([3]) + bytes(8), [account, account, holder]) for _ in range(40)]


def parts(seq: int) -> list[str]:
    return list(OutboxAttempt.objects.filter(entry__seq=seq).order_by("id").values_list("state", flat=True))


def test_it_settles_a_large_batch_in_parts(desk: SettlementDesk) -> None:
    batches = many(desk)

    assert desk.settle() == "idle"

    desk.assert_settled_once(batches)
    assert len(parts(1)) >= 8
    assert set(parts(1)) == {OutboxAttempt.State.FINAL}


def test_it_does_not_wait_for_finality_between_parts(desk: SettlementDesk) -> None:
    many(desk)
    worker = desk.settler()

    signed = 0
    for _ in range(40):
        worker.step()
        desk.localnet.advance()
        signed = max(signed, OutboxAttempt.objects.filter(state=OutboxAttempt.State.OPEN).count())

    assert signed > 1


@pytest.mark.parametrize("faults", SUBMISSIONS, ids=[str(faults)[:50] for faults in SUBMISSIONS])
def test_it_settles_once_whatever_becomes_of_its_transactions(desk: SettlementDesk, faults: tuple[SubmissionFault, ...]) -> None:
    batches = many(desk)
    desk.localnet.faults.submission(*faults)

    assert desk.settle() == "idle"

    desk.assert_settled_once(batches)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("at", [4, *(pytest.param(at, marks=pytest.mark.nightly) for at in (1, 7))])
def test_it_settles_once_when_it_is_killed_at_a_step(desk: SettlementDesk, step: Step, at: int) -> None:
    batches = many(desk)

    assert desk.settle(once(step, die, at=1 if step in {"found", "finished"} else at)) == "idle"

    desk.assert_settled_once(batches)


@pytest.mark.nightly
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("faults", [(Dropped(),), (Late(2), Late(2)), (ForkedAway(2), ForkedAway(2))], ids=str)
def test_it_settles_once_when_it_is_killed_and_transactions_meet_faults(
    desk: SettlementDesk, step: Step, faults: tuple[SubmissionFault, ...]
) -> None:
    batches = many(desk)
    desk.localnet.faults.submission(*faults)

    assert desk.settle(once(step, die)) == "idle"

    desk.assert_settled_once(batches)


@pytest.mark.parametrize("step", ["stored", "sent", "found"])
def test_it_settles_once_when_the_chain_forks_at_a_step(desk: SettlementDesk, step: Step) -> None:
    batches = many(desk)
    desk.localnet.advance(4)

    assert desk.settle(once(step, lambda: desk.localnet.fork(2), at=1 if step == "found" else 5)) == "idle"

    desk.assert_settled_once(batches)


@pytest.mark.parametrize("fault", [ReplyLost(), BEHIND], ids=["lost", "behind"])
def test_it_settles_once_when_calls_fail(desk: SettlementDesk, fault: ReplyLost | RpcError) -> None:
    batches = many(desk)
    for method in (*CALLS, "sendTransaction"):
        desk.localnet.faults.reply(method, fault, fault, fault)

    assert desk.settle() == "idle"

    desk.assert_settled_once(batches)


@pytest.mark.parametrize("noisy", [False, True], ids=["told", "with its logs cut"])
def test_it_goes_on_when_a_deposit_slips_in_between_its_parts(desk: SettlementDesk, caplog: pytest.LogCaptureFixture, noisy: bool) -> None:
    """A deposit just before an account's change is posted, and one just after: the program's tree is met all the same."""
    desk.settle_batch()
    dave, erin = desk.adopt(1_010), desk.adopt(1_011)
    for account_id in MANY:
        desk.join(account_id, 100 * USDC)
    dave.trade("buy", 5, 10_000, other=BOB)
    desk.fund_wallet(dave, 1_000)
    desk.fund_wallet(erin, 1_000)
    assert desk.make() is not None

    def deposit() -> None:
        for owner in (dave, erin):
            desk.pass_on(owner.wallet, *(noise(owner) if noisy else ()), owner.place.deposit(3 * USDC))

    worker = desk.settler(lambda step: deposit() if step in {"built", "sent"} and len(parts(2)) in range(1, 9) else None)
    progress = "waiting"
    for _ in range(400):
        try:
            progress = worker.step()
        except ChainUnavailable:
            progress = "waiting"
        if progress in ("idle", "halted"):
            break
        desk.localnet.advance()

    assert (progress, OutboxShard.objects.get(name="batches").halt_reason) == ("idle", "")
    assert "vault_moved_in_between" in caplog.text
    batch = SettlementBatch.objects.get(seq=2)
    assert bytes(batch.root or b"") == bytes(desk.deployment.dex.program.account("Batch", desk.batch_account(2)).root)
    deposited = desk.on_chain(1_010)[0] - (desk.engine.state.accounts[1_010].usdc_atoms() - 5 * USDC * 10)
    assert deposited > 0


def test_it_settles_although_a_stranger_deposits_into_the_exchanges_account_each_time(desk: SettlementDesk) -> None:
    """One transaction for all of a batch says what everybody has; whoever changes that before it lands, makes it fail."""
    desk.settle_batch()
    mallory = desk.adopt(1_010)
    desk.fund_wallet(mallory, 1_000)
    desk.settle_batch()
    desk.trade(1, 10_000, buyer=ALICE, seller=BOB)
    assert desk.make() is not None
    given = count()

    def deposit() -> None:
        desk.pass_on(mallory.wallet, deposit_to(desk, mallory, FEES, 1 + next(given)))
        desk.localnet.advance()

    assert desk.settle(lambda step: deposit() if step == "built" else None) == "idle"

    tries = OutboxAttempt.objects.filter(entry__seq=3).order_by("id").values_list("last", "state")
    assert list(tries) == [(True, "failed"), (False, "final"), (False, "final"), (True, "final")]
    owed = desk.engine.state.accounts[FEES].usdc_atoms()
    assert desk.on_chain(FEES) == {0: owed + sum(range(1, 1 + next(given)))}
    assert OutboxShard.objects.get(name="batches").halted_at is None


def deposit_to(desk: SettlementDesk, giver: Owner, account_id: int, atoms: int) -> Instruction:
    """Return a deposit into an account that is not the giver's, as anybody may make it."""
    made = giver.place.deposit(atoms)
    own, other = giver.place.user, desk.deployment.account_address(account_id)
    metas = [
        AccountMeta(other if meta.pubkey == own else meta.pubkey, is_signer=meta.is_signer, is_writable=meta.is_writable)
        for meta in made.accounts
    ]
    return Instruction(made.program_id, bytes(made.data), metas)


def test_it_quarantines_what_failed_for_good_and_goes_on_when_staff_say_so(desk: SettlementDesk) -> None:
    batches = many(desk)
    desk.localnet.faults.submission(Failed({"InstructionError": [0, {"Custom": 6001}]}))

    assert desk.settle() == "halted"
    assert OutboxEntry.objects.get().state == OutboxEntry.State.QUARANTINED

    release(shard="batches")
    assert desk.settle() == "idle"
    desk.assert_settled_once(batches)


def test_it_settles_a_fill_after_the_price_has_moved_by_a_fifth(desk: SettlementDesk) -> None:
    """Matched at 1,000, settled at 800: an account's health rejects no batch."""
    desk.settle_batch()
    dave = desk.adopt(1_010, usdc=110)
    dave.trade("buy", 50, 10_000, other=BOB)
    assert desk.make() is not None

    desk.reprice(800)
    assert desk.settle() == "idle"
    desk.assert_settled_once(2)

    desk.trade(50, 10_010, buyer=CHARLIE, seller=ALICE)
    desk.settle_batch()
    desk.assert_settled_once(3)
