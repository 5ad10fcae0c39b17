"""Order entry over HTTP for programs, without Django: signed requests in, the same JSON as REST out."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import structlog

from accounts import api_auth
from accounts.api_auth import Principal
from markets import fields
from markets.errors import DomainError
from trading.consumers.identity import NotPermitted
from trading.hotlane.entry import Json, OrderEntry, error_json
from trading.hotlane.process import order_entry
from trading.requests import BatchRequest, CancelRequest, PlaceRequest

log = structlog.get_logger()

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Answer = Callable[[OrderEntry, Principal, bytes], Awaitable[Json]]

PREFIX = "/api/v1/fast/"
MAX_BODY_BYTES = 65_536

_encode = msgspec.json.Encoder().encode
_SIGNED = {name.lower().encode(): name for name in (api_auth.KEY, api_auth.TIMESTAMP, api_auth.RECV_WINDOW, api_auth.SIGN)}


class NotFound(DomainError):
    code = "NOT_FOUND"
    status = 404
    message = "There is nothing at this address."


class MethodNotAllowed(DomainError):
    code = "METHOD_NOT_ALLOWED"
    status = 405
    message = "This address does not take this method."


class BodyTooLarge(DomainError):
    code = "BODY_TOO_LARGE"
    status = 413
    message = f"A body has at most {MAX_BODY_BYTES} bytes."


class Disconnected(Exception):
    """The client left before its request was complete: nobody waits for an answer."""


async def hot_lane(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one request. What it answers is the API's; only the way there is shorter."""
    try:
        status, body = 200, _encode(await _respond(scope, receive))
    except DomainError as error:
        status, body = error.status, _encode({"error": error_json(error)})
    except Disconnected:
        return
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _respond(scope: Scope, receive: Receive) -> Json:
    answer = _route(scope)
    body = await _body(receive)
    principal = await api_auth.averify(_signed_headers(scope), scope["method"], _path_with_query(scope), body)
    if not principal.can_trade:
        raise NotPermitted
    return await answer(order_entry(), principal, body)


def _route(scope: Scope) -> Answer:
    methods = _ROUTES.get(scope["path"])
    if methods is None:
        raise NotFound
    if scope["method"] not in methods:
        raise MethodNotAllowed(allowed=list(methods))
    return methods[scope["method"]]


async def _body(receive: Receive) -> bytes:
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        body: bytes = message["body"]
    else:
        body = await _long_body(message, receive)
    if len(body) > MAX_BODY_BYTES:
        raise BodyTooLarge
    return body


async def _long_body(message: Message, receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        if message["type"] == "http.disconnect":
            raise Disconnected
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY_BYTES:
            raise BodyTooLarge
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()


def _signed_headers(scope: Scope) -> dict[str, str]:
    return {_SIGNED[name]: value.decode("latin-1") for name, value in scope["headers"] if name in _SIGNED}


def _path_with_query(scope: Scope) -> str:
    query = scope["query_string"]
    return f"{scope['path']}?{query.decode('latin-1')}" if query else scope["path"]


async def _place(entry: OrderEntry, principal: Principal, body: bytes) -> Json:
    return await entry.place(fields.decode(body, PlaceRequest), account_id=principal.account_id)


async def _cancel(entry: OrderEntry, principal: Principal, body: bytes) -> Json:
    return await entry.cancel(fields.decode(body, CancelRequest), account_id=principal.account_id)


async def _batch(entry: OrderEntry, principal: Principal, body: bytes) -> Json:
    return {"results": await entry.batch(fields.decode(body, BatchRequest), account_id=principal.account_id)}


_ROUTES: dict[str, dict[str, Answer]] = {
    f"{PREFIX}orders": {"POST": _place, "DELETE": _cancel},
    f"{PREFIX}batch": {"POST": _batch},
}
