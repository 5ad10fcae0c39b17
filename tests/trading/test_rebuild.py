"""The tables can be dropped and made again; verification finds what is not as the journal says."""

import io
from collections.abc import Callable
from typing import LiteralString

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from psycopg import sql
from rich.console import Console

from accounts.models import Balance, LedgerTransfer
from tests.trading.lives import JournalledDesk, random_life, tables
from trading.engine.snapshot import state_hash
from trading.models import Journal, Order, Position, Snapshot
from trading.ownership import connect_as_owner
from trading.progress import Progress
from trading.projector.projector import Projector
from trading.rebuild import rebuild
from trading.verification import Verification, VerificationFailed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk() -> JournalledDesk:
    """A life that is journalled and projected."""
    desk = random_life(seed=11, commands=250)
    desk.store()
    Projector().catch_up()
    return desk


@pytest.fixture
def verification() -> Verification:
    return Verification(Progress(Console(file=io.StringIO())))


def as_owner(table: str, statement: LiteralString, *values: int) -> None:
    """Do what only somebody with the owner's rights and no scruples could."""
    with connect_as_owner() as connection:
        connection.execute(sql.SQL("alter table {} disable trigger user").format(sql.Identifier(table)))
        connection.execute(statement, values)
        connection.execute(sql.SQL("alter table {} enable trigger user").format(sql.Identifier(table)))


def test_it_rebuilds_the_tables_row_for_row(desk: JournalledDesk) -> None:
    before = tables()
    assert all(before[name] for name in ("Order", "Fill", "Position", "Balance", "LedgerTransfer", "Candle", "FundingRate", "Liquidation"))
    output = io.StringIO()
    assert rebuild(Progress(Console(file=output))) == len(desk.sealed)
    assert tables() == before
    assert output.getvalue() == f"{len(desk.sealed)} rows projected\n"


def test_it_verifies_a_journal_that_is_sound(desk: JournalledDesk, capsys: pytest.CaptureFixture[str]) -> None:
    Snapshot.objects.create(
        seq=len(desk.sealed), rules_version=1, state_hash=state_hash(desk.engine.state), size_bytes=1, taken_at="2026-11-22T00:00:00Z"
    )
    call_command("verify_journal")
    said = capsys.readouterr().out
    assert f"the snapshot of row {len(desk.sealed)}" in said
    assert "row for row" in said
    assert "adds up" in said


def test_it_notices_a_state_that_the_journal_does_not_give(desk: JournalledDesk, verification: Verification) -> None:
    Snapshot.objects.create(seq=len(desk.sealed), rules_version=1, state_hash="0" * 64, size_bytes=1, taken_at="2026-11-22T00:00:00Z")
    with pytest.raises(VerificationFailed, match="the snapshot"):
        verification.replay()


def test_it_notices_a_row_of_the_journal_that_was_changed(desk: JournalledDesk) -> None:
    middle = Journal.objects.get(seq=len(desk.sealed) // 2)
    as_owner("trading_journal", "update trading_journal set stamp_ms = stamp_ms + 1 where seq = %s", middle.seq)
    with pytest.raises(CommandError, match=f"journal row {middle.seq} has been changed"):
        call_command("verify_journal")


def test_it_notices_a_row_of_the_journal_that_is_gone(desk: JournalledDesk) -> None:
    as_owner("trading_journal", "delete from trading_journal where seq = 7")
    with pytest.raises(CommandError, match="journal row 7 is missing"):
        call_command("verify_journal")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda: Order.objects.filter(status="filled").update(filled_lots=1),
        lambda: Position.objects.all().delete(),
        lambda: Balance.objects.filter(account_id=1000).update(amount_atoms=10**12),
    ],
    ids=["an order", "positions", "a balance"],
)
def test_it_notices_tables_that_are_not_what_a_rebuild_gives(
    desk: JournalledDesk, verification: Verification, spoil: Callable[[], object]
) -> None:
    spoil()
    with pytest.raises(VerificationFailed, match="has a row that the"):
        verification.tables()


def test_it_notices_a_balance_that_its_transfers_do_not_add_up_to(desk: JournalledDesk, verification: Verification) -> None:
    verification.ledger()
    lost = LedgerTransfer.objects.filter(kind="fee").first()
    assert lost is not None
    as_owner("accounts_ledgertransfer", "delete from accounts_ledgertransfer where id = %s", lost.id)
    with pytest.raises(VerificationFailed, match=r"the balance is .* add up to"):
        verification.ledger()


def test_it_lets_nobody_change_the_ledger(desk: JournalledDesk) -> None:
    for statement in ("update accounts_ledgertransfer set amount_atoms = 1", "delete from accounts_ledgertransfer"):
        with connect_as_owner() as connection, pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            connection.execute(statement.encode())
    insert = (
        "insert into accounts_ledgertransfer (id, debit_account_id, credit_account_id, asset, amount_atoms, kind, reason, posted_at) "
        "values (1, %s, %s, 'USDC', %s, 'adjustment', '', now())"
    )
    for debit, credit, amount in ((1000, 1001, 0), (1000, 1001, -1), (1000, 1000, 5)):
        with connect_as_owner() as connection, pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(insert, [debit, credit, amount])
