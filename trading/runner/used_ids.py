"""Which client order ids were ever used: a filter that spares the tables nearly every question, and the question itself."""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg

from markets.commands import AnyCommand, PlaceBatch, PlaceOrder
from markets.events import AnyEvent, OrderAccepted
from trading.engine.engine import Engine
from trading.journal import SELECT_AFTER, FoundId, SealedRow, unseal

Key = tuple[int, str]

PROJECTED = "select coalesce((select seq from trading_projection where id = 1), 0)"
ALL_IDS = "select account_id, client_order_id from trading_usedclientorderid"
FIND = """
select used.account_id, used.client_order_id, used.order_id, used.content_hash
from trading_usedclientorderid used
join unnest(%s::bigint[], %s::text[]) as asked (account_id, client_order_id) using (account_id, client_order_id)
"""
LOAD_IDS = 5_000
LOAD_ROWS = 100
BITS_AN_ID = 32


class BloomFilter:
    """Remembers ids in four bytes each; wrongly says "perhaps" of one in 250, and never wrongly "no".

    Two bits an id, both from one hash: this is on the path of every order. Python's hash of texts is seeded anew in each
    process, so nobody can aim at collisions. A full filter is followed by one of twice its size: the count need not be known.
    """

    def __init__(self, capacity: int = 1 << 19) -> None:
        self._parts: list[tuple[bytearray, int]] = []
        self._grow(capacity)

    def _grow(self, capacity: int) -> None:
        bits = 1 << (capacity * BITS_AN_ID - 1).bit_length()
        self._parts.append((bytearray(bits // 8), bits - 1))
        self._room = capacity

    def add(self, key: Key) -> None:
        if not self._room:
            self._grow(2 * (self._parts[-1][1] + 1) // BITS_AN_ID)
        self._room -= 1
        cells, mask = self._parts[-1]
        digest = hash(key)
        first, second = digest & mask, digest >> 32 & mask
        cells[first >> 3] |= 1 << (first & 7)
        cells[second >> 3] |= 1 << (second & 7)

    def __contains__(self, key: Key) -> bool:
        digest = hash(key)
        for cells, mask in self._parts:
            first, second = digest & mask, digest >> 32 & mask
            if cells[first >> 3] >> (first & 7) & cells[second >> 3] >> (second & 7) & 1:
                return True
        return False


class UsedIds:
    """Every id ever used, as far as it is known here. Until the filter is loaded, "perhaps" is the answer to all."""

    def __init__(self) -> None:
        self._filter = BloomFilter()
        self._loaded = False

    def note(self, events: Iterable[AnyEvent]) -> None:
        """Remember the ids of orders that were accepted."""
        add = self._filter.add
        for event in events:
            if type(event) is OrderAccepted:
                order = event.order
                add((order.account_id, order.client_order_id))

    def perhaps(self, key: Key) -> bool:
        return not self._loaded or key in self._filter

    async def load(self, connection: psycopg.AsyncConnection[Any], *, followed_after_seq: int) -> None:
        """Read the table of used ids, and what it lacks from the journal up to where the follower began to note them.

        It is read in slices, between which the engine works.
        """
        cursor = await connection.execute(PROJECTED)
        projected = await cursor.fetchone()
        assert projected is not None
        await self._load_rows(connection, int(projected[0]), followed_after_seq)
        await self._load_table(connection)
        self._loaded = True

    async def _load_rows(self, connection: psycopg.AsyncConnection[Any], seq: int, last_seq: int) -> None:
        while seq < last_seq:
            cursor = await connection.execute(SELECT_AFTER, [seq, min(LOAD_ROWS, last_seq - seq)])
            rows = [SealedRow.of(columns) for columns in await cursor.fetchall()]
            for row in rows:
                self.note(unseal(row.payload).events)
            seq = rows[-1].seq if rows else last_seq

    async def _load_table(self, connection: psycopg.AsyncConnection[Any]) -> None:
        async with connection.transaction(), connection.cursor("used_ids") as cursor:
            await cursor.execute(ALL_IDS)
            while keys := await cursor.fetchmany(LOAD_IDS):
                for key in keys:
                    self._filter.add(key)


def placed(command: AnyCommand) -> Sequence[PlaceOrder]:
    """Return the orders that a command places."""
    kind = type(command)
    if kind is PlaceOrder:
        return (command,)  # type: ignore[return-value]  # mypy does not narrow by the type's identity in a variable
    if kind is PlaceBatch:
        return [item for item in command.items if type(item) is PlaceOrder]  # type: ignore[union-attr]
    return ()


def unknown_ids(engine: Engine, used: UsedIds, command: AnyCommand) -> list[Key]:
    """Return the client ids of a command that the state does not know, and the tables perhaps do."""
    unknown = []
    for order in placed(command):
        key = (order.account_id, order.client_order_id)
        if order.client_order_id and used.perhaps(key) and not knows(engine, key):
            unknown.append(key)
    return unknown


def knows(engine: Engine, key: Key) -> bool:
    account = engine.state.accounts.get(key[0])
    return account is not None and key[1] in account.client_ids


async def find(connection: psycopg.AsyncConnection[Any], keys: list[Key]) -> list[FoundId]:
    """Ask the table for ids, all at once."""
    accounts, ids = [key[0] for key in keys], [key[1] for key in keys]
    cursor = await connection.execute(FIND, [accounts, ids])
    return [FoundId(account, client_id, order_id, bytes(content)) for account, client_id, order_id, content in await cursor.fetchall()]
