"""From the engine's one feed of this process to the sockets that watch."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

import structlog

from markets.errors import GatewayError
from markets.gateway import AsyncGateway, Message
from trading.consumers.outbox import Frame, frame_of

log = structlog.get_logger()

RETRY_SECONDS = 0.25


class Subscriber(Protocol):
    """Something that is sent a topic's frames: a snapshot, then every later message once and in order."""

    def deliver(self, frame: Frame) -> None: ...

    def missing(self, topic: str) -> None: ...


class Topic:
    """One topic's subscribers: those that had their snapshot, those that wait for one, and what came in the meantime."""

    def __init__(self) -> None:
        self.ready: set[Subscriber] = set()
        self.waiting: set[Subscriber] = set()
        self.held: list[Message] = []  # since the request below was sent
        self.request: asyncio.Task[None] | None = None


class Hub:
    """Watches each topic once, whatever the number of sockets, and writes the same bytes to all of them."""

    def __init__(self, gateway: AsyncGateway) -> None:
        self.gateway = gateway
        self._topics: dict[str, Topic] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        gateway.listen(self._received)
        gateway.on_reconnect(self._start_over)

    def subscribe(self, topic: str, subscriber: Subscriber) -> None:
        """Send the topic's snapshot to the subscriber, then what follows; also when it has the topic already."""
        entry = self._topics.setdefault(topic, Topic())
        entry.ready.discard(subscriber)
        entry.waiting.add(subscriber)
        self._request(topic, entry)

    def unsubscribe(self, topic: str, subscriber: Subscriber) -> None:
        entry = self._topics.get(topic)
        if entry is None:
            return
        entry.ready.discard(subscriber)
        entry.waiting.discard(subscriber)
        if not entry.ready and not entry.waiting:
            del self._topics[topic]
            if entry.request is not None:
                entry.request.cancel()
            self._run(self._unwatch(topic))

    def _received(self, message: Message) -> None:
        entry = self._topics.get(message.topic)
        if entry is None:
            return
        if entry.request is not None:
            entry.held.append(message)
        if entry.ready:
            frame = frame_of(message.payload)
            for subscriber in tuple(entry.ready):
                subscriber.deliver(frame)

    def _request(self, topic: str, entry: Topic) -> None:
        """Ask for a snapshot, unless one is on its way: that is then everybody's."""
        if entry.request is None:
            entry.request = asyncio.get_running_loop().create_task(self._fetch(topic, entry))

    async def _fetch(self, topic: str, entry: Topic) -> None:
        while True:
            try:
                snapshot = await self.gateway.snapshot(topic)
                break
            except GatewayError as error:
                log.info("snapshot_failed", topic=topic, code=error.code)
                await asyncio.sleep(RETRY_SECONDS)
            except LookupError:
                self._drop(topic)
                return
        entry.request = None
        # The snapshot's answer may be read together with messages that follow it: those were held, in order.
        frames = [frame_of(snapshot.payload)]
        frames += [frame_of(message.payload) for message in entry.held if message.seq > snapshot.seq]
        waiting, entry.waiting, entry.held = entry.waiting, set(), []
        entry.ready |= waiting
        for subscriber in waiting:
            for frame in frames:
                subscriber.deliver(frame)

    def _start_over(self) -> None:
        """After a lost link every subscriber needs a snapshot again: what it missed is unknown."""
        for topic, entry in self._topics.items():
            entry.waiting |= entry.ready
            entry.ready.clear()
            entry.held.clear()
            if entry.request is not None:
                entry.request.cancel()
                entry.request = None
            self._request(topic, entry)

    def _drop(self, topic: str) -> None:
        entry = self._topics.pop(topic)
        for subscriber in entry.waiting | entry.ready:
            subscriber.missing(topic)

    async def _unwatch(self, topic: str) -> None:
        try:
            await self.gateway.unwatch(topic)
        except GatewayError as error:
            log.info("unwatch_failed", topic=topic, code=error.code)  # a lost link watches nothing

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
