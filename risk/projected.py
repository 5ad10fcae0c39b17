"""How far the projector's tables are, asked before something is sent a second time."""

from typing import Any, Final

from django.db.models import BigIntegerField, Exists, QuerySet
from django.db.models.expressions import RawSQL

from accounts.approvals.models import Approval
from accounts.approvals.services import valid_until_ms
from markets.errors import OutcomeUnknown

# By its table's name: the model belongs to trading, which is above this app.
STAMP_MS: Final = RawSQL("coalesce((select stamp_ms from trading_projection where id = 1), 0)", (), output_field=BigIntegerField())


def has_left(approval: Approval, rows: QuerySet[Any]) -> bool:
    """Tell whether a request's command has left these rows; OutcomeUnknown while it still may.

    One statement sees one moment of the tables: a rebuild cannot take the rows away between two readings.
    """
    found, stamp_ms = Approval.objects.filter(id=approval.id).values_list(Exists(rows), STAMP_MS).get()
    if not found and stamp_ms <= valid_until_ms(approval):
        raise OutcomeUnknown
    return bool(found)


def require_past(approval: Approval) -> None:
    """OutcomeUnknown while the engine could still carry a request's command out."""
    (stamp_ms,) = Approval.objects.filter(id=approval.id).values_list(STAMP_MS).get()
    if stamp_ms <= valid_until_ms(approval):
        raise OutcomeUnknown
