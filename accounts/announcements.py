"""Tells every web process that credentials have ended, so that it closes the sockets that were opened with them.

A hint for speed, never the record: the sockets' processes also ask the database every few seconds.
"""

from typing import NamedTuple

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

GROUP = "credentials"


class Ended(NamedTuple):
    """What ended: an API key, or a login session. Its fields are those of the message."""

    key_id: str = ""
    session_key: str = ""


def credentials_ended(ended: Ended) -> None:
    """Announce it from synchronous code."""
    layer = get_channel_layer()
    async_to_sync(layer.group_send)(GROUP, {"type": "credentials.ended", **ended._asdict()})
