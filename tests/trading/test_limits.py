"""Staff change collateral and limits: the command asks, another person agrees, the delay passes, the engine is told."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.approvals import services
from accounts.approvals.models import Approval
from accounts.models import User
from accounts.tasks import execute_approvals
from markets.gateway import gateway
from markets.queries import GetAssets, GetRiskParameters
from markets.seed import ASSETS
from risk import limits
from tests.support.api import Desk, desk
from tests.support.engine import engine_process, engine_processes

__all__ = ["desk", "engine_process", "engine_processes"]


def staff(name: str, *permissions: str) -> User:
    user, _ = User.objects.get_or_create(username=name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return User.objects.get(pk=user.pk)


def shown() -> dict[str, Any]:
    out = StringIO()
    call_command("limits", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def carry_out(approval: Approval) -> Approval:
    """Agree to a request as a second person, and let its delay pass."""
    decided = services.approval_approve(approval_id=approval.id, by=staff("deb", "decide_approval"))
    assert decided.ready_at is not None
    assert decided.ready_at > timezone.now() + timedelta(hours=23)
    assert execute_approvals() == []
    Approval.objects.filter(id=approval.id).update(ready_at=timezone.now())
    execute_approvals()
    approval.refresh_from_db()
    return approval


def test_it_admits_an_asset_after_two_people_and_a_day(desk: Desk, tmp_path: Path) -> None:
    staff("ann", "change_market")
    wanted = msgspec.structs.replace(ASSETS[1], exchange_cap_atoms=ASSETS[1].exchange_cap_atoms // 2)
    file = tmp_path / "asset.json"
    file.write_bytes(msgspec.json.encode(wanted))
    call_command("limits", asset=str(file), by="ann", reason="smaller market", stdout=StringIO())
    approval = carry_out(Approval.objects.get(kind="collateral_asset", status="pending"))
    assert approval.status == "executed"
    assert wanted in [view.parameters for view in gateway().query(GetAssets())]
    assert shown()["assets"]["BTC"]["exchange_cap_atoms"] == wanted.exchange_cap_atoms


def test_it_changes_the_limits_after_two_people_and_a_day(desk: Desk, tmp_path: Path) -> None:
    staff("ann", "change_market")
    present = gateway().query(GetRiskParameters())
    wanted = msgspec.structs.replace(present, withdrawal_hour_atoms=present.withdrawal_hour_atoms - 1)
    file = tmp_path / "limits.json"
    file.write_bytes(msgspec.json.encode(wanted))
    call_command("limits", limits=str(file), by="ann", reason="tighter", stdout=StringIO())
    approval = Approval.objects.get(kind="risk_limits", status="pending")
    assert gateway().query(GetRiskParameters()) == present
    assert carry_out(approval).status == "executed"
    assert gateway().query(GetRiskParameters()) == wanted


@pytest.mark.parametrize("kind", ["asset", "limits"])
def test_it_waits_until_a_lost_change_can_no_longer_come(desk: Desk, kind: str) -> None:
    ann = staff("ann", "change_market")
    present = gateway().query(GetRiskParameters())
    if kind == "asset":
        found = msgspec.structs.replace(ASSETS[1], exchange_cap_atoms=ASSETS[1].exchange_cap_atoms // 2)
        approval = limits.asset_change(parameters=found, by=ann, reason="r")
    else:
        wanted = msgspec.structs.replace(present, withdrawal_hour_atoms=present.withdrawal_hour_atoms - 1)
        approval = limits.limits_change(parameters=wanted, by=ann, reason="r")
    services.approval_approve(approval_id=approval.id, by=staff("deb", "decide_approval"))
    desk.project()
    begun = Approval.objects.filter(id=approval.id)
    begun.update(status="executing", executing_at=timezone.now() - services.RETRY_AFTER)
    assert execute_approvals() == []
    assert gateway().query(GetRiskParameters()) == present
    begun.update(executing_at=timezone.now() - 2 * services.RETRY_AFTER)
    assert execute_approvals() == [approval.id]
    begun.update(status="executing", executing_at=timezone.now() - 2 * services.RETRY_AFTER)
    assert execute_approvals() == [approval.id]
    assert [step.note for step in approval.steps.all()][-1] == "It had been carried out."


def test_it_fails_for_good_on_what_the_engine_refuses(desk: Desk, tmp_path: Path) -> None:
    staff("ann", "change_market")
    wanted = msgspec.structs.replace(gateway().query(GetRiskParameters()), withdrawal_day_atoms=10**18)
    file = tmp_path / "limits.json"
    file.write_bytes(msgspec.json.encode(wanted))
    call_command("limits", limits=str(file), by="ann", reason="no ceiling", stdout=StringIO())
    approval = carry_out(Approval.objects.get(kind="risk_limits", status="pending"))
    assert approval.status == "failed"


def test_it_lets_nobody_ask_without_the_permission_or_with_a_malformed_file(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "limits.json"
    file.write_bytes(msgspec.json.encode(gateway().query(GetRiskParameters())))
    staff("max")
    for options, message in (
        ({"by": "max", "reason": "r"}, "PERMISSION_DENIED"),
        ({"by": "nobody", "reason": "r"}, "--by names"),
    ):
        with pytest.raises(CommandError, match=message):
            call_command("limits", limits=str(file), stdout=StringIO(), **options)
    staff("ann", "change_market")
    file.write_text('{"warm_up_ms": 1}')
    with pytest.raises(CommandError, match=r"missing or unknown: .*withdrawal_day_atoms"):
        call_command("limits", limits=str(file), by="ann", reason="r", stdout=StringIO())
    file.write_text("[]")
    with pytest.raises(CommandError, match="WRONG_TYPE"):
        call_command("limits", limits=str(file), by="ann", reason="r", stdout=StringIO())
    with pytest.raises(CommandError, match="No such file"):
        call_command("limits", asset=str(tmp_path / "none"), by="ann", reason="r", stdout=StringIO())
    assert not Approval.objects.filter(requested_by__username="max").exists()
