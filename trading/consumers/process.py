"""What the sockets of one web process share."""

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import structlog
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import Error as DatabaseError
from redis.exceptions import RedisError

from accounts.announcements import GROUP, Ended
from markets.gateway import async_gateway
from trading.consumers import credentials
from trading.consumers.hub import Hub
from trading.hotlane.process import parts

if TYPE_CHECKING:
    from trading.consumers.socket import Socket

log = structlog.get_logger()

RECHECK_SECONDS = 10.0
RECONNECT_SECONDS = 1.0


class Process:
    """The hub, order entry and the open sockets, with the two ways in which their credentials end."""

    def __init__(self) -> None:
        self.hub = Hub(async_gateway())
        self.entry, self.rates = parts()
        self.sockets: set[Socket] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.spawn(self._hear())
        self.spawn(self._recheck())

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run work that outlives the socket that asked for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def end(self, ended: Ended) -> None:
        """Close the sockets that were opened with a credential."""
        for socket in tuple(self.sockets):
            socket.credential_ended(ended)

    async def _hear(self) -> None:
        """Listen to what the other processes announce."""
        layer = get_channel_layer()
        while True:
            try:
                channel = await layer.new_channel()
                await layer.group_add(GROUP, channel)
                while True:
                    said = await layer.receive(channel)
                    self.end(Ended(key_id=said["key_id"], session_key=said["session_key"]))
            except (RedisError, OSError) as error:
                log.warning("announcements_lost", error=str(error))
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _recheck(self) -> None:
        """Ask the database every few seconds: an announcement may have been lost."""
        ask = sync_to_async(credentials.ended, thread_sensitive=False)
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            known = [socket.who for socket in self.sockets if socket.who is not None]
            if not known:
                continue
            keys = {who.key_id for who in known if who.key_id}
            sessions = {who.session_key for who in known if who.session_key}
            try:
                for ended in await ask(key_ids=keys, session_keys=sessions):
                    self.end(ended)
            except DatabaseError as error:
                log.warning("credentials_not_checked", error=str(error))


_processes: WeakKeyDictionary[asyncio.AbstractEventLoop, Process] = WeakKeyDictionary()


def process() -> Process:
    """Return that of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _processes:
        _processes[loop] = Process()
    return _processes[loop]
