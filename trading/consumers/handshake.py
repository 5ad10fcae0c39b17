"""From an ASGI connection to a socket."""

from typing import Any

from markets.errors import DomainError
from trading.consumers import identity, limits, protocol
from trading.consumers.identity import Identity
from trading.consumers.outbox import Send
from trading.consumers.process import process
from trading.consumers.socket import Receive, Socket

Scope = dict[str, Any]


async def from_browser(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a page: its login counts."""
    user = scope["user"]
    who = await identity.of_session(user, scope["session"].session_key) if user.is_authenticated else None
    await _serve(scope, receive, send, who)


async def from_program(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a client that names no origin: whatever cookie it sends is not looked at."""
    await _serve(scope, receive, send, None)


async def not_found(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "websocket.close"})


async def _serve(scope: Scope, receive: Receive, send: Send, who: Identity | None) -> None:
    address = (scope.get("client") or ("local",))[0]
    try:
        limits.of_addresses.take(address)
    except DomainError as error:
        await _deny(scope, send, error)
        return
    try:
        await _open(scope, receive, send, who)
    finally:
        limits.of_addresses.leave(address)


async def _open(scope: Scope, receive: Receive, send: Send, who: Identity | None) -> None:
    try:
        socket = Socket(process=process(), send=send, who=who)
    except DomainError as error:
        await _deny(scope, send, error)
        return
    await receive()  # websocket.connect
    await send({"type": "websocket.accept"})
    await socket.run(receive)


async def _deny(scope: Scope, send: Send, error: DomainError) -> None:
    """Refuse the handshake with the API's error, where the server can say more than 403."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close"})
        return
    body = protocol.encode({"error": {"code": error.code, "message": error.message, "data": error.data}})
    headers = [(b"content-type", b"application/json")]
    await send({"type": "websocket.http.response.start", "status": error.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
