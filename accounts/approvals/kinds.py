"""What can be asked for. Each app registers its own kinds when Django starts."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from accounts.approvals.models import Approval


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """`execute` carries a request out and returns a note for the trail, or raises DomainError: then it has failed for good.

    Where it cannot tell (OutcomeUnknown), or its process ends on the way, `is_done` is asked before it is tried again; that raises
    OutcomeUnknown as long as an earlier try may still be carried out. So what `execute` sends must not be valid for ever
    (services.valid_until_ms); what comes later fails as EXPIRED, which counts as not done.
    """

    name: str
    title: str
    permission: str  # to ask for it
    delay: timedelta
    execute: Callable[[Approval], str]
    is_done: Callable[[Approval], bool]
    on_end: Callable[[Approval], None]  # told once a request was executed, failed, rejected or withdrawn


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    _kinds[kind.name] = kind


def kind_named(name: str) -> Kind:
    return _kinds[name]
