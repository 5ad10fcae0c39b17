"""The numbering that every channel shares: each message names the one before it, and numbers never go back.

Numbers are those of the journal: a message's `seq` is the last commit that it covers. They survive a restart of the
engine without being stored, and a page's book, tape and ticker can be set against each other.
"""

from typing import Any

import msgspec

from markets.gateway import Message

encode = msgspec.json.Encoder().encode


class Channel:
    """One topic: `head` opens every payload, `sent_seq` is that of its last message."""

    def __init__(self, *, topic: str, head: dict[str, Any], seq: int) -> None:
        self.topic = topic
        self.head = head
        self.sent_seq = seq

    def snapshot(self, body: dict[str, Any]) -> Message:
        """Return a first message as of the last one that was sent."""
        return Message(self.topic, self.sent_seq, encode(self.head | {"type": "snapshot", "seq": self.sent_seq} | body))

    def following(self, kind: str, seq: int, body: dict[str, Any]) -> Message:
        """Return the next message."""
        head = self.head | {"type": kind, "seq": seq, "prev_seq": self.sent_seq}
        self.sent_seq = seq
        return Message(self.topic, seq, encode(head | body))
