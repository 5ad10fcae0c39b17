"""Large withdrawals: one person asks for it to be paid or returned, a second one agrees (accounts.approvals)."""

from datetime import timedelta
from typing import Final

from accounts.approvals.kinds import Kind, register
from accounts.approvals.models import Approval
from accounts.approvals.services import approval_request
from accounts.models import User
from chain.custody.errors import WithdrawalNotReady
from chain.custody.models import Withdrawal
from chain.custody.withdrawals import withdrawal_reject, withdrawal_release
from markets.api.bodies import atoms

REVIEW: Final = "withdrawal_review"
PERMISSION: Final = "chain.review_withdrawal"
DECIDED: Final = ("pending", "approved", "executing")
State = Withdrawal.State


def review_request(*, withdrawal: Withdrawal, by: User, pay: bool, reason: str) -> Approval:
    """Ask for a withdrawal under review to be paid, or returned; one request at a time."""
    if withdrawal.state != State.REVIEW:
        raise WithdrawalNotReady("Only a withdrawal under review can be decided.", state=withdrawal.state)
    if Approval.objects.filter(kind=REVIEW, payload__withdrawal=withdrawal.pk, status__in=DECIDED).exists():
        raise WithdrawalNotReady("This withdrawal waits for a second person already.", state=withdrawal.state)
    amount = atoms(withdrawal.amount_atoms, withdrawal.asset)
    return approval_request(
        kind=REVIEW,
        subject=f"{'Pay' if pay else 'Return'} {amount} {withdrawal.asset} of account {withdrawal.account_id}, withdrawal {withdrawal.pk}",
        payload={"withdrawal": withdrawal.pk, "pay": pay},
        reason=reason,
        by=by,
    )


def carry_out(approval: Approval) -> str:
    withdrawal_id = approval.payload["withdrawal"]
    if approval.payload["pay"]:
        withdrawal_release(withdrawal_id=withdrawal_id)
        return "It gets its voucher now."
    withdrawal_reject(withdrawal_id=withdrawal_id, reason=approval.reason)
    return "The money is back in the account."


def is_done(approval: Approval) -> bool:
    withdrawal = Withdrawal.objects.get(pk=approval.payload["withdrawal"])
    return withdrawal.state == State.RETURNED if not approval.payload["pay"] else withdrawal.state != State.REVIEW


def register_kinds() -> None:
    register(
        Kind(
            name=REVIEW,
            title="Large withdrawal",
            permission=PERMISSION,
            delay=timedelta(),
            execute=carry_out,
            is_done=is_done,
            on_end=lambda _approval: None,  # the withdrawal itself shows what became of it
        )
    )
