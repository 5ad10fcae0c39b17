"""What was settled long ago is forgotten, and nothing else: proofs that are kept hold, and settlement goes on."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from chain.models import BatchAccount, Challenged, OutboxAttempt, OutboxEntry, Reconciliation, SettlementBatch, SignedOrderRecord
from chain.outbox.queue import enqueue
from chain.settlement.reconciliation import reconcile
from chain.settlement.retention import forget
from chain.tasks import forget_settled
from tests.chain.settlement.desks import Owner, SettlementDesk
from tests.chain.settlement.test_challenges import demand
from tests.chain.settlement.test_proofs import ask, person
from tests.engine.desk import BOB

pytestmark = pytest.mark.django_db
DAVE = 1_010
DAY_MS = 86_400_000


def turn_epochs(desk: SettlementDesk) -> None:
    """Let the challenge windows of every batch so far pass."""
    instruction = desk.deployment.dex.program.instruction("turn_epoch", {}, {"exchange": desk.deployment.dex.exchange})
    payer = desk.rich()
    for _ in range(2):
        exchange = desk.deployment.dex.read_exchange(desk.client, commitment="finalized")
        desk.pass_time(max(exchange.open_deadline, exchange.closing_deadline))
        desk.submit(payer, instruction)


def age(batches: Iterable[int]) -> None:
    """Let batches have been settled ten days ago."""
    then = timezone.now() - timedelta(days=10)
    rows = SettlementBatch.objects.filter(seq__in=list(batches))
    for row in rows:
        row.begin_ms, row.end_ms, row.deadline = row.begin_ms - 10 * DAY_MS, row.end_ms - 10 * DAY_MS, int(then.timestamp())
        row.save()
    OutboxEntry.objects.filter(batch__in=rows).update(finalized_at=then)


@pytest.fixture
def old(desk: SettlementDesk, settings: Any) -> tuple[SettlementDesk, Owner]:
    """Four batches, each but the first with a trade of Dave's; three are old, and all are final."""
    settings.LOCALNET, settings.PROOF_RETENTION_DAYS = True, 5
    desk.settle_batch()
    dave = desk.adopt(DAVE)
    for price in (10_000, 10_001, 10_002):
        dave.trade("buy", 5, price, other=BOB)
        desk.settle_batch()
    turn_epochs(desk)
    age((1, 2, 3))
    return desk, dave


def test_it_forgets_what_is_old_and_keeps_the_rest(old: tuple[SettlementDesk, Owner]) -> None:
    desk, _ = old
    SignedOrderRecord.objects.filter(filled_lots__gt=0).update(expiry_ms=5)
    last = SignedOrderRecord.objects.order_by("-order_id").first()
    assert last is not None
    SignedOrderRecord.objects.filter(pk=last.pk).update(expiry_ms=2**62)

    counts = forget(deployment=desk.deployment, client=desk.client)

    assert (counts["batches"], counts["orders"]) == (3, 2)
    assert list(SettlementBatch.objects.values_list("seq", flat=True)) == [3, 4]
    assert set(BatchAccount.objects.values_list("batch_id", flat=True)) == {4}
    assert (
        set(OutboxEntry.objects.values_list("seq", flat=True)) == set(OutboxAttempt.objects.values_list("entry__seq", flat=True)) == {3, 4}
    )
    assert set(forget_settled().values()) == {0}
    dave = person("dave", DAVE)
    for trade_id in (1, 2):
        gone = ask(dave, f"proofs/{trade_id}/", 410)["error"]
        assert (gone["code"], gone["data"]["kept_days"]) == ("PROOF_GONE", 5)
    assert ask(dave, "proofs/3/")["batch"]["final"]


def test_it_goes_on_settling_and_comparing_afterwards(old: tuple[SettlementDesk, Owner]) -> None:
    desk, dave = old
    forget(deployment=desk.deployment, client=desk.client)
    Reconciliation.objects.create(
        checked_at=timezone.now() - timedelta(days=10), slot=1, batch_seq=1, phase="Live", vault_atoms=0, total_atoms=0, users_atoms=0,
        accounts=0, compared=0, ok=True,
    )  # fmt: skip
    dave.trade("sell", 5, 10_000, other=BOB)

    desk.settle_batch()

    found = reconcile(deployment=desk.deployment, client=desk.client)
    assert found is not None
    assert (found.ok, found.differences) == (True, [])
    age((4,))
    turn_epochs(desk)
    counts = forget(deployment=desk.deployment, client=desk.client)
    assert (counts["batches"], counts["comparisons"]) == (1, 1)
    assert list(SettlementBatch.objects.values_list("seq", flat=True)) == [4, 5]


def test_it_keeps_what_can_still_be_asked_for(desk: SettlementDesk, settings: Any) -> None:
    """Old, but not final; then final, but with a demand that nobody has answered."""
    settings.PROOF_RETENTION_DAYS = 5
    batch = desk.settle_batch()
    age((1,))
    assert forget(deployment=desk.deployment, client=desk.client)["batches"] == 0

    SettlementBatch.objects.update(epoch=0)  # as if it were final
    demand(desk, batch, BOB)
    Challenged.objects.create(address="a", batch_seq=1, account_address="b", challenger="c", leaves=1)
    assert forget(deployment=desk.deployment, client=desk.client)["batches"] == 0
    Challenged.objects.update(answered=True)
    assert forget(deployment=desk.deployment, client=desk.client)["batches"] == 1
    assert not Challenged.objects.exists()


def test_it_keeps_the_last_entry_of_each_shard_of_vouchers(desk: SettlementDesk, settings: Any) -> None:
    settings.PROOF_RETENTION_DAYS = 5
    for _ in range(3):
        enqueue(shard="vouchers 5", payload=b"x")
    long_ago = timezone.now() - timedelta(days=10)
    OutboxEntry.objects.update(state=OutboxEntry.State.FINAL, finalized_at=long_ago)

    assert forget(deployment=desk.deployment, client=desk.client)["entries"] == 2
    assert list(OutboxEntry.objects.values_list("seq", flat=True)) == [3]
    assert enqueue(shard="vouchers 5", payload=b"y").seq == 4
