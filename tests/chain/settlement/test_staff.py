"""Staff see settlement, and two of them loosen a stop; the keeper's commands do what anyone may."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.approvals.models import Approval
from accounts.approvals.services import approvals_execute_due
from accounts.models import User
from chain.models import OutboxEntry, OutboxShard, Reconciliation, SettledAccount
from chain.outbox.queue import halt
from chain.settlement.reconciliation import reconcile
from chain.settlement.stops import withdrawals_stopped
from markets.ledger import FAUCET
from tests.chain.settlement.desks import SettlementDesk
from tests.chain.settlement.test_challenges import demand, is_answered
from tests.engine.desk import ALICE, BOB

pytestmark = pytest.mark.django_db
PAGES = ("outboxshard", "outboxentry", "settlementbatch", "reconciliation", "challenged", "signedorderrecord")


def browser(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser(name, password="an-evening-in-november"))
    return client


def decide(page: str, pk: object, action: str) -> None:
    """Ann asks for it, Ben agrees."""
    ann, ben = browser("ann"), browser("ben")
    ann.post(f"/admin/chain/{page}/", {"_selected_action": [pk], "action": action, "reason": "We know why."})
    choice = {"_selected_action": [Approval.objects.get().pk], "action": "approve"}
    ann.post("/admin/accounts/approval/", choice)
    assert approvals_execute_due() == []  # nobody agrees with himself
    ben.post("/admin/accounts/approval/", choice)
    assert len(approvals_execute_due()) == 1


def keeper(*words: str) -> str:
    out = StringIO()
    call_command("keeper", *words, stdout=out)
    return out.getvalue()


def test_it_shows_staff_every_page(desk: SettlementDesk) -> None:
    desk.settle_batch()
    dave = desk.adopt(1_010)
    dave.trade("buy", 5, 10_000, other=BOB)
    batch = desk.settle_batch()
    demand(desk, batch, 1_010)
    reconcile(deployment=desk.deployment, client=desk.client)
    staff = browser("ann")

    for page in PAGES:
        assert staff.get(f"/admin/chain/{page}/").status_code == 200
    entry = OutboxEntry.objects.filter(shard_id="batches").first()
    assert entry is not None
    shown = staff.get(f"/admin/chain/settlementbatch/{batch.seq}/change/").content.decode()
    assert str(dave.place.user) in shown
    assert staff.get(f"/admin/chain/outboxentry/{entry.pk}/change/").status_code == 200
    assert staff.get("/admin/chain/outboxshard/batches/change/").status_code == 200
    assert staff.get(f"/admin/chain/reconciliation/{Reconciliation.objects.get().pk}/change/").status_code == 200
    assert Client().get("/admin/chain/settlementbatch/").status_code == 302


def test_it_takes_two_to_accept_a_difference(desk: SettlementDesk) -> None:
    desk.settle_batch()
    SettledAccount.objects.filter(account_id=ALICE).update(balance_atoms=5)
    found = reconcile(deployment=desk.deployment, client=desk.client)
    assert found is not None
    assert withdrawals_stopped()

    decide("reconciliation", found.pk, "ask_for_acceptance")

    assert not withdrawals_stopped()


def test_it_takes_two_to_let_an_outbox_go_on(desk: SettlementDesk) -> None:
    desk.make()
    halt(shard="batches", reason="a try")
    assert desk.settle() == "halted"

    decide("outboxshard", "batches", "ask_for_release")

    assert OutboxShard.objects.get(name="batches").halted_at is None
    assert desk.settle() == "idle"


def test_it_keeps_by_hand(desk: SettlementDesk, settings: object) -> None:
    settings.LOCALNET = True  # type: ignore[attr-defined]
    stop = desk.localnet.tick(slot_ms=20)

    assert keeper("watch").startswith("Live, batch 0")
    assert keeper("settle").startswith("Live, batch 1")
    assert "Challenged in 1 parts" in keeper("challenge", "--batch", "1", "--account", str(FAUCET))
    assert keeper("answer") == "1 leaves were shown.\n"
    assert "epoch" in keeper("turn")
    assert keeper("reconcile") == "All is equal.\n"
    with pytest.raises(CommandError, match="would fail"):
        keeper("fall-back")
    with pytest.raises(CommandError, match="no such batch"):
        keeper("challenge", "--batch", "9", "--account", "1")
    stop()
    desk.localnet.finalize()
    batch = OutboxEntry.objects.get(shard_id="batches").batch
    assert is_answered(desk, batch, FAUCET)


def test_it_tells_operators_how_settlement_goes(desk: SettlementDesk) -> None:
    desk.settle_batch()
    desk.trade(5, 10_000)
    desk.make()
    halt(shard="batches", reason="a try")
    told = dict(
        line.split() for line in Client().get("/metrics").content.decode().splitlines() if line.startswith(("qd_settlement", "qd_outbox"))
    )

    assert (told["qd_settlement_batch"], told["qd_outbox_unfinished"], told["qd_outbox_halted"]) == ("1.0", "1.0", "1.0")
    assert 0 <= float(told["qd_settlement_batch_age_seconds"]) < 60
