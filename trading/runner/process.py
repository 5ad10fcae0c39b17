"""One engine process from its start to its end: standby, leader, stop."""

import asyncio
import gc
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import psycopg
import structlog
from django.conf import settings

from markets import wire
from markets.gateway.address import Address
from markets.queries import GetMarkets
from trading import partitions, snapshots
from trading.broadcast.history import restored
from trading.journal import JournalCorrupt
from trading.runner import metrics, used_ids
from trading.runner.database import connect
from trading.runner.exits import Exit, leave
from trading.runner.feed import Feed
from trading.runner.follower import Follower, ReplayDiverged, WrongRules
from trading.runner.leader import TICK_SECONDS, Leader
from trading.runner.leadership import HEARTBEAT_SECONDS, Watchdog, beat, cancelled, raise_epoch, take_lock
from trading.runner.projection import is_behind
from trading.runner.recovery import restore
from trading.runner.server import Link, serve
from trading.runner.sessions import Sessions
from trading.runner.snapshotter import Snapshotter
from trading.runner.tail import catch_up
from trading.runner.used_ids import UsedIds
from trading.runner.writer import Fenced, JournalWriter

log = structlog.get_logger("engine")

FEED_SECONDS = 0.05
PROJECTION_SECONDS = 1.0

Connection = psycopg.AsyncConnection[Any]


async def run() -> None:
    """Follow until this process leads, then lead until it is told to stop."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_crash)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    process = Process(stop)
    try:
        await process.run()
    except (JournalCorrupt, ReplayDiverged, WrongRules) as error:
        leave(Exit.REFUSED, "the journal cannot be replayed", error=str(error))


class Process:
    """The parts of an engine process and the connections that they share."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop
        self._used_ids = UsedIds()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self) -> None:
        # A row that lands in the journal's default partition while its own is being made is refused, and that ends a leader.
        await asyncio.to_thread(partitions.upkeep)
        async with await connect("quantdesk engine") as leading, await connect("quantdesk engine reader") as reading:
            follower = await restore(reading)
            self._followed_after_seq = follower.position.seq
            if not await self._stand_by(leading, reading, follower):
                return
            epoch = await raise_epoch(leading)
            self._spawn(self._beat())
            count = await self._follow(reading, follower)
            log.info("leading", epoch=epoch, seq=follower.position.seq, rows_replayed=count)
            await self._lead(leading, reading, follower, epoch)

    async def _stand_by(self, leading: Connection, reading: Connection, follower: Follower) -> bool:
        """Wait for the lock, following the journal meanwhile. False when told to stop."""
        lock = asyncio.create_task(take_lock(leading))
        watchdog = asyncio.create_task(Watchdog(lambda: self._follow(reading, follower)).run())
        stop = asyncio.create_task(self._stop.wait())
        done, _ = await asyncio.wait([lock, watchdog, stop], return_when=asyncio.FIRST_COMPLETED)
        for task in (watchdog, stop):
            await cancelled(task)
        if lock in done:
            await lock
            return True
        await cancelled(lock)
        return False

    async def _follow(self, reading: Connection, follower: Follower) -> int:
        return await catch_up(reading, follower, followed=lambda _, body: self._used_ids.note(body.events))

    async def _lead(self, leading: Connection, reading: Connection, follower: Follower, epoch: int) -> None:
        async with await connect("quantdesk engine helper") as helper, await connect("quantdesk engine ids") as loading:
            feed = Feed(await self._broadcaster(follower))
            sessions = Sessions(helper)
            await sessions.load()
            snapshotter = Snapshotter(helper, start_seq=self._followed_after_seq)
            leader = Leader(
                follower=follower,
                epoch=epoch,
                feed=feed,
                used_ids=self._used_ids,
                queue_limit=settings.ENGINE_QUEUE_LIMIT,
                find_ids=lambda keys: asyncio.ensure_future(used_ids.find(reading, keys)),
                boundary=snapshotter.boundary,
                session_ended=lambda command: self._spawn(sessions.ended((command.account_id, command.session_id))),
            )
            leader.writer = JournalWriter(pgconn=leading.pgconn, committed=leader.committed, failed=_commit_failed)
            leader.upgrade_rules()
            leader.projection_behind = await is_behind(helper)
            door = Door(leader=leader, feed=feed, sessions=sessions, spawn=self._spawn)
            _calm_collector()
            server = await serve(
                address=Address.parse(settings.ENGINE_URL),
                token=wire.token(settings.SECRET_KEY),
                received=door.received,
                lost=door.lost,
            )
            if settings.ENGINE_METRICS_PORT:
                metrics.serve(settings.ENGINE_METRICS_PORT)
            self._spawn(self._used_ids.load(loading, followed_after_seq=self._followed_after_seq))
            self._spawn(self._end_orphans(sessions, leader))
            self._spawn(_every(TICK_SECONDS, leader.tick))
            self._spawn(_every(TICK_SECONDS, _collect_young))
            self._spawn(_every(FEED_SECONDS, feed.send_due))
            self._spawn(self._watch_projection(helper, leader))
            self._spawn(self._hear_requests(snapshotter))
            log.info("serving", url=settings.ENGINE_URL)
            await self._stop.wait()
            server.close()
            await leader.drained()
            await snapshotter.take_now(leader.engine.state, leader.committed_position)
            leader.writer.close()
            for task in tuple(self._tasks):
                await cancelled(task)
            log.info("stopped", seq=leader.committed_position.seq)

    async def _broadcaster(self, follower: Follower) -> Any:
        markets = follower.engine.answer(GetMarkets())
        return await asyncio.to_thread(restored, state=follower.engine.state, markets=markets, seq=follower.position.seq)

    async def _beat(self) -> None:
        async with await connect("quantdesk engine heart") as connection:
            await connection.execute("set synchronous_commit = off")
            while True:
                await beat(connection)
                await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _watch_projection(self, connection: Connection, leader: Leader) -> None:
        while True:
            await asyncio.sleep(PROJECTION_SECONDS)
            leader.projection_behind = await is_behind(connection)

    async def _end_orphans(self, sessions: Sessions, leader: Leader) -> None:
        for command in await sessions.orphans():
            leader.command(command)

    async def _hear_requests(self, snapshotter: Snapshotter) -> None:
        async with await connect("quantdesk engine requests") as connection:
            await connection.execute(f"listen {snapshots.REQUEST_CHANNEL}")
            async for _ in connection.notifies():
                snapshotter.ask()

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            leave(Exit.CRASHED, "a part of the engine failed", error=repr(error))


