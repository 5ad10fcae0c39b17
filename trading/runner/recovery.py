"""From what is stored to a running state: the newest snapshot that verifies, else an older one, else nothing."""

from typing import Any

import psycopg
import structlog

from trading import snapshots
from trading.engine import snapshot as codec
from trading.engine.engine import Engine
from trading.runner.follower import Follower, Position, require_not_newer
from trading.snapshots import SnapshotCorrupt

log = structlog.get_logger("engine")

NEWEST_FIRST = "select seq, state_hash from trading_snapshot order by seq desc"
JOURNAL_HASH = "select hash from trading_journal where seq = %s"


async def restore(connection: psycopg.AsyncConnection[Any]) -> Follower:
    """Return a follower at the newest snapshot that can be trusted, or at the beginning."""
    cursor = await connection.execute(NEWEST_FIRST)
    for seq, state_hash in await cursor.fetchall():
        try:
            file, state = snapshots.load(seq=seq, state_hash=state_hash)
            await _require_same_journal(connection, seq, file.journal_hash)
        except SnapshotCorrupt as error:
            log.error("snapshot skipped", seq=seq, error=str(error))
            continue
        require_not_newer(seq, file.rules_version)
        log.info("snapshot loaded", seq=seq)
        position = Position(seq, file.journal_hash, file.stamp_ms, file.rules_version)
        return Follower(engine=Engine(codec.decode(state)), position=position)
    return Follower(engine=Engine(), position=Position())


async def _require_same_journal(connection: psycopg.AsyncConnection[Any], seq: int, journal_hash: bytes) -> None:
    cursor = await connection.execute(JOURNAL_HASH, [seq])
    row = await cursor.fetchone()
    if row is not None and bytes(row[0]) != journal_hash:
        raise SnapshotCorrupt(f"snapshot {seq} was taken on another journal")
