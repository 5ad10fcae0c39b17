"""Faults that tests inject: what a real cluster does now and then, at the moment that the test chooses."""

from collections import defaultdict, deque
from dataclasses import dataclass
from typing import Any

from chain.localnet.errors import RpcError


@dataclass(frozen=True, slots=True)
class Dropped:
    """The node takes the transaction and answers with its signature; no leader ever sees it."""


@dataclass(frozen=True, slots=True)
class Late:
    """It reaches a leader so many blocks later; past its blockhash's age that is too late."""

    blocks: int


@dataclass(frozen=True, slots=True)
class Failed:
    """It lands, and fails with this error."""

    error: Any


@dataclass(frozen=True, slots=True)
class ForkedAway:
    """It lands; so many blocks later its block is abandoned. `returns`: its bytes reach the new fork's leader, too."""

    after_blocks: int
    returns: bool = False


@dataclass(frozen=True, slots=True)
class ReplyLost:
    """The node does what it was asked, but the connection ends before its answer."""


SubmissionFault = Dropped | Late | Failed | ForkedAway
ReplyFault = ReplyLost | RpcError


class Faults:
    """Each fault is used up by one request."""

    def __init__(self) -> None:
        self._submissions: deque[SubmissionFault] = deque()
        self._replies: defaultdict[str, deque[ReplyFault]] = defaultdict(deque)

    def submission(self, *faults: SubmissionFault) -> None:
        """Let the next transactions meet these, one each."""
        self._submissions.extend(faults)

    def reply(self, method: str, *faults: ReplyFault) -> None:
        """Let the next calls of an RPC method meet these, one each."""
        self._replies[method].extend(faults)

    def take_submission(self) -> SubmissionFault | None:
        return self._submissions.popleft() if self._submissions else None

    def take_reply(self, method: str) -> ReplyFault | None:
        queue = self._replies.get(method)
        return queue.popleft() if queue else None
