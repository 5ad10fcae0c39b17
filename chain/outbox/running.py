"""Running a shard's settler: one at a time, until there is nothing left to do or its time is up."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from django.db import connection

from chain.client import ChainClient
from chain.errors import ChainUnavailable
from chain.outbox.route import PartedRoute, Route
from chain.outbox.settler import Progress, Settler, Step, ignore

POLL_S = 0.4  # a slot
log = structlog.get_logger("outbox")


def settle(
    *,
    shard: str,
    client: ChainClient,
    route: Route | PartedRoute,
    for_s: float,
    poll_s: float = POLL_S,
    observe: Callable[[Step], None] = ignore,
) -> Progress | None:
    """Settle until the shard is idle or halted, at most `for_s`; returns the last step's progress, None when another settler is at it."""
    settler = Settler(shard=shard, client=client, route=route, observe=observe)
    until = time.monotonic() + for_s
    with only_settler(shard) as alone:
        if not alone:
            return None
        progress = _step(settler)
        while progress not in ("idle", "halted") and time.monotonic() < until:
            if progress != "final":
                time.sleep(poll_s)
            progress = _step(settler)
    return progress


@contextmanager
def only_settler(shard: str) -> Iterator[bool]:
    """Hold the shard's lock; False when somebody else does. PostgreSQL takes it back from a process that dies."""
    key = int.from_bytes(hashlib.sha256(b"outbox " + shard.encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        (alone,) = cursor.fetchone()
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def _step(settler: Settler) -> Progress:
    try:
        return settler.step()
    except ChainUnavailable as error:
        log.warning("chain_unavailable", error=error.message)
        return "waiting"
