"""The leader's socket, and the links of the gateways that use it."""

import asyncio
import hmac
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import structlog

from markets import wire
from markets.gateway.address import Address

log = structlog.get_logger("engine")

MAX_UNSENT_BYTES = 16 * 1024 * 1024


class Link(asyncio.Protocol):
    """One gateway's connection. It is closed when it does not speak the language or does not read what it asked for."""

    def __init__(self, *, token: str | None, received: "Received", lost: Callable[["Link"], None]) -> None:
        self._token = token  # None: whoever reaches the socket may use it
        self._received = received
        self._lost = lost
        self._frames = wire.Frames()
        self._greeted = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream's transport is a Transport

    def data_received(self, data: bytes) -> None:
        try:
            for body in self._frames.feed(data):
                self._receive(body)
        except (wire.FrameError, msgspec.DecodeError, RecursionError) as error:
            log.warning("link closed: it does not speak the language", error=str(error))
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._lost(self)

    def send(self, data: bytes) -> None:
        transport = self._transport
        if transport is None:
            return
        transport.write(data)
        if transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            log.warning("link closed: it does not read", unsent_bytes=transport.get_write_buffer_size())
            self.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _receive(self, body: bytes) -> None:
        try:
            messages: list[wire.ClientMessage | wire.Malformed] = [*wire.client_decoder.decode(body)]
        except (msgspec.ValidationError, OverflowError):
            messages = list(wire.decode_each(body))
        if not self._greeted and messages:
            self._greet(messages.pop(0))
        self._received(self, messages)

    def _greet(self, message: wire.ClientMessage | wire.Malformed) -> None:
        if not isinstance(message, wire.Hello) or message.version != wire.VERSION:
            raise wire.FrameError("no greeting, or one of another version")
        if self._token is not None and not hmac.compare_digest(message.token, self._token):
            raise wire.FrameError("the greeting's token is wrong")
        self._greeted = True


Received = Callable[[Link, Sequence[wire.ClientMessage | wire.Malformed]], None]


def listening_socket(address: Address) -> socket.socket:
    """Return a socket that listens at the address.

    A Unix socket replaces its predecessor's in one step, in a folder that only this user may enter.
    """
    if not address.path:
        return socket.create_server((address.host, address.port), backlog=1024)
    path = Path(address.path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(fresh))
    listener.listen(1024)
    fresh.rename(path)
    return listener


async def serve(*, address: Address, token: str, received: Received, lost: Callable[[Link], None]) -> asyncio.AbstractServer:
    """Accept links; those that come by TCP must show the token."""
    loop = asyncio.get_running_loop()
    listener = listening_socket(address)
    required = None if address.path else token

    def new_link() -> Link:
        return Link(token=required, received=received, lost=lost)

    if address.path:
        return await loop.create_unix_server(new_link, sock=listener)
    return await loop.create_server(new_link, sock=listener)
