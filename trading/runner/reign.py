"""What a process does from the moment it leads until it is told to stop."""

import asyncio
from typing import Any

import psycopg
import structlog
from django.conf import settings
from django.db import connection as django_connection

from markets import wire
from markets.commands import CancelAll
from markets.gateway.address import Address
from markets.queries import GetMarkets
from trading import snapshots
from trading.broadcast.broadcaster import Broadcaster
from trading.broadcast.history import restored
from trading.runner import metrics, used_ids
from trading.runner.background import Background
from trading.runner.database import connect
from trading.runner.door import Door
from trading.runner.exits import Exit, leave
from trading.runner.feed import Feed
from trading.runner.follower import Follower
from trading.runner.leader import TICK_SECONDS, Leader
from trading.runner.projection import is_behind
from trading.runner.server import serve
from trading.runner.sessions import Sessions
from trading.runner.snapshotter import Snapshotter
from trading.runner.used_ids import UsedIds
from trading.runner.writer import Fenced, JournalWriter

log = structlog.get_logger("engine")

FEED_SECONDS = 0.05
PROJECTION_SECONDS = 1.0

Connection = psycopg.AsyncConnection[Any]


class Reign:
    """Serves the gateways. `leading` holds the lock and writes the journal, `reading` looks client ids up, `helper` does the rest."""

    def __init__(
        self,
        *,
        leading: Connection,
        reading: Connection,
        helper: Connection,
        follower: Follower,
        epoch: int,
        used: UsedIds,
        background: Background,
    ) -> None:
        self._leading = leading
        self._reading = reading
        self._helper = helper
        self._follower = follower
        self._epoch = epoch
        self._used_ids = used
        self._background = background
        self._sessions = Sessions(helper)
        self._snapshotter = Snapshotter(helper, start_seq=follower.start_seq)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until told to stop; then finish what was received, and leave a snapshot at the tip of the journal."""
        feed = Feed(await asyncio.to_thread(_broadcaster, self._follower))
        await self._sessions.load()
        leader = self._new_leader(feed)
        leader.projection_behind = await is_behind(self._helper)
        leader.upgrade_rules()
        server = await self._open(leader, feed)
        self._start_background(leader, feed)
        log.info("serving", url=settings.ENGINE_URL)
        await stop.wait()
        server.close()
        await leader.finish()
        await self._snapshotter.take_now(leader.engine.state, leader.committed_position)
        leader.writer.close()
        log.info("stopped", seq=leader.committed_position.seq)

    def _new_leader(self, feed: Feed) -> Leader:
        leader = Leader(
            follower=self._follower,
            epoch=self._epoch,
            feed=feed,
            used_ids=self._used_ids,
            queue_limit=settings.ENGINE_QUEUE_LIMIT,
            find_ids=lambda keys: asyncio.ensure_future(used_ids.find(self._reading, keys)),
            boundary=self._snapshotter.boundary,
            session_ended=self._session_ended,
        )
        leader.writer = JournalWriter(pgconn=self._leading.pgconn, committed=leader.committed, failed=_commit_failed)
        return leader

    async def _open(self, leader: Leader, feed: Feed) -> asyncio.AbstractServer:
        door = Door(leader=leader, feed=feed, sessions=self._sessions, background=self._background)
        if settings.ENGINE_METRICS_PORT:
            metrics.serve(settings.ENGINE_METRICS_PORT)
        return await serve(
            address=Address.parse(settings.ENGINE_URL),
            token=wire.token(settings.SECRET_KEY),
            received=door.received,
            lost=door.lost,
        )

    def _start_background(self, leader: Leader, feed: Feed) -> None:
        background = self._background
        background.every(TICK_SECONDS, leader.tick)
        background.every(FEED_SECONDS, feed.send_due)
        background.start(self._load_used_ids())
        background.start(self._end_orphans(leader))
        background.start(self._watch_projection(leader))
        background.start(self._hear_requests())

    def _session_ended(self, command: CancelAll) -> None:
        self._background.start(self._sessions.ended((command.account_id, command.session_id)))

    async def _load_used_ids(self) -> None:
        async with await connect("quantdesk engine ids") as connection:
            await self._used_ids.load(connection, followed_after_seq=self._follower.start_seq)

    async def _watch_projection(self, leader: Leader) -> None:
        while True:
            await asyncio.sleep(PROJECTION_SECONDS)
            leader.projection_behind = await is_behind(self._helper)

    async def _end_orphans(self, leader: Leader) -> None:
        for command in await self._sessions.orphans():
            leader.command(command)

    async def _hear_requests(self) -> None:
        async with await connect("quantdesk engine requests") as connection:
            await connection.execute(f"listen {snapshots.REQUEST_CHANNEL}")
            async for _ in connection.notifies():
                self._snapshotter.ask()


def _broadcaster(follower: Follower) -> Broadcaster:
    """Restore the feed from the tables, through Django's connection of this thread, which is not needed again."""
    try:
        markets = follower.engine.answer(GetMarkets())
        return restored(state=follower.engine.state, markets=markets, seq=follower.position.seq)
    finally:
        django_connection.close()


def _commit_failed(error: Exception) -> None:
    code = Exit.FENCED if isinstance(error, Fenced) else Exit.COMMIT_FAILED
    leave(code, "the commit failed; recover from the journal", error=str(error))
