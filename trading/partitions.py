"""Partitions of the large tables, made ahead of time and safe to ask for twice.

Each table has a default partition, so that nothing fails when nobody made the next one in time: rows that landed there move
into their own partition when it is made. Names say the range: trading_fill_20261122, markets_candle_202611,
trading_journal_0000000003. What has been kept for long enough is dropped, a partition at a time. A history that a migration
made a hypertable is left to TimescaleDB, but for its retention.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from markets import timescale
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
BY_MONTH = {"markets_candle": "opened_at", "markets_markcandle": "opened_at", "risk_fundingrate": "due_at"}
# Trades and what is made of them are kept for good: they can be proved from one another.
KEPT_DAYS = {"oracle_oracleprice": 90, "markets_markcandle": 1_830, "risk_fundingrate": 1_830}
COLUMNS = BY_DAY | BY_MONTH
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
    """Make the partitions that are missing, from yesterday on, and drop what is too old; return the names of those made."""
    moment = now or datetime.now(UTC)
    yesterday, last = moment.date() - timedelta(days=1), moment.date() + timedelta(days=days_ahead)
    with connect_as_owner() as connection:
        made = _make_missing(connection, [*days(yesterday, last), *months(yesterday, last), *_journal_ahead(connection)])
        expire(connection, now=moment)
    return made


def ensure_days(first: date, last: date) -> None:
    """Make the daily and monthly partitions of past days, for a rebuild."""
    with connect_as_owner() as connection:
        _make_missing(connection, [*days(first, last), *months(first, last)])


def days(first: date, last: date) -> Iterator[Range]:
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        start, end = (f"{moment.isoformat()} 00:00:00+00" for moment in (day, day + timedelta(days=1)))
        for table, column in BY_DAY.items():
            yield Range(f"{table}_{day:%Y%m%d}", table, column, start, end)


def months(first: date, last: date) -> Iterator[Range]:
    month = first.replace(day=1)
    while month <= last:
        following = (month + timedelta(days=31)).replace(day=1)
        start, end = (f"{moment.isoformat()} 00:00:00+00" for moment in (month, following))
        for table, column in BY_MONTH.items():
            yield Range(f"{table}_{month:%Y%m}", table, column, start, end)
        month = following


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
    hypertables = timescale.hypertables(connection)
    for one in wanted:
        if one.table not in hypertables and not _exists(connection, one.name):
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


def kept_from(table: str, *, now: datetime | None = None) -> datetime | None:
    """Return since when a table's rows are sure to be kept; None when all are."""
    kept_days = KEPT_DAYS.get(table)
    return None if kept_days is None else (now or datetime.now(UTC)) - timedelta(days=kept_days)


def expire(connection: psycopg.Connection[Any], *, now: datetime) -> list[str]:
    """Drop the partitions that hold only what is older than it is kept; return their names."""
    dropped: list[str] = []
    hypertables = timescale.hypertables(connection)
    for table in KEPT_DAYS:
        horizon = kept_from(table, now=now)
        if table in hypertables:
            connection.execute("select drop_chunks(%s::regclass, older_than => %s::timestamptz)", [table, horizon])
            continue
        for name in _partitions(connection, table):
            if horizon and _end(name.removeprefix(f"{table}_")) <= horizon.date():
                with connection.transaction():
                    connection.execute("select set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
                    connection.execute(sql.SQL("drop table {}").format(sql.Identifier(name)))
                dropped.append(name)
        waiting = sql.SQL("delete from {} where {} < {}")
        default, column = sql.Identifier(f"{table}_default"), sql.Identifier(COLUMNS[table])
        connection.execute(waiting.format(default, column, sql.Literal(horizon)))
    return dropped


def _partitions(connection: psycopg.Connection[Any], table: str) -> list[str]:
    rows = connection.execute(
        "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid "
        "where i.inhparent = to_regclass(%s) and c.relname <> %s order by 1",
        [table, f"{table}_default"],
    )
    return [name for (name,) in rows]


def _end(suffix: str) -> date:
    """Return the day that a partition ends before, by its name: 20261122 or 202611."""
    first = date(int(suffix[:4]), int(suffix[4:6]), int(suffix[6:] or 1))
    return first + timedelta(days=1) if suffix[6:] else (first + timedelta(days=31)).replace(day=1)


def _close_to_others(connection: psycopg.Connection[Any], name: str) -> None:
    """Leave rights to the parent: what is append-only there must not be open to change here."""
    roles = connection.execute(
        "select distinct grantee from information_schema.role_table_grants "
        "where table_name = %s and grantee not in (current_user, 'PUBLIC')",
        [name],
    ).fetchall()
    for (role,) in roles:
        connection.execute(sql.SQL("revoke all on {} from {}").format(sql.Identifier(name), sql.Identifier(role)))
