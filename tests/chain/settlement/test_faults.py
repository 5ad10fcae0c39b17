"""What nobody expected halts settlement or money out, with its reason where staff see it; the worker goes on."""

import pytest

from chain.custody.models import ChainAccount, ChainEvent
from chain.models import BatchAccount, Challenged, OutboxShard, Reconciliation, SettledAccount, SettlementBatch
from chain.outbox.faults import halting
from chain.outbox.queue import release
from chain.settlement import challenges
from chain.settlement.metrics import figures
from chain.settlement.running import settlement_pass
from chain.settlement.stops import accept, withdrawals_stopped
from chain.tasks import reconcile_chain, settle_journal
from markets.errors import DomainError
from tests.chain.settlement.desks import SettlementDesk
from tests.chain.settlement.test_challenges import demand, is_answered
from tests.engine.desk import ALICE, BOB

pytestmark = pytest.mark.django_db


def halt_reason(shard: str) -> str:
    found = OutboxShard.objects.filter(name=shard).first()
    return found.halt_reason if found else ""


def metric(name: str) -> float:
    return next(value for known, _, value in figures() if known == name)


def run_pass(desk: SettlementDesk) -> None:
    stop = desk.localnet.tick(slot_ms=20)
    settlement_pass(deployment=desk.deployment, client=desk.client, interval_ms=0)
    stop()
    desk.localnet.finalize()


def test_it_halts_when_what_was_settled_is_not_there(desk: SettlementDesk) -> None:
    desk.trade(5, 10_000)
    desk.settle_batch()
    lost = SettledAccount.objects.get(account_id=ALICE)
    SettledAccount.objects.filter(account_id=ALICE).delete()  # its position is still there
    desk.trade(5, 10_010)
    desk.journal()

    run_pass(desk)
    run_pass(desk)

    assert halt_reason("batches") == f"fault: KeyError: {ALICE}"
    assert metric("qd_outbox_halted") == 1
    assert SettlementBatch.objects.count() == 1
    lost.save(force_insert=True)
    release(shard="batches")
    run_pass(desk)
    desk.assert_settled_once(2)


def test_it_halts_when_a_queued_batch_is_gone(desk: SettlementDesk) -> None:
    made = desk.make()
    assert made is not None
    BatchAccount.objects.all().delete()
    SettlementBatch.objects.all().delete()

    run_pass(desk)

    assert "DoesNotExist" in halt_reason("batches")
    assert desk.deployment.dex.read_exchange(desk.client, commitment="finalized").last_seq == 0


def test_it_answers_other_challenges_when_one_meets_a_fault(desk: SettlementDesk) -> None:
    batch = desk.settle_batch()
    demand(desk, batch, ALICE)
    demand(desk, batch, BOB)
    BatchAccount.objects.filter(account_id=ALICE).update(leaves=[{"kind": "House"}])  # a row that says nothing

    stop = desk.localnet.tick(slot_ms=20)
    challenges.answer_all(desk.deployment, desk.client)
    stop()
    desk.localnet.finalize()

    assert (is_answered(desk, batch, ALICE), is_answered(desk, batch, BOB)) == (False, True)
    noted = Challenged.objects.exclude(error="").values_list("account_address", flat=True)
    assert list(noted) == [str(desk.deployment.account_address(ALICE))]


def test_it_keeps_money_here_when_it_cannot_be_compared(desk: SettlementDesk) -> None:
    desk.trade(5, 10_000)
    desk.settle_batch()
    SettledAccount.objects.filter(account_id=ALICE).delete()

    assert [reconcile_chain(), reconcile_chain()] == [False, False]

    (found,) = Reconciliation.objects.all()
    assert withdrawals_stopped()
    assert found.differences[0]["found"] == f"fault: KeyError: {ALICE}"
    accept(reconciliation=found, by="two people")
    assert not withdrawals_stopped()


def test_it_leaves_to_the_caller_what_may_pass(desk: SettlementDesk) -> None:
    with pytest.raises(DomainError), halting("batches"):
        raise DomainError("The engine does not answer.")
    assert halt_reason("batches") == ""
    settle_journal()
    ChainEvent.objects.create(number=1, kind="Deposited", signature="x", slot=1, error="fault: KeyError: 5")
    assert metric("qd_chain_events_held") == 1
    assert not ChainAccount.objects.exists()
