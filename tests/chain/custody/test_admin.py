"""Staff's pages of custody: they open, and two people decide a large withdrawal on them."""

import pytest
from django.test import Client

from accounts.approvals.models import Approval
from accounts.approvals.services import approvals_execute_due
from accounts.models import User
from chain.custody import withdrawals
from chain.custody.models import Withdrawal
from chain.custody.withdrawals import withdrawal_request
from tests.chain.custody.desks import USDC, CustodyDesk, custody_desk
from tests.support.engine import engine_process, engine_processes

__all__ = ["custody_desk", "engine_process", "engine_processes"]

PAGES = ("withdrawal", "chainevent", "chaincursor", "chainaccount", "wallet", "withdrawaladdress")


def browser(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser(name, password="an-evening-in-november"))
    return client


def test_it_has_two_people_decide_a_large_withdrawal(custody_desk: CustodyDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(withdrawals, "REVIEW_ATOMS", 200 * USDC)
    alice = custody_desk.linked("alice")
    alice.send(alice.wallet.deposit(500 * USDC))
    custody_desk.run()
    asked = withdrawal_request(account=alice.account, amount_atoms=200 * USDC, key="a")
    ann, ben = browser("ann"), browser("ben")
    decision = {"_selected_action": [asked.pk], "reason": "Known for years."}

    ann.post("/admin/chain/withdrawal/", decision | {"action": "ask_to_pay"})
    approval = Approval.objects.get()
    choice = {"_selected_action": [approval.pk], "action": "approve"}
    ann.post("/admin/accounts/approval/", choice)
    assert approvals_execute_due() == []  # nobody agrees with himself
    ben.post("/admin/accounts/approval/", choice)

    assert approvals_execute_due() == [approval.pk]
    assert Withdrawal.objects.get().state == "held"
    for page in PAGES:
        assert ann.get(f"/admin/chain/{page}/").status_code == 200
    assert ann.get(f"/admin/chain/withdrawal/{asked.pk}/change/").status_code == 200
    assert ann.get("/admin/chain/chainevent/1/change/").status_code == 200
