"""Asking, deciding and carrying out. Every change is made from one known status, so that two people at once cannot both make it."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.approvals.kinds import kind_named
from accounts.approvals.models import Approval, ApprovalStep
from accounts.models import User
from markets.errors import DomainError, GatewayError, OutcomeUnknown
from markets.stamps import ms

DECIDE = "accounts.decide_approval"
MAX_REASON = 500
RETRY_AFTER = timedelta(seconds=30)  # what is being carried out for longer than this is looked at again; until then it may happen


class ApprovalError(DomainError):
    code = "APPROVAL_NOT_POSSIBLE"
    status = 409
    message = "The request is not in a state in which this can be done."


class SecondPersonRequired(ApprovalError):
    code = "SECOND_PERSON_REQUIRED"
    status = 403
    message = "Who asked cannot decide; a second person must."


class NotPermitted(ApprovalError):
    code = "PERMISSION_DENIED"
    status = 403
    message = "You do not have the permission for this."


class ReasonRequired(ApprovalError):
    code = "REASON_REQUIRED"
    status = 400
    message = f"Say why, in at most {MAX_REASON} characters."


@transaction.atomic
def approval_request(*, kind: str, subject: str, payload: dict[str, Any], reason: str, by: User) -> Approval:
    """Ask for something; it is done only after another person has approved it and its delay has passed."""
    if not by.has_perm(kind_named(kind).permission):
        raise NotPermitted
    reason = _reason(reason)
    approval = Approval.objects.create(kind=kind, subject=subject, payload=payload, reason=reason, requested_by=by)
    _note(approval, "pending", by, reason)
    return approval


@transaction.atomic
def approval_approve(*, approval_id: int, by: User, note: str = "") -> Approval:
    """Agree to a request of somebody else; it becomes due after its kind's delay."""
    approval = _decided(approval_id, by)
    now = timezone.now()
    _turn(approval, "pending", "approved", decided_by=by, decided_at=now, ready_at=now + kind_named(approval.kind).delay)
    _note(approval, "approved", by, note)
    return approval


@transaction.atomic
def approval_reject(*, approval_id: int, by: User, note: str) -> Approval:
    """Refuse a request, or stop an approved one before its delay has passed."""
    approval = _decided(approval_id, by)
    now = timezone.now()
    _turn(approval, approval.status, "rejected", allowed=("pending", "approved"), decided_by=by, decided_at=now, ended_at=now)
    _note(approval, "rejected", by, _reason(note))
    kind_named(approval.kind).on_end(approval)
    return approval


@transaction.atomic
def approval_withdraw(*, approval_id: int, by: User, note: str = "") -> Approval:
    """Take one's own request back."""
    approval = _found(approval_id)
    if approval.requested_by_id != by.pk:
        raise NotPermitted
    _turn(approval, approval.status, "withdrawn", allowed=("pending", "approved"), ended_at=timezone.now())
    _note(approval, "withdrawn", by, note)
    kind_named(approval.kind).on_end(approval)
    return approval


def approvals_execute_due() -> list[int]:
    """Carry out what is approved and due, each once; returns their numbers."""
    now = timezone.now()
    due = Approval.objects.filter(status="approved", ready_at__lte=now).order_by("id").values_list("id", flat=True)
    done = [approval_id for approval_id in due if approval_execute(approval_id=approval_id)]
    stuck = Approval.objects.filter(status="executing", executing_at__lte=now - RETRY_AFTER).order_by("id")
    return done + [approval.id for approval in stuck if _resume(approval)]


def approval_execute(*, approval_id: int) -> bool:
    """Carry out an approved request whose delay has passed; tell whether it was."""
    approval = _take(approval_id)
    return approval is not None and _carry_out(approval)


def valid_until_ms(approval: Approval) -> int:
    """Return until when what this try sends may be carried out: nobody tries again before."""
    assert approval.executing_at is not None
    return ms(approval.executing_at + RETRY_AFTER)


@transaction.atomic
def _take(approval_id: int) -> Approval | None:
    """Begin to carry out what is due, unless something of the same subject is half done: that could still come after it."""
    wanted, now = _found(approval_id), timezone.now()
    alike = Approval.objects.filter(kind=wanted.kind, subject=wanted.subject, status__in=("approved", "executing"))
    rows = {row.id: row for row in alike.order_by("id").select_for_update()}
    approval = rows.get(approval_id)
    if approval is None or approval.ready_at is None or approval.ready_at > now or any(row.status == "executing" for row in rows.values()):
        return None
    approval.status, approval.executing_at = "executing", now
    approval.save(update_fields=["status", "executing_at"])
    return approval


def _resume(approval: Approval) -> bool:
    """Finish what a process left half done, or whose outcome nobody knew: never twice."""
    try:
        done = kind_named(approval.kind).is_done(approval)
    except GatewayError:
        return False  # nobody can tell yet
    if done:
        return _end(approval, "executed", "It had been carried out.")
    now = timezone.now()
    if not _this_try(approval).update(executing_at=now):
        return False
    approval.executing_at = now
    return _carry_out(approval)


def _this_try(approval: Approval) -> QuerySet[Approval]:
    """Return the request unless it is over, or another process has begun a later try: then this one has no say."""
    return Approval.objects.filter(id=approval.id, status="executing", executing_at=approval.executing_at)


def _carry_out(approval: Approval) -> bool:
    try:
        note = kind_named(approval.kind).execute(approval)
    except OutcomeUnknown:
        return False  # stays as it is: the next look finds out what became of it
    except GatewayError as error:
        _back(approval, error.message)
        return False
    except DomainError as error:
        if error.code == "EXPIRED":
            return False  # it came too late to be carried out: the next look tries again
        _end(approval, "failed", f"{error.code}: {error.message}")
        return False
    return _end(approval, "executed", note)


@transaction.atomic
def _end(approval: Approval, status: str, note: str) -> bool:
    changed = _this_try(approval).update(status=status, ended_at=timezone.now())
    if changed:
        approval.refresh_from_db()
        _note(approval, status, None, note)
        kind_named(approval.kind).on_end(approval)
    return bool(changed) and status == "executed"


@transaction.atomic
def _back(approval: Approval, note: str) -> None:
    """Nothing was sent: try again at the next look."""
    if _this_try(approval).update(status="approved"):
        _note(approval, "approved", None, note)


def _found(approval_id: int) -> Approval:
    approval = Approval.objects.filter(id=approval_id).first()
    if approval is None:
        raise ApprovalError("There is no such request.")
    return approval


def _decided(approval_id: int, by: User) -> Approval:
    """Return a request that this person may decide."""
    approval = _found(approval_id)
    if approval.requested_by_id == by.pk:
        raise SecondPersonRequired
    if not by.has_perm(DECIDE):
        raise NotPermitted
    return approval


def _turn(approval: Approval, present: str, status: str, *, allowed: tuple[str, ...] = (), **fields: Any) -> None:
    if allowed and present not in allowed:
        raise ApprovalError(status=present)
    if Approval.objects.filter(id=approval.id, status=present).update(status=status, **fields) != 1:
        raise ApprovalError(status=approval.status)
    approval.refresh_from_db()


def _note(approval: Approval, action: str, actor: User | None, note: str) -> None:
    ApprovalStep.objects.create(approval=approval, action=action, actor=actor, note=note[:MAX_REASON])


def _reason(text: str) -> str:
    text = text.strip()
    if not 0 < len(text) <= MAX_REASON:
        raise ReasonRequired
    return text
