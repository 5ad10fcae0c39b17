"""Who pays for a request: the account or user that asks, or the network address of who is anonymous."""

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts import limits
from accounts.api_auth import Principal
from accounts.limits import LimiterUnavailable, RateLimited

FREE = "free"


class RateThrottle(BaseThrottle):
    """Charges one token. A view names its bucket by method in `rates`: orders, or FREE; the others are reads.

    Without Redis new orders are refused by name; what is free or a read goes on.
    """

    def allow_request(self, request: Request, view: object) -> bool:
        charge(request, getattr(view, "rates", {}).get(request.method, "reads"))
        return True


def charge(request: Request, bucket: str, cost: int = 1) -> None:
    """Take tokens; RateLimited when there are too few, LimiterUnavailable for orders that cannot be counted."""
    anonymous = not request.user or not request.user.is_authenticated
    name = "address" if anonymous else "orders" if bucket == FREE else bucket
    try:
        taken = limits.buckets().take(limits.limit(name), who=_payer(request), cost=0 if bucket == FREE else cost)
    except LimiterUnavailable:
        if bucket == "orders":
            raise
        return
    request._request.rate = taken  # type: ignore[attr-defined] # read by quantdesk.api.middleware
    if not taken.allowed:
        raise RateLimited(taken)


def address_of(request: HttpRequest) -> str:
    return f"address:{request.META.get('REMOTE_ADDR', '')}"


def _payer(request: Request) -> str:
    if isinstance(request.auth, Principal):
        return f"account:{request.auth.account_id}"
    if request.user and request.user.is_authenticated:
        return f"user:{request.user.pk}"
    return address_of(request._request)
