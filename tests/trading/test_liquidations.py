"""A liquidation as its owner sees it: report, page and dispute; and a compensation that two people decide."""

import itertools
import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.approvals import services as approvals
from accounts.approvals.models import Approval
from accounts.models import Balance, LedgerTransfer, User
from accounts.selectors import default_account
from accounts.tasks import execute_approvals
from markets.api.pages import Page
from markets.commands import AdjustBalance, Observation, ObservePrice
from markets.errors import Refused
from markets.gateway import gateway
from markets.ledger import FAUCET, INSURANCE
from risk import disputes
from risk.models import Dispute, Liquidation
from tests.support.api import Desk, desk, exact
from tests.support.engine import engine_process, engine_processes
from trading.api import liquidation_schemas as schemas

__all__ = ["desk", "engine_process", "engine_processes"]

BTC = 1
_later_ms = itertools.cycle(range(1, 1_000))  # never twice the same time within a test


def publish(price: int) -> None:
    """Publish BTC's price by two sources, later than what was published before."""
    published_ms = time.time_ns() // 1_000_000 + next(_later_ms)
    observations = tuple(Observation(BTC, source, price * 10**8, 0, published_ms) for source in ("pyth", "pyth_solana"))
    assert gateway().submit(ObservePrice(observations=observations)).reject is None


def fund(account_id: int, usdc: int) -> None:
    command = AdjustBalance(
        debit_account_id=FAUCET, credit_account_id=account_id, asset="USDC", amount_atoms=usdc * 10**6, reason="capital", author="test"
    )
    assert gateway().submit(command).reject is None


@pytest.fixture
def liquidated(desk: Desk) -> Desk:
    """Alice was long 6 BTC at leverage 50 with 10,000 USDC, which a fall of a twentieth has taken; Bob was short."""
    publish(60_000)
    fund(default_account(desk.bob.user).id, 100_000)
    fund(INSURANCE, 1_000)
    for person in (desk.alice, desk.bob):
        assert person.put("leverage/", {"market": "BTC-PERP", "leverage": 50}).status == 200
    order: dict[str, Any] = {"market": "BTC-PERP", "type": "limit", "size": "6.0000", "price": "60000.0"}
    assert desk.bob.post("orders/", order | {"side": "sell"}).status == 201
    assert desk.alice.post("orders/", order | {"side": "buy"}).status == 201
    for _ in range(3):
        publish(57_000)
    desk.project()
    return desk


def staff(name: str, *codenames: str) -> User:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return User.objects.get(pk=user.pk)


def test_it_reports_every_step_to_the_owner(liquidated: Desk) -> None:
    page = exact(liquidated.alice.get("liquidations/").json, Page[schemas.Liquidation])
    (found,) = page.results
    assert found.ended_ms is not None
    report = exact(liquidated.alice.get(f"liquidations/{found.liquidation_id}/").json, schemas.LiquidationReport)
    assert report.steps_taken == len(report.steps) > 0
    assert sum(int(float(step.closed) * 10_000) for step in report.steps) == 60_000
    assert float(report.equity) < float(report.maintenance_margin)
    assert report.steps[0].mark_price == "57000.0"
    assert liquidated.bob.get(f"liquidations/{found.liquidation_id}/").status == 404
    assert liquidated.alice.get("liquidations/99999999999999999999/").status == 404
    assert liquidated.alice.get("liquidations/x/").status == 404


def test_it_shows_the_other_side_what_was_deleveraged(liquidated: Desk) -> None:
    page = exact(liquidated.bob.get("deleveraging/history/").json, Page[schemas.Deleveraging])
    taken = Liquidation.objects.get().deleveraged
    assert bool(page.results) == bool(taken)
    for row in page.results:
        assert (row.market, row.side) == ("BTC-PERP", "sell")
    places = exact(liquidated.bob.get("deleveraging/").json, schemas.DeleveragingPlaces)
    assert all(place.places >= place.place >= 1 for place in places.results)


def test_it_shows_what_the_funds_have_and_had(liquidated: Desk) -> None:
    answer = exact(liquidated.anonymous.get("insurance/?limit=1").json, schemas.Insurance)
    assert answer.balance == answer.results[0].balance
    balance, cursor, seen = answer.balance, answer.next, 1
    assert balance == f"{Balance.objects.get(account_id=INSURANCE, asset='USDC').amount_atoms / 10**6:.6f}"
    expected = float(balance) - float(answer.results[0].amount)
    while cursor:
        page = exact(liquidated.anonymous.get(f"insurance/?limit=2&cursor={cursor}").json, schemas.Insurance)
        for row in page.results:
            assert float(row.balance) == pytest.approx(expected)
            expected -= float(row.amount)
            seen += 1
        cursor = page.next
    assert expected == pytest.approx(0)
    assert exact(liquidated.anonymous.get("insurance/?fund=backstop").json, schemas.Insurance).fund == "backstop"
    assert liquidated.anonymous.get("insurance/?fund=other").status == 400


