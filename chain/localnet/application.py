"""JSON-RPC over HTTP and websocket: a raw ASGI application over one chain."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import structlog

from chain.localnet.chain import Chain
from chain.localnet.errors import INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR, RpcError
from chain.localnet.faults import ReplyLost
from chain.localnet.methods import METHODS
from chain.localnet.params import Json, Params
from chain.localnet.subscriptions import METHODS as SUBSCRIPTION_METHODS
from chain.localnet.subscriptions import Subscriptions

MAX_BODY_BYTES = 1 << 20
MAX_WAITING_MESSAGES = 10_000
TOO_SLOW = 1008
# Wallets and pages of any origin may call, as they may a public node.
CORS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST, GET, OPTIONS"),
    (b"access-control-allow-headers", b"content-type, solana-client"),
    (b"access-control-max-age", b"86400"),
]
log = structlog.get_logger("localnet")
Call = Callable[[str, Params], Any]


class Lost(Exception):
    """The connection ends before the answer: an injected fault."""


class Application:
    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._subscriptions = Subscriptions(chain)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self._serve_http(scope, receive, send)
        elif scope["type"] == "websocket":
            await Session(self._chain, self._subscriptions, receive, send).run()

    async def _serve_http(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["method"] == "OPTIONS":
            await _respond(send, 204, b"")
        elif scope["method"] == "GET" and scope["path"] == "/health":
            await _respond(send, 200, b"ok", kind=b"text/plain")
        elif scope["method"] != "POST":
            await _respond(send, 405, b"Used HTTP Method is not allowed. POST or OPTIONS is required\n", kind=b"text/plain")
        else:
            await self._serve_post(receive, send)

    async def _serve_post(self, receive: Any, send: Any) -> None:
        body = await _body(receive)
        if body is None:
            await _respond(send, 413, b"Payload Too Large\n", kind=b"text/plain")
            return
        try:
            answer = answer_text(body, self._call)
        except Lost:
            # Fewer bytes than were announced: the server closes the connection.
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
            await send({"type": "http.response.body", "body": b"{"})
            return
        await _respond(send, 200, answer)

    def _call(self, method: str, params: Params) -> Any:
        if method not in METHODS:
            raise RpcError(METHOD_NOT_FOUND, "Method not found")
        return call_method(self._chain, method, params)


class Session:
    """One websocket. A client that does not read its notifications is cut off."""

    def __init__(self, chain: Chain, subscriptions: Subscriptions, receive: Any, send: Any) -> None:
        self._chain = chain
        self._subscriptions = subscriptions
        self._receive = receive
        self._send = send
        self._mine: set[int] = set()
        self._outgoing: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_WAITING_MESSAGES)

    async def run(self) -> None:
        await self._receive()
        await self._send({"type": "websocket.accept"})
        writer = asyncio.create_task(self._write())
        try:
            while (message := await self._receive())["type"] == "websocket.receive":
                text = message.get("text") or message.get("bytes") or b""
                self._put(answer_text(text.encode() if isinstance(text, str) else text, self._call))
                self._subscriptions.answered()
        finally:
            self._subscriptions.end(list(self._mine))
            writer.cancel()

    def _call(self, method: str, params: Params) -> Any:
        if method in SUBSCRIPTION_METHODS:
            return self._subscriptions.handle(method, params, self._notify, self._mine)
        if method not in METHODS:
            raise RpcError(METHOD_NOT_FOUND, "Method not found")
        return METHODS[method](self._chain, params)

    def _notify(self, message: Json) -> None:
        self._put(msgspec.json.encode(message))

    def _put(self, message: bytes) -> None:
        if self._outgoing.full():
            self._subscriptions.end(list(self._mine))
            while not self._outgoing.empty():
                self._outgoing.get_nowait()
            self._outgoing.put_nowait(None)
            return
        self._outgoing.put_nowait(message)

    async def _write(self) -> None:
        while (message := await self._outgoing.get()) is not None:
            await self._send({"type": "websocket.send", "text": message.decode()})
        await self._send({"type": "websocket.close", "code": TOO_SLOW})


def answer_text(body: bytes, call: Call) -> bytes:
    """Answer one request or a batch of them."""
    try:
        request = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return msgspec.json.encode(_error(None, RpcError(PARSE_ERROR, "Parse error")))
    if isinstance(request, list) and request:
        return msgspec.json.encode([_answer(one, call) for one in request])
    return msgspec.json.encode(_answer(request, call))


def call_method(chain: Chain, method: str, params: Params) -> Any:
    fault = chain.faults.take_reply(method)
    if isinstance(fault, RpcError):
        raise fault
    result = METHODS[method](chain, params)
    if isinstance(fault, ReplyLost):
        raise Lost
    return result


def _answer(request: Any, call: Call) -> Json:
    if not isinstance(request, dict) or not isinstance(request.get("method"), str):
        return _error(None, RpcError(INVALID_REQUEST, "Invalid Request"))
    number = request.get("id")
    try:
        result = call(request["method"], Params(request.get("params")))
    except RpcError as error:
        return _error(number, error)
    return {"jsonrpc": "2.0", "result": result, "id": number}


def _error(number: Any, error: RpcError) -> Json:
    return {"jsonrpc": "2.0", "error": error.to_json(), "id": number}


async def _body(receive: Any) -> bytes | None:
    """Return None when it is too long."""
    body: bytes = b""
    while True:
        message: dict[str, Any] = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            return None
        if not message.get("more_body"):
            return body


async def _respond(send: Any, status: int, body: bytes, *, kind: bytes = b"application/json") -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *CORS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
