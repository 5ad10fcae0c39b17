"""Partitions of the large tables, made ahead of time and safe to ask for twice.

Each table has a default partition, so that nothing fails when nobody made the next one in time: rows that landed there move
into their own partition when it is made. Names say the range: trading_fill_20261122, trading_journal_0000000003.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from trading.ownership import connect_as_owner

JOURNAL = "trading_journal"
JOURNAL_ROWS = 1_000_000
JOURNAL_AHEAD = 2
BY_DAY = {
    "trading_fill": "executed_at",
    "accounts_ledgertransfer": "posted_at",
    "markets_trade": "executed_at",
    "oracle_oracleprice": "observed_at",
}
DAYS_AHEAD = 7
LOCK = 4_010_771  # one at a time, whoever asks
LOCK_TIMEOUT = "3s"  # an insert that waits behind this must not wait long; the next upkeep tries again


class Range(NamedTuple):
    """One partition: rows of `table` whose `column` is from `start` on and before `end`."""

    name: str
    table: str
    column: str
    start: str
    end: str


def upkeep(*, now: datetime | None = None, days_ahead: int = DAYS_AHEAD) -> list[str]:
    """Make the partitions that are missing, from yesterday on; return their names."""
    today = (now or datetime.now(UTC)).date()
    with connect_as_owner() as connection:
        wanted = [*days(today - timedelta(days=1), today + timedelta(days=days_ahead)), *_journal_ahead(connection)]
        return _make_missing(connection, wanted)


def ensure_days(first: date, last: date) -> None:
    """Make the daily partitions of past days, for a rebuild."""
    with connect_as_owner() as connection:
        _make_missing(connection, list(days(first, last)))


def days(first: date, last: date) -> Iterator[Range]:
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        start, end = (f"{moment.isoformat()} 00:00:00+00" for moment in (day, day + timedelta(days=1)))
        for table, column in BY_DAY.items():
            yield Range(f"{table}_{day:%Y%m%d}", table, column, start, end)


def journal_range(number: int) -> Range:
    return Range(f"{JOURNAL}_{number:010d}", JOURNAL, "seq", str(number * JOURNAL_ROWS), str((number + 1) * JOURNAL_ROWS))


def _journal_ahead(connection: psycopg.Connection[Any]) -> Iterator[Range]:
    row = connection.execute("select coalesce(max(seq), 0) from trading_journal").fetchone()
    current = int(row[0]) // JOURNAL_ROWS if row else 0
    yield from (journal_range(number) for number in range(current, current + JOURNAL_AHEAD + 1))


def _make_missing(connection: psycopg.Connection[Any], wanted: list[Range]) -> list[str]:
    """Make what is missing, each in a transaction of its own, so that nobody waits for more than one table."""
    made: list[str] = []
    connection.execute("select pg_advisory_lock(%s)", [LOCK])
    for one in wanted:
        if not _exists(connection, one.name):
            with connection.transaction():
                connection.execute("select set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
                _make(connection, one)
            made.append(one.name)
    connection.execute("select pg_advisory_unlock(%s)", [LOCK])
    return made


def _exists(connection: psycopg.Connection[Any], name: str) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", [name]).fetchone()
    return bool(row and row[0])


def _make(connection: psycopg.Connection[Any], one: Range) -> None:
    """Make a table like its parent, move in what the default partition holds of it, then attach it: so readers never wait long."""
    names = {
        "name": sql.Identifier(one.name),
        "table": sql.Identifier(one.table),
        "default": sql.Identifier(f"{one.table}_default"),
        "column": sql.Identifier(one.column),
        "start": sql.Literal(one.start),
        "end": sql.Literal(one.end),
    }
    for statement in (
        "create table {name} (like {table} including all)",
        "alter table {default} disable trigger user",
        "with moved as (delete from {default} where {column} >= {start} and {column} < {end} returning *) "
        "insert into {name} select * from moved",
        "alter table {default} enable trigger user",
        "alter table {table} attach partition {name} for values from ({start}) to ({end})",
    ):
        connection.execute(sql.SQL(statement).format(**names))
    _close_to_others(connection, one.name)


def _close_to_others(connection: psycopg.Connection[Any], name: str) -> None:
    """Leave rights to the parent: what is append-only there must not be open to change here."""
    roles = connection.execute(
        "select distinct grantee from information_schema.role_table_grants "
        "where table_name = %s and grantee not in (current_user, 'PUBLIC')",
        [name],
    ).fetchall()
    for (role,) in roles:
        connection.execute(sql.SQL("revoke all on {} from {}").format(sql.Identifier(name), sql.Identifier(role)))
