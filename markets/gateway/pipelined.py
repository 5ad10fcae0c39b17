"""The gateway for asyncio processes: one pipelined link that is opened again when it is lost."""

# ruff: noqa: ASYNC109 - the timeout of a request is a deadline of the exchange, not of the task that awaits it

import asyncio
import functools
from collections.abc import Callable
from typing import Any, NamedTuple, overload

from markets import queries, wire
from markets.assets import RiskParameters
from markets.commands import AnyCommand
from markets.errors import EngineUnavailable
from markets.gateway import answers
from markets.gateway.address import Address
from markets.gateway.blocking import accepted
from markets.gateway.link import Link
from markets.views import AccountView, BookView, CollateralAssetView, IndexView, MarketView, OrderView, Preview, Reply, StateView

CONNECT_SECONDS = 1.0
BACKOFF_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


class Message(NamedTuple):
    """A feed message; the payload is the JSON text that goes to sockets as it is."""

    topic: str
    seq: int
    payload: bytes


class AsyncGateway:
    """Submit commands, ask, and watch feed topics, from the tasks of one event loop.

    Raised are the same errors as by the blocking Gateway. While there is no link, requests wait for one for a second.
    """

    def __init__(self, *, url: str, token: str = "") -> None:
        self._address = Address.parse(url)
        self._token = token
        self._link: Link | None = None
        self._connected = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[Message], None]] = []
        self._on_reconnect: list[Callable[[], None]] = []
        self._sessions: set[tuple[int, int]] = set()

    async def submit(self, command: AnyCommand, *, timeout: float = 5.0) -> Reply:
        link = self._link or await self._connect(timeout)
        message = accepted(await link.request(wire.Submit, command, timeout_seconds=timeout))
        assert isinstance(message, wire.Replied), message
        return message.reply

    @overload
    async def query(self, query: queries.GetAccount, *, timeout: float = 5.0) -> AccountView | None: ...
    @overload
    async def query(self, query: queries.GetOrder, *, timeout: float = 5.0) -> OrderView | None: ...
    @overload
    async def query(self, query: queries.GetMarkets, *, timeout: float = 5.0) -> list[MarketView]: ...
    @overload
    async def query(self, query: queries.GetBook, *, timeout: float = 5.0) -> BookView | None: ...
    @overload
    async def query(self, query: queries.PreviewOrder, *, timeout: float = 5.0) -> Preview | None: ...
    @overload
    async def query(self, query: queries.GetCommittedSeq, *, timeout: float = 5.0) -> int: ...
    @overload
    async def query(self, query: queries.GetState, *, timeout: float = 5.0) -> StateView: ...
    @overload
    async def query(self, query: queries.GetIndices, *, timeout: float = 5.0) -> list[IndexView]: ...
    @overload
    async def query(self, query: queries.GetAssets, *, timeout: float = 5.0) -> list[CollateralAssetView]: ...
    @overload
    async def query(self, query: queries.GetRiskParameters, *, timeout: float = 5.0) -> RiskParameters: ...
    async def query(self, query: Any, *, timeout: float = 5.0) -> Any:
        message = await self._exchange(wire.Ask, query, timeout=timeout)
        assert isinstance(message, wire.Answered), message
        return answers.decode(query, message.answer)

    async def snapshot(self, topic: str) -> Message:
        """Watch the topic and return its snapshot. Its deltas reach the listeners after the awaiting task has run.

        LookupError when there is no such topic.
        """
        message = await self._exchange(wire.Watch, topic)
        if not isinstance(message, wire.Published):
            raise LookupError(topic)
        return Message(message.topic, message.seq, message.payload)

    def listen(self, callback: Callable[[Message], None]) -> None:
        """Call back with every message of the topics that are watched, in order."""
        self._listeners.append(callback)

    async def unwatch(self, topic: str) -> None:
        await self._exchange(wire.Unwatch, topic)

    async def hold_session(self, account_id: int, session_id: int) -> None:
        """From now on the engine's runner cancels the session's orders when this link is lost."""
        self._sessions.add((account_id, session_id))
        await self._exchange(wire.Hold, account_id, session_id)

    async def release_session(self, account_id: int, session_id: int) -> None:
        """End a session on purpose; cancels nothing by itself."""
        self._sessions.discard((account_id, session_id))
        await self._exchange(wire.Release, account_id, session_id)

    async def ping(self) -> None:
        """Return when the engine's process has received everything that was sent before; it says nothing of commits."""
        await self._exchange(wire.Ping)

    def on_reconnect(self, callback: Callable[[], None]) -> None:
        """Call back when a lost link is open again: all its watches are gone, sessions are held anew."""
        self._on_reconnect.append(callback)

    async def close(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
            self._keeping = None
        if self._link is not None:
            self._link.close()

    async def _exchange(self, message_type: Callable[..., wire.ClientMessage], *body: Any, timeout: float = 5.0) -> wire.ServerMessage:
        link = self._link or await self._connect(timeout)
        return accepted(await link.request(message_type, *body, timeout_seconds=timeout))

    async def _connect(self, timeout: float) -> Link:
        if self._keeping is None:
            self._keeping = asyncio.create_task(self._keep_connected())
        try:
            await asyncio.wait_for(self._connected.wait(), min(timeout, CONNECT_SECONDS))
        except TimeoutError as error:
            raise EngineUnavailable from error
        if self._link is None:
            raise EngineUnavailable
        return self._link

    async def _keep_connected(self) -> None:
        """Hold a link open for ever."""
        attempt = 0
        first = True
        while True:
            lost = asyncio.Event()
            try:
                link = await self._open(functools.partial(self._lost, lost))
            except OSError:
                await asyncio.sleep(BACKOFF_SECONDS[min(attempt, len(BACKOFF_SECONDS) - 1)])
                attempt += 1
                continue
            attempt = 0
            if not lost.is_set():
                self._take_up(link, first=first)
                first = False
            await lost.wait()

    def _lost(self, lost: asyncio.Event) -> None:
        self._link = None
        self._connected.clear()
        lost.set()

    async def _open(self, lost: Callable[[], None]) -> Link:
        loop = asyncio.get_running_loop()
        if self._address.path:
            _, link = await loop.create_unix_connection(lambda: self._new_link(lost), self._address.path)
        else:
            _, link = await loop.create_connection(lambda: self._new_link(lost), self._address.host, self._address.port)
        return link

    def _new_link(self, lost: Callable[[], None]) -> Link:
        return Link(token=self._token, published=self._published, lost=lost)

    def _take_up(self, link: Link, *, first: bool) -> None:
        self._link = link
        for account_id, session_id in self._sessions:
            held = link.request(wire.Hold, account_id, session_id, timeout_seconds=CONNECT_SECONDS)
            held.add_done_callback(asyncio.Future.exception)  # a link that is lost again holds them anew
        self._connected.set()
        if not first:
            for callback in self._on_reconnect:
                callback()

    def _published(self, message: wire.Published) -> None:
        feed_message = Message(message.topic, message.seq, message.payload)
        for callback in self._listeners:
            callback(feed_message)
