"""A client of the exchange's own socket, as any program could write it from docs/socket.md."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from accounts import api_auth

Json = dict[str, Any]

PATH = "/ws/v1/"
MAX_MESSAGE_BYTES = 8 << 20
ANSWER_SECONDS = 10.0
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Json).decode


class SocketClosed(Exception):
    """The connection is gone; what was on its way may have been carried out."""


class SocketClient:
    """Requests are numbered, so that any number can be on their way at once; channel messages go to `on_message`."""

    def __init__(self, connection: ClientConnection, on_message: Callable[[Json], None]) -> None:
        self._connection = connection
        self._on_message = on_message
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        self.closed = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, *, on_message: Callable[[Json], None]) -> AsyncIterator["SocketClient"]:
        async with connect(url, compression=None, max_size=MAX_MESSAGE_BYTES, max_queue=None) as connection:
            client = cls(connection, on_message)
            reader = asyncio.create_task(client._read())
            try:
                yield client
            finally:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)

    @property
    def close_code(self) -> int | None:
        return self._connection.close_code

    async def login(self, *, key_id: str, secret: str) -> Json:
        request = login_request(key_id=key_id, secret=secret)
        return await self.ask(request.pop("op"), **request)

    async def ask(self, op: str, **fields: Any) -> Json:
        """Send a request and return its answer, whether it says ok or not."""
        async with asyncio.timeout(ANSWER_SECONDS):
            return await self.send(op, **fields)

    def send(self, op: str, **fields: Any) -> "asyncio.Task[Json]":
        """Start a request. Those that are started one after the other are sent in that order."""
        return asyncio.create_task(self._exchange(op, fields))

    async def _exchange(self, op: str, fields: Json) -> Json:
        number = next(self._numbers)
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            await self._connection.send(_encode({"op": op, "id": number, **fields}), text=True)
            return await answer
        except ConnectionClosed as error:
            raise SocketClosed from error
        finally:
            self._waiting.pop(number, None)

    async def _read(self) -> None:
        try:
            async for text in self._connection:
                self._heard(_decode(text))
        except ConnectionClosed:
            pass
        finally:
            self.closed.set()
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(SocketClosed())

    def _heard(self, message: Json) -> None:
        if "op" not in message:
            self._on_message(message)
            return
        answer = self._waiting.get(message["id"])
        if answer is not None and not answer.done():
            answer.set_result(message)


def login_request(*, key_id: str, secret: str) -> Json:
    """Return a signed auth request, without an id."""
    timestamp_ms, window_ms = time.time_ns() // 1_000_000, api_auth.DEFAULT_RECV_WINDOW_MS
    sign = api_auth.signature(
        secret.encode(), timestamp_ms=timestamp_ms, recv_window_ms=window_ms, method="GET", path_with_query=PATH, body=b""
    )
    return {"op": "auth", "key": key_id, "timestamp": timestamp_ms, "recv_window": window_ms, "sign": sign}
