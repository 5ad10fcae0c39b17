"""Whether money may leave: a difference that nobody has accounted for keeps it here."""

import structlog
from django.utils import timezone

from chain.settlement.models import Reconciliation

log = structlog.get_logger("reconciliation")


def withdrawals_stopped() -> bool:
    """Tell whether a difference was found that staff have not accepted yet."""
    return Reconciliation.objects.filter(ok=False, accepted_at=None).exists()


def stop(*, reason: str) -> None:
    """Let no money leave: it could not even be compared. Once, until staff accept that."""
    if withdrawals_stopped():
        return
    nothing = dict.fromkeys(("slot", "batch_seq", "vault_atoms", "total_atoms", "users_atoms", "accounts", "compared"), 0)
    differences = [{"what": "comparison", "expected": [], "found": reason}]
    Reconciliation.objects.create(phase="unread", differences=differences, ok=False, **nothing)
    log.error("not_compared", reason=reason)


def accept(*, reconciliation: Reconciliation, by: str) -> None:
    """Let withdrawals go on: staff know why it differed."""
    Reconciliation.objects.filter(pk=reconciliation.pk, ok=False, accepted_at=None).update(accepted_by=by, accepted_at=timezone.now())
    log.warning("difference_accepted", reconciliation=reconciliation.pk, by=by)
