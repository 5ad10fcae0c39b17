"""Old partitions of the journal become files, and the journal is still read whole."""

import lzma
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from tests.engine.desk import START_MS
from tests.trading.lives import JournalledDesk, random_life, tables
from tests.trading.test_rebuild import as_owner
from trading import archive, partitions
from trading.archive import JournalReader, archive_old, archives, read_file
from trading.journal import JournalCorrupt, SealedRow
from trading.models import Journal, Snapshot
from trading.ownership import connect_as_owner
from trading.progress import Progress
from trading.projector.projector import Projector
from trading.rebuild import rebuild

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 50


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def small_partitions(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Partitions of the journal of fifty rows, under names of their own, gone after the test."""
    monkeypatch.setattr(partitions, "JOURNAL_ROWS", ROWS)
    monkeypatch.setattr(partitions, "JOURNAL_AHEAD", 9)
    with connect_as_owner() as connection:
        drop_partitions(connection)
        partitions.upkeep()
        yield
        drop_partitions(connection)


def drop_partitions(connection: Any) -> None:
    named = "select inhrelid::regclass::text from pg_inherits where inhparent = 'trading_journal'::regclass"
    for (name,) in connection.execute(named).fetchall():
        if name != "trading_journal_default":
            connection.execute(f"drop table {name}")


@pytest.fixture
def desk(small_partitions: None) -> JournalledDesk:
    """A life of more than four partitions, journalled, projected and covered by a snapshot."""
    desk = random_life(seed=5, commands=800)
    desk.store()
    Projector().catch_up()
    Snapshot.objects.create(seq=len(desk.sealed), rules_version=1, state_hash="", size_bytes=1, taken_at=datetime.now(UTC))
    return desk


def test_it_archives_what_is_old_and_reads_it_as_before(desk: JournalledDesk) -> None:
    made = archive_old(keep=timedelta(0))
    assert [(one.first_seq, one.last_seq) for one in made][:2] == [(1, ROWS - 1), (ROWS, 2 * ROWS - 1)]
    assert Journal.objects.order_by("seq").first().seq == made[-1].last_seq + 1  # type: ignore[union-attr]
    assert archive_old(keep=timedelta(0)) == []
    reader = JournalReader()
    found: list[SealedRow] = []
    while rows := reader.sealed(len(found), 37):
        found += rows
    assert found == desk.sealed
    assert JournalReader().sealed(ROWS + 3, 2) == desk.sealed[ROWS + 3 : ROWS + 5]


def test_it_rebuilds_the_same_tables_from_archives(desk: JournalledDesk) -> None:
    before = tables()
    archive_old(keep=timedelta(0))
    assert rebuild(Progress()) == len(desk.sealed)
    assert tables() == before


def test_it_keeps_what_is_young_or_not_yet_safe_elsewhere(desk: JournalledDesk) -> None:
    assert archive_old(keep=timedelta(days=365)) == []
    Snapshot.objects.update(seq=ROWS + 3)
    assert [one.last_seq for one in archive_old(keep=timedelta(0))] == [ROWS - 1]
    Snapshot.objects.all().delete()
    assert archive_old(keep=timedelta(0)) == []


def test_it_keeps_a_partition_whose_rows_do_not_follow_each_other(desk: JournalledDesk) -> None:
    as_owner("trading_journal", "update trading_journal set payload = payload || 'x' where seq = 9")
    with pytest.raises(JournalCorrupt, match="journal row 9"):
        archive_old(keep=timedelta(0))
    assert archives() == []
    assert Journal.objects.filter(seq__lt=ROWS).count() == ROWS - 1


def test_it_keeps_a_partition_whose_file_does_not_read_back(desk: JournalledDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_its_last_row(found: Any, path: Path) -> Any:
        *rows, last = found
        first, _ = write(iter(rows), path)
        return first, last

    write = archive._write
    monkeypatch.setattr(archive, "_write", without_its_last_row)
    with pytest.raises(JournalCorrupt, match="does not read back"):
        archive_old(keep=timedelta(0))
    assert archives() == []
    assert Journal.objects.count() == len(desk.sealed)


def test_it_notices_a_file_that_was_changed(desk: JournalledDesk) -> None:
    made = archive_old(keep=timedelta(0))
    data = bytearray(made[0].path.read_bytes())
    data[len(data) // 2] ^= 1
    made[0].path.write_bytes(bytes(data))
    with pytest.raises(lzma.LZMAError):
        list(read_file(made[0].path))


def test_it_notices_a_file_that_is_gone(desk: JournalledDesk) -> None:
    archive_old(keep=timedelta(0))[0].path.unlink()
    with pytest.raises(JournalCorrupt, match="journal row 1 is missing"):
        JournalReader().read_events(0, 10)


def test_it_moves_what_the_default_partition_caught(transactional_db: None) -> None:
    day = datetime.fromtimestamp(START_MS / 1000, UTC).date()
    with connect_as_owner() as connection:
        for one in partitions.days(day, day + timedelta(days=1)):
            connection.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(one.name)))
        random_life(seed=5, commands=800).store()
        Projector().catch_up()
        before, caught = tables(), count(connection, "trading_fill_default")
        partitions.ensure_days(day, day + timedelta(days=1))
        assert count(connection, "trading_fill_default") == 0 < caught
    assert tables() == before


def count(connection: Any, table: str) -> int:
    (found,) = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(table))).fetchone()
    return int(found)


def test_it_makes_partitions_once() -> None:
    now = datetime(2031, 5, 6, 23, 59, tzinfo=UTC)
    made = partitions.upkeep(now=now, days_ahead=2)
    assert "trading_fill_20310505" in made
    assert "accounts_ledgertransfer_20310508" in made
    assert partitions.upkeep(now=now, days_ahead=2) == []
    assert next(partitions.days(date(2031, 5, 6), date(2031, 5, 6))).name in made


def test_it_archives_again_what_a_crash_left_undropped(desk: JournalledDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    class PowerCut(Exception):
        pass

    def cut() -> None:
        raise PowerCut

    with monkeypatch.context() as patch, pytest.raises(PowerCut):
        patch.setattr(archive, "_sync_folder", cut)
        archive_old(keep=timedelta(0))
    assert [one.first_seq for one in archives()] == [1]
    assert Journal.objects.filter(seq=1).exists()
    archive_old(keep=timedelta(0))
    assert not Journal.objects.filter(seq=1).exists()
    assert list(read_file(archives()[0].path)) == desk.sealed[: ROWS - 1]
