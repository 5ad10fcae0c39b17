"""What loosens a stop takes two people: accepting a difference, and letting a halted shard go on (accounts.approvals)."""

from datetime import timedelta
from typing import Final

from accounts.approvals.kinds import Kind, register
from accounts.approvals.models import Approval
from accounts.approvals.services import approval_request
from accounts.models import User
from chain.errors import ChainError
from chain.models import OutboxShard
from chain.outbox.queue import release
from chain.settlement.models import Reconciliation
from chain.settlement.stops import accept

ACCEPT: Final = "reconciliation_accept"
RELEASE: Final = "outbox_release"
ACCEPT_PERMISSION: Final = "chain.change_reconciliation"
RELEASE_PERMISSION: Final = "chain.change_outboxshard"
OPEN: Final = ("pending", "approved", "executing")


class NothingToDecide(ChainError):
    code = "NOTHING_TO_DECIDE"
    status = 409


def acceptance_request(*, reconciliation: Reconciliation, by: User, reason: str) -> Approval:
    """Ask for withdrawals to go on although something differed."""
    if reconciliation.ok or reconciliation.accepted_at is not None:
        raise NothingToDecide("Only a difference that nobody has accepted yet can be accepted.")
    _only_one(ACCEPT, reconciliation=reconciliation.pk)
    return approval_request(
        kind=ACCEPT,
        subject=f"Accept the differences of reconciliation {reconciliation.pk}",
        payload={"reconciliation": reconciliation.pk},
        reason=reason,
        by=by,
    )


def release_request(*, shard: OutboxShard, by: User, reason: str) -> Approval:
    """Ask for a halted shard to go on, its quarantined entry first."""
    if shard.halted_at is None:
        raise NothingToDecide("This shard is not halted.")
    _only_one(RELEASE, shard=shard.name)
    return approval_request(kind=RELEASE, subject=f"Let the outbox {shard.name} go on", payload={"shard": shard.name}, reason=reason, by=by)


def _only_one(kind: str, **payload: object) -> None:
    facts = {f"payload__{name}": value for name, value in payload.items()}
    if Approval.objects.filter(kind=kind, status__in=OPEN, **facts).exists():
        raise NothingToDecide("It waits for a second person already.")


def _accept(approval: Approval) -> str:
    found = Reconciliation.objects.get(pk=approval.payload["reconciliation"])
    accept(reconciliation=found, by=f"approval {approval.pk}")
    return "Withdrawals go on, unless something else differs."


def _is_accepted(approval: Approval) -> bool:
    return Reconciliation.objects.filter(pk=approval.payload["reconciliation"]).exclude(accepted_at=None).exists()


def _release(approval: Approval) -> str:
    release(shard=approval.payload["shard"])
    return "The shard goes on."


def _is_released(approval: Approval) -> bool:
    return OutboxShard.objects.filter(name=approval.payload["shard"], halted_at=None).exists()


def _end(_approval: Approval) -> None:
    """The rows themselves show what became of it."""


def register_kinds() -> None:
    kinds = (
        (ACCEPT, "Accept a difference", ACCEPT_PERMISSION, _accept, _is_accepted),
        (RELEASE, "Release an outbox", RELEASE_PERMISSION, _release, _is_released),
    )
    for name, title, permission, execute, is_done in kinds:
        register(Kind(name=name, title=title, permission=permission, delay=timedelta(), execute=execute, is_done=is_done, on_end=_end))
