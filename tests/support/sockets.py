"""A client of the socket that keeps what it hears, and waits for what a test expects."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from tests.support.people import Person
from tests.support.web import WebProcess
from trading.makers.client import SocketClient

Json = dict[str, Any]
SECONDS = 60


class Ear:
    """Collects channel messages."""

    def __init__(self) -> None:
        self.messages: list[Json] = []
        self._changed = asyncio.Event()

    def hear(self, message: Json) -> None:
        self.messages.append(message)
        self._changed.set()

    async def wait_for(self, wanted: Callable[[Json], bool], *, after: int = 0) -> Json:
        """Wait until a message past the first `after` ones is as wanted."""
        async with asyncio.timeout(SECONDS):
            while True:
                for message in self.messages[after:]:
                    if wanted(message):
                        return message
                self._changed.clear()
                await self._changed.wait()

    async def snapshot(self, channel: str, *, after: int = 0) -> Json:
        return await self.wait_for(lambda message: message["channel"] == channel and message["type"] != "delta", after=after)

    def of(self, channel: str) -> list[Json]:
        return [message for message in self.messages if message["channel"] == channel]


class Peer:
    """A program on the socket."""

    def __init__(self, client: SocketClient, ear: Ear) -> None:
        self.client = client
        self.ear = ear
        self.ask = client.ask

    async def ok(self, op: str, **fields: Any) -> Json:
        """Ask, and insist on a good answer."""
        answer = await self.client.ask(op, **fields)
        assert answer["ok"], answer
        return answer

    async def code(self, op: str, **fields: Any) -> str:
        """Ask, and return the code of the refusal."""
        answer = await self.client.ask(op, **fields)
        assert not answer["ok"], answer
        code: str = answer["error"]["code"]
        return code


@asynccontextmanager
async def program(web: WebProcess, who: Person | None = None) -> AsyncIterator[Peer]:
    """Connect as a program; with a person, authenticated by their key."""
    ear = Ear()
    async with SocketClient.open(web.socket_url, on_message=ear.hear) as client:
        if who is not None:
            assert (await client.login(key_id=who.key_id, secret=who.secret))["ok"]
        yield Peer(client, ear)


@asynccontextmanager
async def browser(web: WebProcess, who: Person | None = None, *, origin: str = "") -> AsyncIterator[ClientConnection]:
    """Connect as a page does: with an origin, and the login's cookie."""
    headers = {"Cookie": who.cookie} if who else {}
    async with connect(
        web.socket_url, origin=Origin(origin or web.url), additional_headers=headers, compression=None, open_timeout=SECONDS
    ) as connection:
        yield connection


async def exchange(connection: ClientConnection, said: Json) -> Json:
    """Send one request on a bare connection and return the next answer, past channel messages."""
    await connection.send(msgspec.json.encode(said), text=True)
    while True:
        heard: Json = msgspec.json.decode(await asyncio.wait_for(connection.recv(), SECONDS))
        if "op" in heard:
            return heard


async def close_code(connection: ClientConnection) -> int:
    """Read until the other side closes; return its code."""
    async with asyncio.timeout(SECONDS):
        try:
            while True:
                await connection.recv()
        except ConnectionClosed:
            assert connection.close_code is not None
            return connection.close_code
