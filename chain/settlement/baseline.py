"""The first batch: everybody as the tables show him at one row of the journal, from nothing.

Accounts of wallets cannot be part of it, since only their owners' signatures change them: those must still be empty then, or settlement
does not begin. What came to them through the vault already is no batch's business.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Q, Sum

from accounts.models import Balance, LedgerTransfer
from chain.deployment import Deployment
from chain.settlement import carried
from chain.settlement.books import MOVED_ON_CHAIN, NOT_ON_CHAIN, Book, Changes
from chain.settlement.errors import SettlementHalted
from chain.settlement.fold import Fold
from markets.assets import QUOTE
from markets.events import ChainTradeBooked, Event, OrderAccepted, OrderAmended
from trading.archive import JournalReader
from trading.models import Fill, Position, Projection

ROWS_AT_ONCE = 1_000


@dataclass(frozen=True, kw_only=True)
class Baseline:
    seq: int
    stamp_ms: int
    fold: Fold
    changes: Changes


def take(deployment: Deployment) -> Baseline | None:
    """Return the baseline; None while there is no journal. In the caller's transaction: the projector waits meanwhile."""
    projection = Projection.objects.select_for_update().filter(id=1).first()
    if projection is None or projection.seq == 0:
        return None
    fold = carried.load(deployment=deployment, after=None)
    last_fill = Fill.objects.order_by("-id").first()
    fold.last_trade_id = last_fill.trade_id if last_fill else 0
    fold.start_from(books_of_tables())
    if fold.self_custodied:
        for event in _events(projection.seq):
            if isinstance(event, ChainTradeBooked):
                fold.note_on_chain(event)
            else:
                fold.note_orders(event)
    if traded := fold.touched_wallets():
        raise SettlementHalted(f"Accounts {traded} belong to wallets and have traded before the first batch.")
    changes = fold.cut(reference=projection.seq)
    return Baseline(seq=projection.seq, stamp_ms=projection.stamp_ms, fold=fold, changes=changes)


def books_of_tables() -> dict[int, Book]:
    """Return what the tables say of everybody, as settlement counts it."""
    books = {row.account_id: Book(row.amount_atoms) for row in Balance.objects.filter(asset=QUOTE) if row.account_id not in NOT_ON_CHAIN}
    for position in Position.objects.all():
        book = books.setdefault(position.account_id, Book())
        book.balance_atoms -= position.cost_atoms
        book.resize(position.market_id, position.size_lots, position.cost_atoms)
    for account_id, atoms in _through_the_vault():
        if account_id not in NOT_ON_CHAIN:
            books.setdefault(account_id, Book()).balance_atoms -= atoms
    return books


def _through_the_vault() -> Iterator[tuple[int, int]]:
    """Yield what came to accounts from custody or pending withdrawals, and, negative, what went there."""
    moved = LedgerTransfer.objects.filter(asset=QUOTE).filter(
        Q(debit_account_id__in=MOVED_ON_CHAIN) | Q(credit_account_id__in=MOVED_ON_CHAIN)
    )
    for side, sign in (("credit_account_id", 1), ("debit_account_id", -1)):
        for account_id, atoms in moved.values_list(side).annotate(Sum("amount_atoms")):
            yield account_id, sign * atoms


def _events(until_seq: int) -> Iterator[Event]:
    """Yield what orders were placed and amended, from the beginning, since wallets' may rest on the book; and what was traded on chain."""
    reader, after = JournalReader(), 0
    while after < until_seq:
        rows = reader.read_events(after, min(ROWS_AT_ONCE, until_seq - after))
        if not rows:
            return
        for row in rows:
            yield from (event for event in row.events if isinstance(event, OrderAccepted | OrderAmended | ChainTradeBooked))
        after = rows[-1].seq
