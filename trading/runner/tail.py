"""Reads the journal's new rows into a follower, in slices between which the loop may turn."""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg

from trading.journal import SELECT_AFTER, JournalBody, SealedRow
from trading.runner.follower import Follower

ROWS_A_READ = 200


async def catch_up(
    connection: psycopg.AsyncConnection[Any], follower: Follower, *, followed: Callable[[SealedRow, JournalBody], None]
) -> int:
    """Follow all committed rows; `followed` sees each. Return how many there were."""
    count = 0
    while True:
        cursor = await connection.execute(SELECT_AFTER, [follower.position.seq, ROWS_A_READ])
        rows = [SealedRow.of(columns) for columns in await cursor.fetchall()]
        for row in rows:
            followed(row, follower.follow(row))
            await asyncio.sleep(0)
        count += len(rows)
        if len(rows) < ROWS_A_READ:
            return count
