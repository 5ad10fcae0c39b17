"""Reads of the projected tables: how far they are, and an account's orders, fills and positions."""

import time

from django.db.models import QuerySet

from markets.errors import DomainError
from markets.gateway import gateway
from markets.queries import GetCommittedSeq
from trading.models import Fill, Order, Projection, UsedClientOrderId

PATIENCE_SECONDS = 1.0
FIRST_WAIT_SECONDS = 0.002
LONGEST_WAIT_SECONDS = 0.02
GIVEN_ID_PREFIX = "~"
MAX_ID_DIGITS = 18


class ProjectionBehind(DomainError):
    """The tables do not yet show what the account was told; `data` has the two sequence numbers."""

    code = "PROJECTION_BEHIND"
    status = 503
    message = "Your latest changes are not in the tables yet. Try again in a moment."


def projected_seq() -> int:
    """Return the journal row up to which the tables are current."""
    return Projection.objects.filter(id=1).values_list("seq", flat=True).first() or 0


def wait_for_projection(account_id: int) -> int:
    """Wait until the tables show everything that the account was told, and return how far they are.

    EngineUnavailable when the engine cannot be asked what that is; ProjectionBehind after a second.
    """
    committed_seq = gateway().query(GetCommittedSeq(account_id=account_id))
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause = FIRST_WAIT_SECONDS
    while (seq := projected_seq()) < committed_seq:
        if time.monotonic() > deadline:
            raise ProjectionBehind(projected_seq=seq, committed_seq=committed_seq)
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_WAIT_SECONDS)
    return seq


def orders_of(account_id: int) -> QuerySet[Order]:
    """Return the account's orders, latest first."""
    return Order.objects.filter(account_id=account_id).order_by("-id")


def order_by_client_id(account_id: int, client_order_id: str) -> Order | None:
    """Return the order that has this client id, while its row is kept. An id that the engine gave names the order's number."""
    used = UsedClientOrderId.objects.filter(account_id=account_id, client_order_id=client_order_id).first()
    number = client_order_id.removeprefix(GIVEN_ID_PREFIX)
    order_id = used.order_id if used else int(number) if number.isdecimal() and len(number) <= MAX_ID_DIGITS else 0
    return Order.objects.filter(id=order_id, account_id=account_id, client_order_id=client_order_id).first()


def fills_of(account_id: int) -> QuerySet[Fill]:
    """Return the account's fills, latest first."""
    return Fill.objects.filter(account_id=account_id).order_by("-id")
