"""Whether money may leave: a difference that nobody has accounted for keeps it here."""

import structlog
from django.utils import timezone

from chain.settlement.models import Reconciliation

log = structlog.get_logger("reconciliation")


def withdrawals_stopped() -> bool:
    """Tell whether a difference was found that staff have not accepted yet."""
    return Reconciliation.objects.filter(ok=False, accepted_at=None).exists()


def accept(*, reconciliation: Reconciliation, by: str) -> None:
    """Let withdrawals go on: staff know why it differed."""
    Reconciliation.objects.filter(pk=reconciliation.pk, ok=False, accepted_at=None).update(accepted_by=by, accepted_at=timezone.now())
    log.warning("difference_accepted", reconciliation=reconciliation.pk, by=by)
