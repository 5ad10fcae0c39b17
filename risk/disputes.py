"""Disputes over liquidations: opened by the owner or by staff, annotated, and resolved: rejected, or compensated.

A compensation comes from the insurance fund, and needs a second person and a delay (accounts.approvals).
"""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.approvals.kinds import Kind, register
from accounts.approvals.models import Approval
from accounts.approvals.services import approval_request, valid_until_ms
from accounts.models import LedgerTransfer, User
from markets.assets import QUOTE
from markets.commands import AdjustBalance
from markets.errors import DomainError, Refused
from markets.gateway import gateway
from markets.ledger import INSURANCE
from markets.units import MAX_AMOUNT_ATOMS
from risk import projected
from risk.models import Dispute, DisputeNote, Liquidation

COMPENSATION = "liquidation_compensation"
RESOLVE = "risk.resolve_dispute"
MAX_TEXT = 2_000


class DisputeError(DomainError):
    code = "DISPUTE_NOT_POSSIBLE"
    status = 409
    message = "This liquidation has an open dispute, or the dispute is resolved."


class DisputeRefused(DisputeError):
    code = "PERMISSION_DENIED"
    status = 403
    message = "You do not have the permission for this."


class DisputeTextRequired(DisputeError):
    code = "TEXT_REQUIRED"
    status = 400
    message = f"Say why, in at most {MAX_TEXT} characters."


class CompensationOutOfRange(DisputeError):
    code = "OUT_OF_RANGE"
    status = 400
    message = "A compensation is a positive amount."


@transaction.atomic
def dispute_open(*, liquidation: Liquidation, by: User, text: str) -> Dispute:
    """Object to a liquidation: its owner may, and staff who resolve disputes; one at a time."""
    if liquidation.account.owner_id != by.pk and not by.has_perm(RESOLVE):
        raise DisputeRefused
    wanted = _text(text)
    try:
        with transaction.atomic():
            return Dispute.objects.create(liquidation=liquidation, opened_by=by, text=wanted)
    except IntegrityError as error:
        raise DisputeError("This liquidation has an open dispute.") from error


def dispute_annotate(*, dispute: Dispute, by: User, text: str) -> DisputeNote:
    """Add to what is known about a dispute."""
    _may_resolve(by)
    return DisputeNote.objects.create(dispute=dispute, author=by, text=_text(text))


@transaction.atomic
def dispute_reject(*, dispute: Dispute, by: User, text: str) -> None:
    """Resolve a dispute without a compensation, with the reason that its owner reads."""
    _may_resolve(by)
    _turn(dispute, "open", "rejected", resolution=_text(text), resolved_at=timezone.now())
    DisputeNote.objects.create(dispute=dispute, author=by, text=f"Rejected: {text.strip()}")


@transaction.atomic
def dispute_compensate(*, dispute: Dispute, by: User, amount_atoms: int, text: str) -> Approval:
    """Ask for a compensation from the insurance fund; a second person decides."""
    _may_resolve(by)
    if not 0 < amount_atoms <= MAX_AMOUNT_ATOMS:
        raise CompensationOutOfRange
    reason = _text(text)
    account_id = dispute.liquidation.account_id
    approval = approval_request(
        kind=COMPENSATION,
        subject=f"Compensate account {account_id} for liquidation {dispute.liquidation_id}",
        payload={"dispute": dispute.id, "account": account_id, "amount_atoms": amount_atoms},
        reason=reason,
        by=by,
    )
    _turn(dispute, "open", "compensating", approval=approval, amount_atoms=amount_atoms)
    DisputeNote.objects.create(dispute=dispute, author=by, text=f"Compensation asked for, approval {approval.id}: {reason}")
    return approval


def pay(approval: Approval) -> str:
    """Carry a compensation out: one journalled adjustment, which names the approval, now or never."""
    payload = approval.payload
    assert approval.decided_by is not None
    command = AdjustBalance(
        valid_until_ms=valid_until_ms(approval),
        debit_account_id=INSURANCE,
        credit_account_id=payload["account"],
        asset=QUOTE,
        amount_atoms=payload["amount_atoms"],
        reason=_reason(approval),
        author=f"{approval.requested_by.get_username()}, approved by {approval.decided_by.get_username()}",
    )
    reply = gateway().submit(command)
    if reply.reject is not None:
        raise Refused(reply.reject)
    return f"Paid {payload['amount_atoms']} atoms from the insurance fund."


def is_paid(approval: Approval) -> bool:
    """Tell whether the ledger has the adjustment already; OutcomeUnknown while it may yet appear there."""
    transfers = LedgerTransfer.objects.filter(
        credit_account_id=approval.payload["account"], debit_account_id=INSURANCE, kind="adjustment", reason=_reason(approval)
    )
    return projected.has_left(approval, transfers)


@transaction.atomic
def settle(approval: Approval) -> None:
    """Let a dispute follow what became of its approval: it is resolved, or open again."""
    dispute = Dispute.objects.filter(approval=approval, status="compensating").first()
    if dispute is None:
        return
    if approval.status == "executed":
        _turn(dispute, "compensating", "compensated", resolution=approval.reason, resolved_at=timezone.now())
        text = f"Compensated, approval {approval.id}."
    else:
        _turn(dispute, "compensating", "open", approval=None, amount_atoms=0)
        text = f"Open again: approval {approval.id} was {approval.status}."
    DisputeNote.objects.create(dispute=dispute, author=None, text=text)


def register_kinds() -> None:
    register(
        Kind(
            name=COMPENSATION,
            title="Compensation for a liquidation",
            permission=RESOLVE,
            delay=timedelta(minutes=10),
            execute=pay,
            is_done=is_paid,
            on_end=settle,
        )
    )


def _reason(approval: Approval) -> str:
    return f"approval {approval.id}: {approval.subject}"


def _may_resolve(by: User) -> None:
    if not by.has_perm(RESOLVE):
        raise DisputeRefused


def _turn(dispute: Dispute, present: str, status: str, **fields: object) -> None:
    if Dispute.objects.filter(id=dispute.id, status=present).update(status=status, **fields) != 1:
        raise DisputeError("The dispute is not in a state in which this can be done.")
    dispute.refresh_from_db()


def _text(text: str) -> str:
    text = text.strip()
    if not 0 < len(text) <= MAX_TEXT:
        raise DisputeTextRequired
    return text