class Door:
    """Sends what links say to where it belongs."""

    def __init__(self, *, leader: Leader, feed: Feed, sessions: Sessions, spawn: Callable[[Coroutine[Any, Any, Any]], None]) -> None:
        self._leader = leader
        self._feed = feed
        self._sessions = sessions
        self._spawn = spawn

    def received(self, link: Link, message: wire.ClientMessage) -> None:
        if isinstance(message, wire.Hold | wire.Release):
            self._spawn(self._hold(link, message))
        elif isinstance(message, wire.Ping):
            link.send(wire.frame_of([wire.Done(message.id)]))
        elif isinstance(message, wire.Hello):
            link.close()
        else:
            self._leader.receive(link, message)

    def lost(self, link: Link) -> None:
        self._feed.forget(link)
        for command in self._sessions.lost(link):
            self._leader.command(command)

    async def _hold(self, link: Link, message: wire.Hold | wire.Release) -> None:
        session = (message.account_id, message.session_id)
        if isinstance(message, wire.Hold):
            await self._sessions.hold(link, session)
        else:
            await self._sessions.release(session)
        link.send(wire.frame_of([wire.Done(message.id)]))


async def _every(seconds: float, act: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(seconds)
        act()


def _calm_collector() -> None:
    """Leave what is alive now out of every later collection, and collect only when told."""
    gc.collect()
    gc.freeze()
    gc.disable()


def _collect_young() -> None:
    """Collect among the objects of the last second: as much work as that second made."""
    gc.collect(1)


def _commit_failed(error: Exception) -> None:
    code = Exit.FENCED if isinstance(error, Fenced) else Exit.COMMIT_FAILED
    leave(code, "the commit failed; recover from the journal", error=str(error))


def _crash(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    log.error("unexpected error", exc_info=error)
    leave(Exit.CRASHED, context.get("message", "unexpected error"), error=repr(error))