def test_it_shows_a_page_that_says_what_happened_and_takes_a_dispute(liquidated: Desk) -> None:
    row = Liquidation.objects.get()
    address = reverse("risk:liquidation", args=[row.id])
    browser = liquidated.alice.client
    assert f'href="{address}"' in browser.get(reverse("risk:liquidations")).content.decode()
    page = browser.get(address).content.decode()
    assert "Open a dispute" in page
    assert "Equity when it began" in page
    assert liquidated.bob.client.get(address).status_code == 404
    assert liquidated.bob.client.post(f"{address}dispute/", {"text": "Mine"}).status_code == 404
    browser.post(f"{address}dispute/", {"text": " "})
    assert not Dispute.objects.exists()
    browser.post(f"{address}dispute/", {"text": "The price was <b>wrong</b>."})
    browser.post(f"{address}dispute/", {"text": "Again."})
    (dispute,) = Dispute.objects.all()
    assert (dispute.opened_by, dispute.status) == (liquidated.alice.user, "open")
    page = browser.get(address).content.decode()
    assert "The price was &lt;b&gt;wrong&lt;/b&gt;." in page
    assert "Open a dispute" not in page
    (shown,) = exact(liquidated.alice.get(f"liquidations/{row.id}/").json, schemas.LiquidationReport).disputes
    assert shown.status == "open"


def test_it_compensates_when_two_people_agree(liquidated: Desk) -> None:
    row = Liquidation.objects.get()
    fund(INSURANCE, 500)
    liquidated.project()
    before = {account: Balance.objects.get(account_id=account, asset="USDC").amount_atoms for account in (INSURANCE, row.account_id)}
    sam, tess = staff("sam", "resolve_dispute", "decide_approval"), staff("tess", "decide_approval")
    dispute = disputes.dispute_open(liquidation=row, by=liquidated.alice.user, text="Wrong.")
    disputes.dispute_annotate(dispute=dispute, by=sam, text="The index was fine.")
    approval = disputes.dispute_compensate(dispute=dispute, by=sam, amount_atoms=250 * 10**6, text="A gesture.")
    with pytest.raises(approvals.SecondPersonRequired):
        approvals.approval_approve(approval_id=approval.id, by=sam)
    approvals.approval_approve(approval_id=approval.id, by=tess)
    assert execute_approvals() == []
    Approval.objects.filter(id=approval.id).update(ready_at=timezone.now())
    assert execute_approvals() == [approval.id]
    liquidated.project()
    after = {account: Balance.objects.get(account_id=account, asset="USDC").amount_atoms for account in before}
    assert after == {INSURANCE: before[INSURANCE] - 250 * 10**6, row.account_id: before[row.account_id] + 250 * 10**6}
    transfer = LedgerTransfer.objects.get(kind="adjustment", credit_account_id=row.account_id)
    assert transfer.reason.startswith(f"approval {approval.id}: ")
    assert disputes.is_paid(approval)
    dispute.refresh_from_db()
    assert (dispute.status, dispute.resolution) == ("compensated", "A gesture.")
    assert "Compensated" in liquidated.alice.client.get(reverse("risk:liquidation", args=[row.id])).content.decode()


def half_done(desk: Desk, since: timedelta) -> Approval:
    """Return a compensation that a process has begun to carry out, so long ago."""
    fund(INSURANCE, 1_000)
    desk.project()
    sam, tess = staff("sam", "resolve_dispute"), staff("tess", "decide_approval")
    dispute = disputes.dispute_open(liquidation=Liquidation.objects.get(), by=sam, text="Wrong.")
    approval = disputes.dispute_compensate(dispute=dispute, by=sam, amount_atoms=250 * 10**6, text="A gesture.")
    approvals.approval_approve(approval_id=approval.id, by=tess)
    Approval.objects.filter(id=approval.id).update(status="executing", executing_at=timezone.now() - since)
    approval.refresh_from_db()
    return approval


