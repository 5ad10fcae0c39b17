"""What waits to be written to one socket."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from typing import Any

Frame = dict[str, Any]
Send = Callable[[Frame], Awaitable[None]]

LIMIT_BYTES = 1 << 20
LIMIT_FRAMES = 4_096


def frame_of(payload: bytes) -> Frame:
    """Return the ASGI message for a text frame; one is shared by every socket that is sent the same."""
    return {"type": "websocket.send", "text": payload.decode()}


class Outbox:
    """Writes frames at once while the peer keeps up; keeps a bounded number when it does not, then overflows for good.

    `overflowed` is called once, when what waits passes the limit; what waited is dropped.
    """

    def __init__(self, send: Send, *, overflowed: Callable[[], None]) -> None:
        self._send = send
        self._overflowed = overflowed
        self._waiting: deque[Frame] = deque()
        self._waiting_bytes = 0
        self._writer: asyncio.Task[None] | None = None
        self.closed = False

    def put(self, frame: Frame) -> None:
        if self.closed:
            return
        if self._writer is None:
            self._write(frame)
            return
        self._waiting.append(frame)
        self._waiting_bytes += len(frame["text"])
        if self._waiting_bytes > LIMIT_BYTES or len(self._waiting) > LIMIT_FRAMES:
            self.close()
            self._overflowed()

    def close(self) -> None:
        """Drop what waits and take no more."""
        self.closed = True
        self._waiting.clear()
        if self._writer is not None:
            self._writer.cancel()

    def _write(self, frame: Frame) -> None:
        # A server's send() suspends only while its buffer is full. Taking its first step here spares a task for each
        # frame, which is most of what a broadcast to many sockets costs; where it does suspend, a task takes it over.
        step = self._send(frame).__await__()
        try:
            pending = next(step)
        except StopIteration:
            return
        except OSError:
            self.close()  # the peer is gone: its socket hears so from receive()
            return
        self._writer = asyncio.get_running_loop().create_task(self._drain(_Rest(step, pending)))

    async def _drain(self, rest: "_Rest") -> None:
        try:
            await rest
            while self._waiting:
                frame = self._waiting.popleft()
                self._waiting_bytes -= len(frame["text"])
                await self._send(frame)
        except OSError:
            self.close()
        finally:
            self._writer = None


class _Rest:
    """An awaitable that was stepped once by hand: awaits what it waits for, then goes on."""

    def __init__(self, step: Generator[Any, Any, None], pending: Any) -> None:
        self._step = step
        self._pending = pending

    def __await__(self) -> Generator[Any, Any, None]:
        yield self._pending
        yield from self._step
