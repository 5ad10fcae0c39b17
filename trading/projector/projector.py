"""Tails the journal into the ORM's tables, a bounded run of rows at a time."""

from collections.abc import Callable
from typing import Any

import psycopg
from django.db import connection

from markets.models import Market
from markets.units import tick_lot_atoms
from oracle.models import OraclePrice
from trading import journal
from trading.archive import JournalReader
from trading.models import Projection
from trading.projector.fold import SECOND_MS, Fold
from trading.projector.writer import write
from trading.stamps import ms

RUN_EVENTS = 6_000  # a run holds about so many events: enough to spare round trips, little enough to be seen soon
FIRST_ROWS, MAX_ROWS = 5, 500

Read = Callable[[int, int], list[journal.Row]]


class Projector:
    """`step` projects the next run. `read` gives rows of the journal after a number, at most so many."""

    def __init__(self, *, read: Read | None = None) -> None:
        self._read = read or JournalReader().read
        self._rows_at_once = FIRST_ROWS
        self.start_over()

    def start_over(self) -> None:
        """Take up what the tables say of themselves."""
        projection, _ = Projection.objects.get_or_create(id=1)
        self.seq, self.stamp_ms = projection.seq, projection.stamp_ms
        markets = Market.objects.all()
        self._lots_atoms = {market.id: tick_lot_atoms(tick_e8=market.tick_e8, lot_e8=market.lot_e8) for market in markets}
        prices = {id_: OraclePrice.objects.filter(market_id=id_).order_by("-id").first() for id_ in self._lots_atoms}
        self._priced = {market_id: ms(price.observed_at) // SECOND_MS for market_id, price in prices.items() if price}

    def step(self, *, limit_seq: int | None = None) -> int:
        """Project the next run of rows, not beyond `limit_seq`; return how many there were, 0 when the tables are current."""
        limit = self._rows_at_once if limit_seq is None else min(self._rows_at_once, limit_seq - self.seq)
        rows = self._read(self.seq, limit)
        if not rows:
            return 0
        fold = Fold(self._lots_atoms, self._priced)
        for row in rows:
            fold.add(row.seq, row.stamp_ms, row.events)
        if write(_connection(), fold, after_seq=self.seq, after_stamp_ms=self.stamp_ms):
            self.seq, self.stamp_ms = fold.seq, fold.stamp_ms
        else:
            self.start_over()
        self._rows_at_once = min(MAX_ROWS, max(1, RUN_EVENTS * len(rows) // (fold.events + 1)))
        return len(rows)

    def catch_up(self) -> int:
        """Project until there is nothing more; return how many rows."""
        projected = 0
        while done := self.step():
            projected += done
        return projected


def _connection() -> psycopg.Connection[Any]:
    """Return Django's own connection, for COPY."""
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    return raw
