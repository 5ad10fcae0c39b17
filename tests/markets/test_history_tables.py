"""Histories by months with retention, or as hypertables where TimescaleDB is offered: here it is not, and its part is played."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection

from markets import timescale
from trading import partitions
from trading.ownership import connect_as_owner

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2032, 5, 6, 12, tzinfo=UTC)
HISTORIES = ("markets_candle", "markets_markcandle", "risk_fundingrate")


@pytest.fixture
def owner() -> Iterator[psycopg.Connection[Any]]:
    with connect_as_owner() as opened:
        yield opened


def children(owner: psycopg.Connection[Any], table: str) -> set[str]:
    rows = owner.execute("select inhrelid::regclass::text from pg_inherits where inhparent = %s::regclass", [table])
    return {name for (name,) in rows}


@pytest.fixture
def made(owner: psycopg.Connection[Any]) -> Iterator[list[str]]:
    names = partitions.upkeep(now=NOW, days_ahead=30)
    yield names
    for name in names:
        owner.execute(f'drop table if exists "{name}"')


def test_it_partitions_histories_by_months_where_there_is_no_timescale(owner: psycopg.Connection[Any], made: list[str]) -> None:
    assert not timescale.is_offered(connection)
    for table in HISTORIES:
        assert {f"{table}_default", f"{table}_203205", f"{table}_203206"} <= children(owner, table)
        assert {f"{table}_203205", f"{table}_203206"} <= set(made)


def test_it_drops_what_was_kept_for_long_enough(owner: psycopg.Connection[Any], made: list[str]) -> None:
    last = datetime(2032, 6, 1, tzinfo=UTC) + timedelta(days=partitions.KEPT_DAYS["risk_fundingrate"])
    expired = partitions.expire(owner, now=last - timedelta(seconds=1))
    assert "risk_fundingrate_203205" not in expired
    expired = partitions.expire(owner, now=last)
    assert {"risk_fundingrate_203205", "markets_markcandle_203205"} <= set(expired)
    assert not {"risk_fundingrate_203206", "markets_markcandle_203206"} & set(expired)
    assert f"markets_candle_{NOW:%Y%m}" in children(owner, "markets_candle"), "what can be proved from trades is kept"


def test_it_keeps_a_table_of_prices_for_ninety_days(owner: psycopg.Connection[Any], made: list[str]) -> None:
    assert partitions.kept_from("oracle_oracleprice", now=NOW) == NOW - timedelta(days=90)
    assert partitions.kept_from("trading_fill") is None
    assert "oracle_oracleprice_20320505" in partitions.expire(owner, now=NOW + timedelta(days=92))


@pytest.fixture
def played(owner: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    """A server with TimescaleDB, as far as its catalogue and its functions are asked."""
    owner.execute("create schema timescaledb_information")
    owner.execute("create table timescaledb_information.hypertables (hypertable_schema name, hypertable_name name)")
    owner.execute("create table timescale_calls (call text)")
    owner.execute("""
        create function create_hypertable(
            of regclass, by name, chunk_time_interval interval, migrate_data boolean, create_default_indexes boolean
        ) returns void language sql as $$
            insert into timescale_calls values (format('%s by %s every %s', of, by, chunk_time_interval));
            insert into timescaledb_information.hypertables values ('public', of::text);
        $$
    """)
    owner.execute("""
        create function drop_chunks(of regclass, older_than timestamptz) returns void language sql as $$
            insert into timescale_calls values (format('%s before %s', of, older_than at time zone 'UTC'));
        $$
    """)
    yield owner
    owner.execute("drop function create_hypertable, drop_chunks")
    owner.execute("drop table timescale_calls, timescaledb_information.hypertables")
    owner.execute("drop schema timescaledb_information")


class Editor:
    """Runs what a migration's editor would, but for the extension, which this server does not have."""

    def __init__(self, owner: psycopg.Connection[Any]) -> None:
        self.owner = owner
        self.extensions: list[str] = []

    def execute(self, statement: Any, values: tuple[Any, ...] = ()) -> None:
        if statement.startswith("create extension"):
            self.extensions.append(statement)
        else:
            self.owner.execute(statement, values)


def test_it_leaves_hypertables_to_timescale(played: psycopg.Connection[Any]) -> None:
    assert timescale.hypertables(played) == set()
    editor: Any = Editor(played)
    timescale.make_hypertable(editor, "risk_fundingrate", column="due_at", chunk_days=30)
    assert editor.extensions == ["create extension if not exists timescaledb"]
    assert timescale.hypertables(played) == {"risk_fundingrate"}
    made = partitions.upkeep(now=NOW)
    try:
        assert "markets_candle_203205" in made
        assert not [name for name in made if name.startswith("risk_fundingrate")]
    finally:
        for name in made:
            played.execute(f'drop table if exists "{name}"')
    calls = [call for (call,) in played.execute("select call from timescale_calls")]
    horizon = NOW - timedelta(days=partitions.KEPT_DAYS["risk_fundingrate"])
    assert calls == ["risk_fundingrate by due_at every 30 days", f"risk_fundingrate before {horizon:%Y-%m-%d %H:%M:%S}"]
