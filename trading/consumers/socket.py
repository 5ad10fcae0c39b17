"""The socket at /ws/v1/: one object a connection."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import structlog

from accounts.announcements import Ended
from accounts.api.authentication import ScopeRequired
from accounts.selectors import AccountNotFound
from markets.errors import DomainError
from markets.selectors import MarketNotFound
from trading.consumers import identity, limits, protocol, topics
from trading.consumers.identity import Identity, NotAuthenticated
from trading.consumers.outbox import Frame, Outbox, frame_of
from trading.consumers.process import Process
from trading.consumers.session import Session
from trading.hotlane.application import batch_cost
from trading.requests import BatchRequest, CancelItem

log = structlog.get_logger()

Receive = Callable[[], Awaitable[Frame]]
Send = Callable[[Frame], Awaitable[None]]

FRAME_TOO_BIG = 1009
CREDENTIAL_ENDED = 4001
TOO_SLOW = 4008
FLOODED = 4029
CLOSE_SECONDS = 5.0


class NotSubscribed(DomainError):
    code = "NOT_SUBSCRIBED"
    message = "There is no such subscription."


class SessionHeld(DomainError):
    code = "SESSION_HELD"
    message = "Turn cancel_on_disconnect off before changing the account."


class Socket:
    """Carries out requests in the order of their arrival; only order entry's answers may overtake each other's."""

    def __init__(self, *, process: Process, send: Send, who: Identity | None) -> None:
        self.who: Identity | None = None
        self._process = process
        self._send = send
        self._outbox = Outbox(send, overflowed=partial(self.close, TOO_SLOW, "read faster"))
        self._allowance = limits.Allowance()
        self._topics: dict[str, protocol.Subscribe] = {}
        self._working: set[asyncio.Task[None]] = set()
        self._session: Session | None = None
        self._closing: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[Any] | None = None
        if who is not None:
            self._become(who)

    async def run(self, receive: Receive) -> None:
        """Serve until either side closes."""
        self._reader = asyncio.current_task()
        self._process.sockets.add(self)
        try:
            while (frame := await receive())["type"] == "websocket.receive":
                await self._hear(frame.get("text") or frame.get("bytes") or "")
        except asyncio.CancelledError:
            if self._closing is None:
                raise
        finally:
            self._reader = None
            self._end()

    def close(self, code: int, reason: str) -> None:
        """Close the connection from this side."""
        self._outbox.close()
        if self._closing is None:
            self._closing = self._process.spawn(self._say_goodbye(code, reason))

    def deliver(self, frame: Frame) -> None:
        self._outbox.put(frame)

    def missing(self, topic: str) -> None:
        """A subscription turned out to name nothing that exists."""
        said = self._topics.pop(topic)
        error = AccountNotFound() if said.channel == "account" else MarketNotFound(market=said.market)
        self._outbox.put(frame_of(protocol.refusal(said, error)))

    def credential_ended(self, ended: Ended) -> None:
        """Close if this was how the client got in."""
        who = self.who
        if who is not None and (who.key_id, who.session_key) == (ended.key_id, ended.session_key):
            self.close(CREDENTIAL_ENDED, "logged out")

    async def _say_goodbye(self, code: int, reason: str) -> None:
        """A peer that does not even read this is left after a few seconds."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
        except (TimeoutError, OSError):
            log.info("socket_closed_unheard", code=code)
        if self._reader is not None:
            self._reader.cancel()

    def _end(self) -> None:
        self._outbox.close()
        self._process.sockets.discard(self)
        for topic in self._topics:
            self._process.hub.unsubscribe(topic, self)
        if self.who is None:
            return
        limits.of_users.leave(str(self.who.account_id))
        if self._session is not None:
            self._process.spawn(self._session.end())

    def _become(self, who: Identity) -> None:
        """Be an authenticated client from now on; TooManySockets when it has too many."""
        if self._session is not None and self._session.id:
            raise SessionHeld
        limits.of_users.take(str(who.account_id))
        if self.who is not None:
            limits.of_users.leave(str(self.who.account_id))
        self.who = who
        self._session = Session(gateway=self._process.hub.gateway, account_id=who.account_id)

    async def _hear(self, text: str | bytes) -> None:
        """Carry out one frame."""
        if len(text) > protocol.MAX_FRAME_BYTES:
            self.close(FRAME_TOO_BIG, "frames have at most 65,536 bytes")
            return
        try:
            said = protocol.decode(text)
        except DomainError as error:
            self._refuse(protocol.addressed(text), error)
            return
        if self.who is not None and isinstance(said, protocol.OrderEntry):
            await self._start(said, self.who)
        elif self._allowance.take():
            await self._carry_out(said)
        else:
            self._refuse(said, limits.TooManyMessages())

    def _refuse(self, to: protocol.Op | dict[str, Any], error: DomainError) -> None:
        """Answer what is not carried out at all; too many of these close the socket."""
        self._allowance.refusals += 1
        if self._allowance.refusals > limits.REFUSALS_BEFORE_CLOSE:
            self.close(FLOODED, "too many refused messages")
        self._outbox.put(frame_of(protocol.refusal(to, error)))

    async def _start(self, said: protocol.OrderEntry, who: Identity) -> None:
        """Begin order entry. All that its command may wait for happens here, so that commands reach the engine in order."""
        try:
            if not who.can_trade:
                raise ScopeRequired(required="trade")
            for symbol in _symbols(said):
                if self._process.entry.markets.known(symbol) is None:
                    await self._process.entry.markets.named(symbol)
            cost = _cost(said)
            if not self._process.rates.take_leased(who.payer, cost):
                await self._process.rates.take(who.payer, cost)
        except DomainError as error:
            self._refuse(said, error)
            return
        self._allowance.refusals = 0
        if len(self._working) >= limits.MAX_IN_FLIGHT:
            await asyncio.wait(self._working, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.get_running_loop().create_task(self._enter(said, who))
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    async def _enter(self, said: protocol.OrderEntry, who: Identity) -> None:
        try:
            answer = await self._order(said, who)
        except DomainError as error:
            answer = protocol.refusal(said, error)
        self._outbox.put(frame_of(answer))

    async def _order(self, said: protocol.OrderEntry, who: Identity) -> bytes:
        entry, account_id, session_id = self._process.entry, who.account_id, self._session.id if self._session else 0
        match said:
            case protocol.Place():
                return protocol.answer(said, order=await entry.place(said.order, account_id=account_id, session_id=session_id))
            case protocol.Cancel():
                return protocol.answer(said, order=await entry.cancel(said.order, account_id=account_id))
            case protocol.Amend():
                return protocol.answer(said, order=await entry.amend(said.order, account_id=account_id))
            case protocol.Batch():
                items = BatchRequest(items=said.items)
                return protocol.answer(said, results=await entry.batch(items, account_id=account_id, session_id=session_id))
            case protocol.CancelAll():
                return protocol.answer(said, orders=await entry.cancel_all(account_id=account_id, market=said.market))

    async def _carry_out(self, said: protocol.Said) -> None:
        try:
            match said:
                case protocol.Ping():
                    self._outbox.put(frame_of(protocol.pong(said, server_ms=time.time_ns() // 1_000_000)))
                case protocol.Unsubscribe():
                    await self._unsubscribe(said)
                case protocol.Resync():
                    await self._resync(said)
                case protocol.Subscribe():
                    await self._subscribe(said)
                case protocol.Auth():
                    await self._authenticate(said)
                case protocol.CancelOnDisconnect():
                    await self._cancel_on_disconnect(said)
                case _:
                    raise NotAuthenticated
        except DomainError as error:
            self._outbox.put(frame_of(protocol.refusal(said, error)))

    async def _subscribe(self, said: protocol.Subscribe) -> None:
        topic = await self._topic(said)
        if topic not in self._topics and len(self._topics) >= limits.MAX_SUBSCRIPTIONS:
            raise limits.TooManySubscriptions
        self._topics[topic] = said
        self._outbox.put(frame_of(protocol.answer(said)))
        self._process.hub.subscribe(topic, self)

    async def _resync(self, said: protocol.Resync) -> None:
        topic = await self._topic(said)
        if topic not in self._topics:
            raise NotSubscribed
        self._outbox.put(frame_of(protocol.answer(said)))
        self._process.hub.subscribe(topic, self)

    async def _unsubscribe(self, said: protocol.Unsubscribe) -> None:
        topic = await self._topic(said)
        if self._topics.pop(topic, None) is None:
            raise NotSubscribed
        self._process.hub.unsubscribe(topic, self)
        self._outbox.put(frame_of(protocol.answer(said)))

    async def _topic(self, said: protocol.Subscribe) -> str:
        return await topics.named(said, markets=self._process.entry.markets, who=self.who)

    async def _authenticate(self, said: protocol.Auth) -> None:
        self._become(await identity.of_key(said))
        self._outbox.put(frame_of(protocol.answer(said)))

    async def _cancel_on_disconnect(self, said: protocol.CancelOnDisconnect) -> None:
        if self.who is None or self._session is None:
            raise NotAuthenticated
        if not self.who.can_trade:
            raise ScopeRequired(required="trade")
        await (self._session.hold() if said.enabled else self._session.release())
        self._outbox.put(frame_of(protocol.answer(said, enabled=said.enabled)))


def _cost(said: protocol.OrderEntry) -> int:
    """Return what order entry is charged, as over REST: cancels are free."""
    match said:
        case protocol.Cancel() | protocol.CancelAll():
            return 0
        case protocol.Batch():
            return batch_cost(BatchRequest(items=said.items))
        case _:
            return 1


def _symbols(said: protocol.OrderEntry) -> set[str]:
    """Return the markets that a request names."""
    match said:
        case protocol.Place() | protocol.Amend():
            return {said.order.market}
        case protocol.Batch():
            return {item.market for item in said.items if not isinstance(item, CancelItem)}
        case protocol.CancelAll() if said.market:
            return {said.market}
        case _:
            return set()
