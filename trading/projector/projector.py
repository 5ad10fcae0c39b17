"""Tails the journal into the ORM's tables, a bounded run of rows at a time."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import psycopg
from django.db import connection, connections

from markets.events import Event
from markets.models import Market
from markets.series import stored_sampler
from markets.stamps import ms
from markets.units import tick_lot_atoms
from oracle.models import OraclePrice
from trading.archive import JournalReader
from trading.models import Projection
from trading.projector.fold import SECOND_MS, Fold
from trading.projector.writer import write

RUN_EVENTS = 6_000  # a run holds about so many events: enough to spare round trips, little enough to be seen soon
APPLICATION_NAME = "quantdesk projector"
# What a crash of PostgreSQL loses is projected again.
SESSION = "select set_config('application_name', %s, false), set_config('synchronous_commit', 'off', false)"
FIRST_ROWS, MAX_ROWS = 5, 500


class EventsRow(Protocol):
    """What the projector needs of a row of the journal."""

    @property
    def seq(self) -> int: ...
    @property
    def stamp_ms(self) -> int: ...
    @property
    def events(self) -> Sequence[Event]: ...


Read = Callable[[int, int], Sequence[EventsRow]]


def never() -> bool:
    return False


class Projector:
    """Projects what `read` gives: rows of the journal after a number, at most so many."""

    def __init__(self, *, read: Read | None = None) -> None:
        self._read = read or JournalReader().read_events
        self._rows_at_once = FIRST_ROWS
        self._ahead = ThreadPoolExecutor(max_workers=1, thread_name_prefix="projector-ahead")
        self.start_over()

    def start_over(self) -> None:
        """Take up what the tables say of themselves."""
        _connection().execute(SESSION, [APPLICATION_NAME])
        projection, _ = Projection.objects.get_or_create(id=1)
        self.seq, self.stamp_ms = projection.seq, projection.stamp_ms
        markets = Market.objects.all()
        self._lots_atoms = {market.id: tick_lot_atoms(tick_e8=market.tick_e8, lot_e8=market.lot_e8) for market in markets}
        prices = {id_: OraclePrice.objects.filter(market_id=id_).order_by("-id").first() for id_ in self._lots_atoms}
        self._priced = {market_id: ms(price.observed_at) // SECOND_MS for market_id, price in prices.items() if price}
        self._samplers = {id_: sampler for id_ in self._lots_atoms if (sampler := stored_sampler(id_))}
        self._open_interest_lots = {market.id: market.open_interest_lots for market in markets}

    def step(self, *, limit_seq: int | None = None) -> int:
        """Project the next run of rows, not beyond `limit_seq`; return how many there were, 0 when the tables are current."""
        fold = self._fold(self.seq, limit_seq)
        if fold is not None:
            self._write(fold)
        return fold.rows if fold else 0

    def catch_up(self, stopped: Callable[[], bool] = never) -> int:
        """Project until there is nothing more; return how many rows. Of a backlog, the next run is folded while one is written."""
        projected = 0
        fold = self._fold(self.seq)
        while fold is not None and not stopped():
            following: Future[Fold | None] | None = None
            if fold.events >= RUN_EVENTS // 2:
                following = self._ahead.submit(self._fold, fold.seq)
            written = write(_connection(), fold, after_seq=self.seq, after_stamp_ms=self.stamp_ms)
            after = following.result() if following else None
            self._advance(fold, written=written)
            projected += fold.rows
            fold = after if after is not None and written else self._fold(self.seq)
        return projected

    def close(self) -> None:
        """Close the connections; the projector is of no use afterwards."""
        self._ahead.submit(connections.close_all).result()
        self._ahead.shutdown()
        connections.close_all()

    def _fold(self, after_seq: int, limit_seq: int | None = None) -> Fold | None:
        limit = self._rows_at_once if limit_seq is None else min(self._rows_at_once, limit_seq - after_seq)
        rows = self._read(after_seq, limit)
        if not rows:
            return None
        fold = Fold(lots_atoms=self._lots_atoms, priced=self._priced, samplers=self._samplers, open_interest_lots=self._open_interest_lots)
        for row in rows:
            fold.add(seq=row.seq, stamp_ms=row.stamp_ms, events=row.events)
        self._rows_at_once = min(MAX_ROWS, max(1, RUN_EVENTS * len(rows) // (fold.events + 1)))
        return fold

    def _write(self, fold: Fold) -> None:
        self._advance(fold, written=write(_connection(), fold, after_seq=self.seq, after_stamp_ms=self.stamp_ms))

    def _advance(self, fold: Fold, *, written: bool) -> None:
        if written:
            self.seq, self.stamp_ms = fold.seq, fold.stamp_ms
        else:
            self.start_over()


def _connection() -> psycopg.Connection[Any]:
    """Return Django's own connection, for COPY."""
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    return raw
