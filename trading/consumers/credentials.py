"""Whether what open sockets were opened with still holds."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import close_old_connections
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.announcements import Ended
from accounts.models import ApiKey, User


def ended(*, key_ids: Iterable[str], session_keys: Iterable[str]) -> list[Ended]:
    """Return those of the given credentials that hold no longer. For a thread: asks the database."""
    keys, sessions = set(key_ids), set(session_keys)
    close_old_connections()
    try:
        keys -= _usable_keys(keys)
        sessions -= _living_sessions(sessions)
    finally:
        close_old_connections()
    return [Ended(key_id=key) for key in keys] + [Ended(session_key=key) for key in sessions]


def _usable_keys(key_ids: set[str]) -> set[str]:
    unexpired = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    usable = ApiKey.objects.filter(unexpired, key_id__in=key_ids, revoked_at=None, account__owner__is_active=True)
    return set(usable.values_list("key_id", flat=True))


def _living_sessions(session_keys: set[str]) -> set[str]:
    """A session ends by logout, by age, with its user, and when the user's password is changed."""
    rows = Session.objects.filter(session_key__in=session_keys, expire_date__gt=timezone.now())
    decoded = {row.session_key: row.get_decoded() for row in rows}
    users = User.objects.filter(is_active=True).in_bulk([data[SESSION_KEY] for data in decoded.values() if SESSION_KEY in data])
    return {key for key, data in decoded.items() if _belongs(data, users)}


def _belongs(data: dict[str, Any], users: dict[int, User]) -> bool:
    user = users.get(int(data.get(SESSION_KEY, 0)))
    return user is not None and constant_time_compare(data.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())
