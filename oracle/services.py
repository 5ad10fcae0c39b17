"""What staff do with prices; each step is a journalled command with its reason and author."""

from markets.commands import HaltIndex
from markets.errors import Refused
from markets.fields import InvalidField, echo
from markets.gateway import gateway

MAX_REASON = 200


def index_halt(*, index_id: int, reason: str, author: str) -> None:
    """Stop the use of a price at once: its market takes cancellations only, and nothing is liquidated or triggered on it."""
    reason = reason.strip()
    if not 0 < len(reason) <= MAX_REASON or not reason.isprintable():
        message = f"reason has 1 to {MAX_REASON} printable characters."
        raise InvalidField("REASON_REQUIRED", message, field="reason", value=echo(reason))
    _submit(HaltIndex(index_id=index_id, reason=reason, author=author))


def index_release(*, index_id: int, author: str) -> None:
    """Let a halted price be used again, once its sources have been good for a while."""
    _submit(HaltIndex(index_id=index_id, reason="", author=author))


def _submit(command: HaltIndex) -> None:
    reply = gateway().submit(command)
    if reply.reject is not None:
        raise Refused(reply.reject)
