"""Tells every web process that credentials have ended, so that it closes the sockets that were opened with them.

A hint for speed, never the record: the sockets' processes also ask the database every few seconds.
"""

import logging
from typing import Any, NamedTuple

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest
from redis.exceptions import RedisError

GROUP = "credentials"
log = logging.getLogger(__name__)


class Ended(NamedTuple):
    """What ended: an API key, or a login session. Its fields are those of the message."""

    key_id: str = ""
    session_key: str = ""


def credentials_ended(ended: Ended) -> None:
    """Announce it, from synchronous code."""
    message = {"type": "credentials.ended", **ended._asdict()}
    try:
        async_to_sync(get_channel_layer().group_send)(GROUP, message)
    except (RedisError, OSError) as error:
        log.warning("the end of a credential could not be announced: %s", error)


@receiver(user_logged_out)
def announce_logout(request: HttpRequest | None, **_: Any) -> None:
    """Django says so for every way out: pages, admin."""
    if request is not None and request.session.session_key:
        credentials_ended(Ended(session_key=request.session.session_key))
