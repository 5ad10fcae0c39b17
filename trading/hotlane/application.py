"""Order entry over HTTP for programs, without Django: signed requests in, the same JSON as REST out."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

from accounts import api_auth
from accounts.api.authentication import SCHEME, ScopeRequired
from accounts.api_auth import Principal
from accounts.limits import RateLimited
from markets import fields
from markets.errors import DomainError
from trading.hotlane import rates
from trading.hotlane.entry import Json, error_json
from trading.hotlane.process import Parts, parts
from trading.requests import BatchRequest, CancelItem, CancelRequest, PlaceRequest

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

PREFIX = "/api/v1/fast/"
MAX_BODY_BYTES = 65_536
_JSON = (b"content-type", b"application/json")
_SIGNED = {name.lower().encode(): name for name in (api_auth.KEY, api_auth.TIMESTAMP, api_auth.RECV_WINDOW, api_auth.SIGN)}
_encode = msgspec.json.Encoder().encode


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


class Answer(NamedTuple):
    status: int
    body: bytes
    headers: Headers = []


async def hot_lane(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one request. What it answers is the API's; only the way there is shorter."""
    try:
        answer = await _answer(scope, receive)
    except Disconnected:
        return
    length = (b"content-length", b"%d" % len(answer.body))
    await send({"type": "http.response.start", "status": answer.status, "headers": [_JSON, length, *answer.headers]})
    await send({"type": "http.response.body", "body": answer.body})


async def _answer(scope: Scope, receive: Receive) -> Answer:
    try:
        return await _carry_out(scope, receive)
    except DomainError as error:
        failure = error
    if failure.status == 401:
        try:
            await rates.charge_failure((scope.get("client") or ("local",))[0])
        except RateLimited as error:
            failure = error
    return Answer(failure.status, _encode({"error": error_json(failure)}), _error_headers(failure))


async def _carry_out(scope: Scope, receive: Receive) -> Answer:
    operation = _operation(scope)
    body = await _body(receive)
    principal = await api_auth.averify(_signed_headers(scope), scope["method"], _path_with_query(scope), body)
    if not principal.can_trade:
        raise ScopeRequired(required="trade")
    return await operation(parts(), principal, body)


async def _place(hot: Parts, principal: Principal, body: bytes) -> Answer:
    request = fields.decode(body, PlaceRequest)
    payer = _payer(principal)
    if not hot.rates.take_leased(payer, 1):
        await hot.rates.take(payer, 1)
    return _done(hot, principal, 201, await hot.entry.place(request, account_id=principal.account_id))


async def _cancel(hot: Parts, principal: Principal, body: bytes) -> Answer:
    request = fields.decode(body, CancelRequest)
    return _done(hot, principal, 200, await hot.entry.cancel(request, account_id=principal.account_id))


async def _batch(hot: Parts, principal: Principal, body: bytes) -> Answer:
    request = fields.decode(body, BatchRequest)
    await hot.rates.take(_payer(principal), batch_cost(request))
    return _done(hot, principal, 200, {"results": await hot.entry.batch(request, account_id=principal.account_id)})


_OPERATIONS: dict[str, dict[str, Callable[[Parts, Principal, bytes], Awaitable[Answer]]]] = {
    f"{PREFIX}orders": {"POST": _place, "DELETE": _cancel},
    f"{PREFIX}batch": {"POST": _batch},
}


def batch_cost(request: BatchRequest) -> int:
    """Return what a batch is charged: its cancels are as free as others."""
    return sum(not isinstance(item, CancelItem) for item in request.items)


def _operation(scope: Scope) -> Callable[[Parts, Principal, bytes], Awaitable[Answer]]:
    methods = _OPERATIONS.get(scope["path"])
    if methods is None:
        raise NotFound
    if scope["method"] not in methods:
        raise MethodNotAllowed(allowed=list(methods))
    return methods[scope["method"]]


async def _body(receive: Receive) -> bytes:
    """Return the body. It nearly always comes in one piece."""
    parts: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY_BYTES:
            raise BodyTooLarge(limit=MAX_BODY_BYTES)
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _signed_headers(scope: Scope) -> dict[str, str]:
    return {_SIGNED[name]: value.decode("latin-1") for name, value in scope["headers"] if name in _SIGNED}


def _path_with_query(scope: Scope) -> str:
    query = scope["query_string"]
    return f"{scope['path']}?{query.decode('latin-1')}" if query else scope["path"]


def _payer(principal: Principal) -> str:
    return f"account:{principal.account_id}"


def _done(hot: Parts, principal: Principal, status: int, content: Json) -> Answer:
    return Answer(status, _encode(content), hot.rates.headers(_payer(principal)))


def _error_headers(error: DomainError) -> Headers:
    if isinstance(error, RateLimited):
        return [(b"retry-after", b"%d" % -(-error.data["retry_after_ms"] // 1000))]
    if error.status == 401:
        return [(b"www-authenticate", SCHEME.encode())]
    return [(b"retry-after", b"1")] if error.status == 503 else []
