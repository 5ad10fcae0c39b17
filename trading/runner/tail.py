"""Reads the journal's new rows into a follower, in slices between which the loop may turn."""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
from django.db import connection as django_connection

from trading.archive import JournalReader
from trading.journal import SELECT_AFTER, JournalBody, SealedRow
from trading.runner.follower import Follower

ROWS_A_READ = 200


async def catch_up(
    connection: psycopg.AsyncConnection[Any], follower: Follower, *, followed: Callable[[SealedRow, JournalBody], None]
) -> int:
    """Follow all committed rows; `followed` sees each. Return how many there were."""
    count = 0
    reader = JournalReader()
    while True:
        rows = await _read(connection, reader, follower.position.seq)
        for row in rows:
            followed(row, follower.follow(row))
            await asyncio.sleep(0)
        count += len(rows)
        if not rows:
            return count


async def _read(connection: psycopg.AsyncConnection[Any], reader: JournalReader, after_seq: int) -> list[SealedRow]:
    cursor = await connection.execute(SELECT_AFTER, [after_seq, ROWS_A_READ])
    rows = [SealedRow.of(columns) for columns in await cursor.fetchall()]
    if rows and rows[0].seq != after_seq + 1:
        return await asyncio.to_thread(_read_archived, reader, after_seq)
    return rows


def _read_archived(reader: JournalReader, after_seq: int) -> list[SealedRow]:
    """Read rows that have left the database: only a start without any usable snapshot goes so far back."""
    try:
        return reader.sealed(after_seq, ROWS_A_READ)
    finally:
        django_connection.close()
