"""A load generator for loopback: keeps `window` requests in flight on each of some connections, over HTTP or a WebSocket.

Requests are bytes built beforehand, and replies are only counted, so that the client costs as little as Python allows.
"""

import asyncio
import os
import time
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

PING = 9


class Counter:
    """Counts replies of all connections until a target is reached."""

    def __init__(self, target: int) -> None:
        self.left_to_send = target
        self.left_to_receive = target
        self.refused = 0
        self.done = asyncio.get_running_loop().create_future()

    def take(self) -> bool:
        self.left_to_send -= 1
        return self.left_to_send >= 0

    def received(self) -> None:
        self.left_to_receive -= 1
        if self.left_to_receive == 0:
            self.done.set_result(None)


class Connection(asyncio.Protocol):
    """Sends the next request for each reply. Subclasses split the stream into replies."""

    def __init__(self, request: Callable[[], bytes], counter: Counter, window: int) -> None:
        self.request, self.counter, self.window = request, counter, window
        self.buffer = b""
        self.ready = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self.opened()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.counter.done.done():
            self.counter.done.set_exception(exc or ConnectionError("the server closed a connection under load"))

    def opened(self) -> None:
        self.ready.set_result(None)

    def start(self) -> None:
        self.send(sum(self.counter.take() for _ in range(self.window)))

    def send(self, count: int) -> None:
        if count:
            self.transport.write(b"".join(self.request() for _ in range(count)))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        replies = self.split()
        for _ in range(replies):
            self.counter.received()
        self.send(sum(self.counter.take() for _ in range(replies)))

    def split(self) -> int:
        """Cut whole replies off the buffer and return their number."""
        raise NotImplementedError


class HttpConnection(Connection):
    def split(self) -> int:
        replies = 0
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            at = head.index(b"content-length:") + 15
            length = int(head[at : head.find(b"\r\n", at) if b"\r\n" in head[at:] else None])
            if len(self.buffer) < end + 4 + length:
                break
            self.counter.refused += not head.startswith(b"http/1.1 2")
            self.buffer = self.buffer[end + 4 + length :]
            replies += 1
        return replies


class SocketConnection(Connection):
    """A WebSocket client: one handshake, then frames. `accept` tells a reply from other messages; `hello` frames go first."""

    def __init__(  # noqa: PLR0917
        self,
        request: Callable[[], bytes],
        counter: Counter,
        window: int,
        url: str,
        hello: bytes = b"",
        accept: Callable[[bytes], bool] = lambda message: True,
    ) -> None:
        super().__init__(request, counter, window)
        self.url, self.hello, self.accept, self.greeted = url, hello, accept, not hello
        self.upgraded = False

    def opened(self) -> None:
        parts = urlsplit(self.url)
        self.transport.write(
            f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )

    def split(self) -> int:
        if not self.upgraded:
            if b"\r\n\r\n" not in self.buffer:
                return 0
            self.buffer = self.buffer.partition(b"\r\n\r\n")[2]
            self.upgraded = True
            if self.greeted:
                self.ready.set_result(None)
            else:
                self.transport.write(frame(self.hello))
        replies = 0
        while (message := self.next_message()) is not None:
            if not self.greeted:
                self.greeted = True
                self.ready.set_result(None)
            elif self.accept(message):
                replies += 1
        return replies

    def next_message(self) -> bytes | None:
        buffer = self.buffer
        if len(buffer) < 2:
            return None
        length, at = buffer[1] & 0x7F, 2
        if length == 126:
            length, at = int.from_bytes(buffer[2:4], "big"), 4
        elif length == 127:
            length, at = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < at + length:
            return None
        self.buffer = buffer[at + length :]
        if buffer[0] & 0x0F == PING:
            self.transport.write(b"\x8a" + frame(buffer[at : at + length])[1:])
            return self.next_message()
        return buffer[at : at + length]


def frame(payload: bytes) -> bytes:
    """Return a masked text frame; the mask is zero, so the payload stays as it is."""
    length = len(payload)
    size = bytes([0x80 | length]) if length < 126 else b"\xfe" + length.to_bytes(2, "big")
    return b"\x81" + size + b"\0\0\0\0" + payload


async def drive(make: Callable[[Counter], Connection], *, host: str, port: int, connections: int, count: int) -> float:
    """Send `count` requests over the connections and return replies per second."""
    loop = asyncio.get_running_loop()
    counter = Counter(count)
    opened = [await loop.create_connection(lambda: make(counter), host, port) for _ in range(connections)]
    protocols = [protocol for _, protocol in opened]
    await asyncio.gather(*(protocol.ready for protocol in protocols))
    began = time.perf_counter()
    for protocol in protocols:
        protocol.start()
    await counter.done
    seconds = time.perf_counter() - began
    for transport, _ in opened:
        transport.close()
    if counter.refused:
        raise RuntimeError(f"{counter.refused} of {count} requests were refused: this is not a measurement of what was meant")
    return count / seconds


def http_request(method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def run(coroutine_function: Callable[[], "asyncio.Future[float]"]) -> float:
    """Run one measurement on its own uvloop."""
    import uvloop

    return uvloop.run(coroutine_function())  # type: ignore[arg-type]


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def server_environment(**extra: str) -> dict[str, str]:
    return os.environ | {"PYTHONUNBUFFERED": "1"} | extra
