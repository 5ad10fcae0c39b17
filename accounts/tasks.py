"""The schedule's part in accounts."""

from celery import shared_task

from accounts.approvals.services import approvals_execute_due


@shared_task
def execute_approvals() -> list[int]:
    """Carry out what two people have decided, once its delay has passed."""
    return approvals_execute_due()
