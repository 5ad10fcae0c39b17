"""INC-15, Drift, April 2026: who held the administrators' keys raised the caps and emptied the vault.

What the exchange itself has is tested here: ceilings in the code, and two people and a delay before what an approval guards is
done. That programs refuse such an instruction behind a durable nonce, and hold their own delays, is proven with them.
"""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission

from accounts.approvals import kinds, services
from accounts.approvals.models import Approval
from accounts.models import User
from markets.assets import RiskParameters
from tests.incidents.scene import BOB, USDC, Scene
from trading.engine.collateral import MAX_WITHDRAWAL_DAY_ATOMS

DELAY = timedelta(hours=24)


def test_inc_15_it_tightens_at_once_and_never_beyond_the_ceiling() -> None:
    scene = Scene(cash=1_000_000 * USDC)
    assert RiskParameters().withdrawal_day_atoms <= MAX_WITHDRAWAL_DAY_ATOMS
    refused = scene.limit(withdrawal_day_atoms=MAX_WITHDRAWAL_DAY_ATOMS + 1)
    assert refused.reject is not None
    assert scene.limit(withdrawal_hour_atoms=0).reject is None
    with scene.untouched():
        reply = scene.withdraw(BOB, 1)
    assert reply.reject is not None
    assert reply.reject.code == "WITHDRAWAL_LIMIT"


@pytest.fixture
def raised(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A guarded change that takes a day; what it was carried out for is kept."""
    done: list[int] = []

    def execute(approval: Approval) -> str:
        done.append(approval.id)
        return "raised"

    kind = kinds.Kind(
        name="raise",
        title="Raise a cap",
        permission="accounts.add_account",
        delay=DELAY,
        execute=execute,
        is_done=lambda approval: approval.id in done,
        on_end=lambda approval: None,
    )
    monkeypatch.setitem(kinds._kinds, "raise", kind)
    return done


def administrator(name: str) -> User:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["add_account", "decide_approval"]))
    return User.objects.get(pk=user.pk)


@pytest.mark.django_db
def test_inc_15_it_takes_two_administrators_and_a_delay(raised: list[int]) -> None:
    alice, bob = administrator("alice"), administrator("bob")
    approval = services.approval_request(kind="raise", subject="Raise a cap", payload={}, reason="more business", by=alice)
    with pytest.raises(services.SecondPersonRequired):
        services.approval_approve(approval_id=approval.id, by=alice)
    services.approval_approve(approval_id=approval.id, by=bob)
    assert services.approvals_execute_due() == []
    assert not services.approval_execute(approval_id=approval.id)
    assert raised == [], "not before its delay has passed"
    approval.refresh_from_db()
    assert approval.ready_at is not None
    Approval.objects.filter(id=approval.id).update(ready_at=approval.ready_at - DELAY)
    assert services.approvals_execute_due() == [approval.id]
    assert raised == [approval.id]