def payments(desk: Desk, approval: Approval) -> int:
    desk.project()
    return LedgerTransfer.objects.filter(kind="adjustment", reason__startswith=f"approval {approval.id}: ").count()


def test_it_pays_once_while_the_tables_are_behind(liquidated: Desk) -> None:
    """The process ended after the engine had paid, and the projector has not seen the payment."""
    approval = half_done(liquidated, timedelta(0))
    disputes.pay(approval)
    Approval.objects.filter(id=approval.id).update(executing_at=timezone.now() - approvals.RETRY_AFTER)
    assert execute_approvals() == []
    assert payments(liquidated, approval) == 1
    assert execute_approvals() == [approval.id]
    assert payments(liquidated, approval) == 1


def test_it_pays_what_can_no_longer_have_been_paid(liquidated: Desk) -> None:
    approval = half_done(liquidated, approvals.RETRY_AFTER + timedelta(minutes=1))
    with pytest.raises(Refused) as refused:
        disputes.pay(approval)  # the process that had begun it wakes up
    assert refused.value.code == "EXPIRED"
    assert execute_approvals() == [approval.id]
    assert payments(liquidated, approval) == 1


def test_it_opens_a_dispute_again_whose_compensation_fails(liquidated: Desk) -> None:
    """The fund has less than was promised: the engine refuses, and nobody is paid."""
    row = Liquidation.objects.get()
    sam, tess = staff("sam", "resolve_dispute"), staff("tess", "decide_approval")
    dispute = disputes.dispute_open(liquidation=row, by=sam, text="On its owner's behalf.")
    approval = disputes.dispute_compensate(dispute=dispute, by=sam, amount_atoms=10**15, text="Too much.")
    approvals.approval_approve(approval_id=approval.id, by=tess)
    Approval.objects.filter(id=approval.id).update(ready_at=timezone.now())
    assert execute_approvals() == []
    approval.refresh_from_db()
    dispute.refresh_from_db()
    assert (approval.status, dispute.status, dispute.approval) == ("failed", "open", None)
    disputes.dispute_reject(dispute=dispute, by=sam, text="The fund cannot pay.")
    with pytest.raises(disputes.DisputeError):
        disputes.dispute_reject(dispute=dispute, by=sam, text="Again.")


def test_it_lets_only_owner_and_staff_open_and_only_staff_resolve(liquidated: Desk) -> None:
    row = Liquidation.objects.get()
    for stranger in (liquidated.bob.user, staff("una")):
        with pytest.raises(disputes.DisputeRefused):
            disputes.dispute_open(liquidation=row, by=stranger, text="Mine.")
    dispute = disputes.dispute_open(liquidation=row, by=liquidated.alice.user, text="Mine.")
    for person in (liquidated.alice.user, staff("vic")):
        with pytest.raises(disputes.DisputeRefused):
            disputes.dispute_reject(dispute=dispute, by=person, text="No.")
        with pytest.raises(disputes.DisputeRefused):
            disputes.dispute_compensate(dispute=dispute, by=person, amount_atoms=1, text="Yes.")


def test_it_is_worked_on_in_the_admin(liquidated: Desk) -> None:
    row = Liquidation.objects.get()
    browser = Client()
    browser.force_login(User.objects.create_superuser("sam"))
    browser.post(reverse("admin:risk_dispute_add"), {"liquidation": row.id, "text": "Seen by staff."})
    dispute = Dispute.objects.get()
    again = browser.post(reverse("admin:risk_dispute_add"), {"liquidation": row.id, "text": "Twice."})
    assert "has an open dispute" in again.content.decode()
    page = reverse("admin:risk_dispute_changelist")
    chosen = {"_selected_action": [dispute.id]}
    browser.post(page, chosen | {"action": "annotate", "words": "A note."})
    browser.post(page, chosen | {"action": "compensate", "words": "Sorry.", "amount": ""})
    assert Dispute.objects.get().status == "open"
    browser.post(page, chosen | {"action": "compensate", "words": "Sorry.", "amount": "12.5"})
    dispute.refresh_from_db()
    assert (dispute.status, dispute.amount_atoms) == ("compensating", 12_500_000)
    shown = browser.get(reverse("admin:risk_dispute_change", args=[dispute.id])).content.decode()
    assert "A note." in shown
    report = browser.get(reverse("admin:risk_liquidation_change", args=[row.id])).content.decode()
    assert "Bankruptcy" in report
    assert browser.get(reverse("risk:liquidation", args=[row.id])).status_code == 200
