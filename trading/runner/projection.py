"""How far the tables are behind the journal."""

import time
from typing import Any

import psycopg

MAX_BEHIND_MS = 300_000

OLDEST_UNPROJECTED = """
select stamp_ms from trading_journal
where seq = coalesce((select seq from trading_projection where id = 1), 0) + 1
"""


async def is_behind(connection: psycopg.AsyncConnection[Any]) -> bool:
    """Tell whether a row has waited for the projector for so long that client ids can no longer be looked up safely."""
    cursor = await connection.execute(OLDEST_UNPROJECTED)
    row = await cursor.fetchone()
    return row is not None and time.time_ns() // 1_000_000 - int(row[0]) > MAX_BEHIND_MS
