"""A small exchange for the page's modules: the site's static files under the strict policy, JSON answers, and a socket
that speaks the protocol of /ws/v1/ and can be told to skip a message, fall silent or hang up."""

import asyncio
import json
import mimetypes
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import uvicorn

ROOT = Path(__file__).resolve().parents[2]
PAGES = Path(__file__).parent / "pages"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
PATIENCE_SECONDS = 60

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]


class Connection:
    """One browser's socket: what it asked, and the way to answer."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.topics: list[Message] = []
        self.silent = False

    async def say(self, message: Message) -> None:
        await self.send({"type": "websocket.send", "text": json.dumps(message)})


class Desk:
    """`snapshots` and `answers` are what it knows; `heard` is what browsers asked, in order."""

    def __init__(self) -> None:
        self.snapshots: dict[str, Message] = {}
        self.answers: dict[str, Callable[[dict[str, str]], Any]] = {}
        self.refuses: set[str] = set()
        self.connections: list[Connection] = []
        self.opened = 0
        self.heard: list[Message] = []
        self._news = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._server = uvicorn.Server(
            uvicorn.Config(self.application, interface="asgi3", log_level="error", lifespan="off", ws="websockets-sansio")
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        self._loop.run_until_complete(self._server.serve(sockets=[self._listener]))
        self._loop.close()

    def push(self, message: Message) -> None:
        """Send a message to every socket that follows its channel."""
        asyncio.run_coroutine_threadsafe(self._push(message), self._loop).result(PATIENCE_SECONDS)

    def fall_silent(self) -> None:
        """Answer nothing more on the sockets that are open now."""
        for connection in self.connections:
            connection.silent = True

    def hang_up(self) -> None:
        """Close every socket, as a server does that is restarted."""
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result(PATIENCE_SECONDS)

    def wait_heard(self, *, count: int = 1, **fields: Any) -> Message:
        """Return the latest request with these fields once there were `count` of them."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self._news:
            while len(found := self.asked(**fields)) < count:
                if not self._news.wait(deadline - time.monotonic()):
                    raise AssertionError(f"never heard {fields}: {self.heard}")
            return found[-1]

    def asked(self, **fields: Any) -> list[Message]:
        return [message for message in self.heard if fields.items() <= message.items()]

    async def _push(self, message: Message) -> None:
        for connection in self.connections:
            if any(topic["channel"] == message["channel"] for topic in connection.topics):
                await connection.say(message)

    async def _hang_up(self) -> None:
        for connection in list(self.connections):
            await connection.send({"type": "websocket.close", "code": 1012})

    async def application(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._socket(receive, send)
        else:
            await self._http(scope, receive, send)

    async def _http(self, scope: Message, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if answer := self.answers.get(path):
            query = {name: values[-1] for name, values in parse_qs(scope["query_string"].decode()).items()}
            body = (await receive())["body"]
            with self._news:
                self.heard.append({"path": path, "method": scope["method"], "body": json.loads(body or b"null"), **query})
                self._news.notify_all()
            await respond(send, 200, "application/json", json.dumps(answer(query)).encode())
            return
        file = ROOT / path.lstrip("/") if path.startswith("/static/") else PAGES / path.lstrip("/")
        if file.is_file():
            await respond(send, 200, mimetypes.guess_type(file.name)[0] or "text/plain", file.read_bytes())
        else:
            await respond(send, 404, "text/plain", b"")

    async def _socket(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        connection = Connection(send)
        self.connections.append(connection)
        self.opened += 1
        while (event := await receive())["type"] == "websocket.receive":
            await self._answer(connection, json.loads(event["text"]))
        self.connections.remove(connection)

    async def _answer(self, connection: Connection, request: Message) -> None:
        with self._news:
            self.heard.append(request)
            self._news.notify_all()
        if connection.silent:
            return
        if request["op"] == "ping":
            reply = {"op": "pong", "id": request["id"], "time_ms": request["time_ms"], "server_ms": time.time_ns() // 1_000_000}
            await connection.say(reply)
            return
        await self._answer_topic(connection, request)

    async def _answer_topic(self, connection: Connection, request: Message) -> None:
        channel = request["channel"]
        if channel in self.refuses:
            error = {"code": "NOT_AUTHENTICATED", "message": "Log in first", "data": {}}
            await connection.say({"op": request["op"], "id": request["id"], "ok": False, "error": error})
            return
        await connection.say({"op": request["op"], "id": request["id"], "ok": True})
        if request["op"] == "unsubscribe":
            return
        connection.topics.append(request)
        if snapshot := self.snapshots.get(channel):
            await connection.say({"channel": channel, "market": "BTC-PERP", "type": "snapshot", **snapshot})


async def respond(send: Send, status: int, kind: str, body: bytes) -> None:
    headers = [(b"content-type", f"{kind}; charset=utf-8".encode()), (b"content-security-policy", POLICY.encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
