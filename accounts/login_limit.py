"""Stops who guesses passwords, on the log-in page and the admin's alike."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.limits import Limit, LimiterUnavailable, buckets, limit


class LoginLimit:
    """An authentication backend that never lets anybody in: it goes first, and ends the attempt when there were too many.

    Attempts are counted by name and by address. Without Redis nothing is counted: people must be able to log in and cancel.
    """

    def authenticate(self, request: HttpRequest | None, username: str | None = None, **credentials: Any) -> None:
        if request is None or username is None:
            return
        address = str(request.META.get("REMOTE_ADDR", ""))
        for allowed, who in ((limit("logins_by_name"), username.casefold()), (limit("logins_by_address"), address)):
            if not _may_try(allowed, who):
                raise PermissionDenied


def _may_try(allowed: Limit, who: str) -> bool:
    try:
        return buckets().take(allowed, who=who).allowed
    except LimiterUnavailable:
        return True
