"""The server's protocol, with connections that write once a turn of the loop: a system call costs more than most of what is written.

A reply's head and body leave together, and so do the frames that one commit of the engine answers on one socket.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class GatheredTransport:
    """A transport that keeps what is written until the loop's next turn; all else is the transport's own."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._pieces: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._pieces:
            self._loop.call_soon(self._flush)
        self._pieces.append(data)

    def close(self) -> None:
        """Close once everything is written, as any transport does."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        pieces, self._pieces = self._pieces, []
        if pieces and not self._transport.is_closing():
            self._transport.writelines(pieces)


class HttpProtocol(HttpToolsProtocol):
    """A connection that becomes a WebSocket takes its transport along."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(GatheredTransport(transport))  # type: ignore[arg-type]  # it is one by what it does
