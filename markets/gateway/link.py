"""One pipelined connection to the engine."""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from markets import wire
from markets.errors import EngineBusy, EngineUnavailable, OutcomeUnknown

MAX_PENDING = 50_000
CHECK_SECONDS = 0.25
SILENCE_BEFORE_PING_SECONDS = 0.5
SILENCE_BEFORE_LOSS_SECONDS = 3.0


class Pending(NamedTuple):
    answer: asyncio.Future[wire.ServerMessage]
    deadline: float


class Link(asyncio.Protocol):
    """Requests of one turn of the loop leave as one frame; answers find their request by its id.

    A link that is silent for too long is given up: its engine may be stopped while its socket stays open.
    """

    def __init__(self, *, token: str, published: Callable[[wire.Published], None], lost: Callable[[], None]) -> None:
        self._token = token
        self._published = published
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._frames = wire.Frames()
        self._ids = itertools.count(1)
        self._pending: dict[int, Pending] = {}
        self._outbox: dict[int, bytes] = {}
        self._inbox: deque[wire.ServerMessage] = deque()
        self._draining_later = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]  # uvloop's transports do not inherit asyncio's
        self._heard_at = self._loop.time()
        self._write(wire.frames_of([wire.Hello(wire.VERSION, self._token)]))
        self._checking = self._loop.call_later(CHECK_SECONDS, self._check)

    def request(self, message_type: Callable[..., wire.ClientMessage], *body: Any, timeout_seconds: float) -> asyncio.Future[Any]:
        """Send a message that is made from an id of this link and `body`; the future becomes its answer."""
        if self._transport is None:
            raise EngineUnavailable
        if len(self._pending) >= MAX_PENDING:
            raise EngineBusy
        request_id = next(self._ids)
        encoded = wire.encoder.encode(message_type(request_id, *body))
        if not self._outbox:
            self._loop.call_soon(self._flush)
        self._outbox[request_id] = encoded
        answer: asyncio.Future[wire.ServerMessage] = self._loop.create_future()
        self._pending[request_id] = Pending(answer, self._loop.time() + timeout_seconds)
        return answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        for body in self._frames.feed(data):
            self._inbox.extend(wire.server_decoder.decode(body))
        if not self._draining_later:
            self._drain()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._checking.cancel()
        pending, self._pending = self._pending, {}
        for request_id, (answer, _) in pending.items():
            if not answer.done():
                answer.set_exception(EngineUnavailable() if request_id in self._outbox else OutcomeUnknown())
        self._outbox.clear()
        self._lost()

    def _flush(self) -> None:
        if self._outbox:
            self._write(wire.frames(self._outbox.values()))
            self._outbox.clear()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _drain(self) -> None:
        """Handle what came in. Deltas wait until the task that awaits their snapshot has run."""
        self._draining_later = False
        while self._inbox:
            message = self._inbox.popleft()
            if isinstance(message, wire.Published) and not message.id:
                self._published(message)
                continue
            self._resolve(message)
            if isinstance(message, wire.Published):
                self._draining_later = True
                self._loop.call_soon(self._drain)
                return

    def _resolve(self, message: wire.ServerMessage) -> None:
        pending = self._pending.pop(message.id, None)
        if pending is not None and not pending.answer.done():
            pending.answer.set_result(message)

    def _check(self) -> None:
        """Give up requests that are past their time, and a link that has been silent for too long."""
        self._checking = self._loop.call_later(CHECK_SECONDS, self._check)
        now = self._loop.time()
        for request_id in [key for key, pending in self._pending.items() if pending.deadline <= now]:
            answer = self._pending.pop(request_id).answer
            if not answer.done():
                answer.set_exception(OutcomeUnknown())
        silence = now - self._heard_at
        if silence > SILENCE_BEFORE_LOSS_SECONDS:
            self.close()
        elif silence > SILENCE_BEFORE_PING_SECONDS:
            self._write(wire.frames_of([wire.Ping(0)]))
