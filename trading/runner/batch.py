"""What one group commit consists of, while it is open and until it is durable."""

from typing import TYPE_CHECKING, Any, NamedTuple

from markets import wire
from markets.commands import AnyCommand
from markets.views import AccountView
from trading.engine.engine import Outcome
from trading.journal import FoundId, SealedRow

if TYPE_CHECKING:
    from trading.runner.server import Link


class Deferred(NamedTuple):
    """A request that is answered from the feed or the runner, once everything before it is committed."""

    link: "Link"
    message: wire.Ask | wire.Watch | wire.Unwatch


class Batch:
    """Commands executed in order, and what waits for their commit. `seq` is that of the last row when there are no commands."""

    __slots__ = ("answers", "commands", "deferred", "found_ids", "frames", "outcome", "row", "sent_at", "seq", "size", "stamp_ms", "views")

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.stamp_ms = 0
        self.size = 0
        self.commands: list[AnyCommand] = []
        self.found_ids: list[FoundId] = []
        self.answers: dict[Link, list[Any]] = {}
        self.deferred: list[Deferred] = []
        self.outcome: Outcome | None = None
        self.row: SealedRow | None = None
        self.sent_at = 0.0
        self.views: dict[int, AccountView | None] = {}
        self.frames: list[tuple[Link, bytes]] = []

    def answer(self, link: "Link", message: Any) -> None:
        """Keep a message for the link until the batch is durable."""
        waiting = self.answers.get(link)
        if waiting is None:
            self.answers[link] = [message]
        else:
            waiting.append(message)

    def encode_answers(self) -> None:
        """Make the frames while the commit is in flight, so that they only need to be sent after it."""
        self.frames = [(link, wire.frames_of(messages)) for link, messages in self.answers.items()]
        self.answers = {}
