"""Proof that nothing was lost or made up: the journal against itself, the engine, the tables and the ledger."""

from typing import Any

import psycopg
from django.db import connection
from psycopg import sql

from markets.errors import GatewayError
from markets.gateway import gateway
from markets.queries import GetState
from trading import partitions
from trading.archive import JournalReader
from trading.engine.engine import Engine
from trading.engine.snapshot import state_hash
from trading.models import Snapshot
from trading.ownership import connect_as_owner
from trading.progress import Progress
from trading.projector.projector import Projector
from trading.rebuild import TABLES
from trading.runner.follower import Follower, Position

SCHEMA = "journal_verification"
READ_ROWS = 500

BALANCES_DIFFER = """
select coalesce(b.account_id, t.account_id), coalesce(b.asset, t.asset), coalesce(b.amount_atoms, 0), coalesce(t.amount_atoms, 0)
from accounts_balance b
full join (
    select account_id, asset, sum(amount_atoms)::bigint as amount_atoms
    from (
        select credit_account_id as account_id, asset, amount_atoms from accounts_ledgertransfer
        union all
        select debit_account_id, asset, -amount_atoms from accounts_ledgertransfer
    ) sides
    group by 1, 2
) t using (account_id, asset)
where b.amount_atoms is distinct from t.amount_atoms
"""
ASSETS_UNBALANCED = "select asset, sum(amount_atoms)::bigint from accounts_balance group by 1 having sum(amount_atoms) <> 0"
MARKETS_UNBALANCED = "select market_id, sum(size_lots)::bigint from trading_position group by 1 having sum(size_lots) <> 0"


class VerificationFailed(Exception):
    """Something is not what the journal says; the message tells what."""


class Verification:
    """One walk through the journal from its beginning; each check raises VerificationFailed (or what the replay raises)."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.follower = Follower(engine=Engine(), position=Position())
        self._reader = JournalReader()

    def replay(self) -> str:
        """Re-execute every row, checking chain, numbers and events; compare the state with the live engine's, else with the last
        snapshot's. Return the finding as a sentence.
        """
        try:
            live = gateway().query(GetState(), timeout=60.0)
        except GatewayError:
            return self._replay_to_snapshot()
        self._follow(live.seq)
        self._compare(live.state_hash, "the live engine")
        return f"The replay gives the state of the live engine at row {live.seq:,}."

    def _replay_to_snapshot(self) -> str:
        snapshot = Snapshot.objects.order_by("-seq").first()
        if snapshot is None:
            self._follow(0)
            return "Every row gives the events that it holds; there is neither engine nor snapshot to compare the state with."
        self._follow(snapshot.seq)
        self._compare(snapshot.state_hash, f"the snapshot of row {snapshot.seq:,}")
        return f"The replay gives the state of the snapshot of row {snapshot.seq:,}."

    def _follow(self, until_seq: int) -> None:
        """Follow the journal up to a row, or, without one, to its end."""
        with self._progress.task("rows replayed", total=until_seq) as advance:
            while rows := self._reader.sealed(self.follower.position.seq, READ_ROWS):
                for row in rows:
                    if until_seq and row.seq > until_seq:
                        return
                    self.follower.follow(row)
                    advance(1)

    def _compare(self, expected: str, whose: str) -> None:
        found = state_hash(self.follower.engine.state)
        if found != expected:
            raise VerificationFailed(f"the replay's state at row {self.follower.position.seq} is {found}, that of {whose} is {expected}")

    def tables(self) -> int:
        """Rebuild the tables beside the live ones and compare them row by row; return the row up to which both are current."""
        with connect_as_owner() as owner:
            _make_schema(owner)
            try:
                return self._compare_tables(owner)
            finally:
                owner.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(SCHEMA)))

    def _compare_tables(self, owner: psycopg.Connection[Any]) -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"set search_path to {SCHEMA}, public")
            try:
                return self._rebuild_and_compare(owner)
            finally:
                cursor.execute("reset search_path")

    def _rebuild_and_compare(self, owner: psycopg.Connection[Any]) -> int:
        projector = Projector()
        with self._progress.task("rows projected", total=_watermark(owner)) as advance:
            while projector.seq < _watermark(owner):
                advance(projector.step(limit_seq=_watermark(owner)))
        # The live projector waits while the last rows are projected and the comparison takes its snapshot.
        with connect_as_owner() as comparing, comparing.transaction():
            comparing.execute("set transaction isolation level repeatable read")
            with owner.transaction():
                row = owner.execute("select seq from public.trading_projection where id = 1 for update").fetchone()
                seq = int(row[0]) if row else 0
                while projector.seq < seq:
                    projector.step(limit_seq=seq)
                comparing.execute("select 1 from public.trading_projection")
            _require_same(comparing)
        return seq

    def ledger(self) -> None:
        """Check that transfers add up to every balance, and that balances of each asset and positions of each market add up to zero."""
        with connection.cursor() as cursor:
            for statement, complaint in (
                (BALANCES_DIFFER, "account {0}, {1}: the balance is {2}, its transfers add up to {3}"),
                (ASSETS_UNBALANCED, "all balances in {0} add up to {1}, not to zero"),
                (MARKETS_UNBALANCED, "all positions in market {0} add up to {1}, not to zero"),
            ):
                cursor.execute(statement)
                for row in cursor.fetchall():
                    raise VerificationFailed(complaint.format(*row))


def _watermark(owner: psycopg.Connection[Any]) -> int:
    row = owner.execute("select seq from public.trading_projection where id = 1").fetchone()
    return int(row[0]) if row else 0


def _make_schema(owner: psycopg.Connection[Any]) -> None:
    schema, user = sql.Identifier(SCHEMA), sql.Identifier(connection.settings_dict["USER"])
    owner.execute(sql.SQL("drop schema if exists {} cascade").format(schema))
    owner.execute(sql.SQL("create schema {}").format(schema))
    for table in (*TABLES, "trading_projection"):
        names = {"schema": schema, "table": sql.Identifier(table)}
        owner.execute(sql.SQL("create table {schema}.{table} (like public.{table} including defaults including indexes)").format(**names))
    owner.execute(sql.SQL("grant usage on schema {} to {}").format(schema, user))
    owner.execute(sql.SQL("grant all on all tables in schema {} to {}").format(schema, user))


def _kept(table: str) -> sql.Composable:
    """Leave out what the live table may have dropped with age."""
    since = partitions.kept_from(table)
    if since is None:
        return sql.SQL("")
    return sql.SQL("where {} >= {}").format(sql.Identifier(partitions.COLUMNS[table]), sql.Literal(since))


def _require_same(comparing: psycopg.Connection[Any]) -> None:
    for table in TABLES:
        names = {"live": sql.Identifier("public", table), "rebuilt": sql.Identifier(SCHEMA, table)}
        for missing, other in (("rebuilt", "live"), ("live", "rebuilt")):
            differing = sql.SQL("select * from {0} {2} except all select * from {1} {2} limit 1")
            row = comparing.execute(differing.format(names[missing], names[other], _kept(table))).fetchone()
            if row is not None:
                raise VerificationFailed(f"{table}: the {missing} table has a row that the {other} one has not: {row}")
