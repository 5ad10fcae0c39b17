"""Making batches: from the journal to rows and an outbox entry, all in one transaction.

A batch is made when the one before it is final and enough time has passed; it ends where an account has too many leaves, or where a
market's second hour of funding begins. The first is the baseline: everybody as the tables show him at one row of the journal.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog
from django.db import transaction
from solders.pubkey import Pubkey

from chain.deployment import Deployment
from chain.models import NO_HASH, OutboxEntry, OutboxShard
from chain.outbox.queue import enqueue
from chain.settlement import baseline, carried
from chain.settlement.books import Changes
from chain.settlement.fold import Fold
from chain.settlement.leaves import QUOTE, Leaf, house, restored
from chain.settlement.models import BatchAccount, BookedTrade, SettlementBatch
from chain.settlement.trees import AccountTree
from markets.ledger import FAUCET
from trading.archive import EventsOfRow, JournalReader

SHARD: Final = "batches"
ROWS_AT_ONCE: Final = 500
MAX_ROWS: Final = 20_000  # of one batch: a backlog is settled in pieces
ALL: Final = -1
SETTLED_AFTER_MS: Final = 500  # the cluster's clock may be behind: a batch must not end in its future
log = structlog.get_logger("settlement")

Read = Callable[[int, int], Sequence[EventsOfRow]]


@transaction.atomic
def make_batch(
    *, deployment: Deployment, now_ms: int, interval_ms: int, heartbeat_ms: int, read: Read | None = None
) -> SettlementBatch | None:
    """Make the next batch if it is time for one; None while the last is not final, and while nothing changed."""
    if not _is_idle():
        return None
    last = SettlementBatch.objects.order_by("-seq").first()
    if last is None:
        return _begin(deployment)
    if now_ms - last.end_ms < interval_ms:
        return None
    fold = carried.load(deployment=deployment, after=last)
    place = _gather(fold, last, read or JournalReader().read_events, until_ms=now_ms - SETTLED_AFTER_MS)
    if place.seq == last.journal_seq and place.events == last.journal_place and now_ms - last.end_ms < heartbeat_ms:
        return None
    account_ids = fold.touched
    changes = fold.cut(reference=place.seq)
    if not changes.leaves and now_ms - last.end_ms < heartbeat_ms:
        return None
    carried.save(fold=fold, account_ids=account_ids)
    if changes.unproven:
        log.error("deleveraging_unproven", leaves=changes.unproven)
    end_ms = place.stamp_ms if changes.leaves else now_ms - SETTLED_AFTER_MS
    return _write(deployment, changes, place=place, begin_ms=last.end_ms, end_ms=max(end_ms, last.end_ms + 1))


def _is_idle() -> bool:
    """Lock the shard; tell whether it waits for another batch."""
    OutboxShard.objects.get_or_create(name=SHARD, defaults={"last_hash": NO_HASH})
    shard = OutboxShard.objects.select_for_update().get(name=SHARD)
    busy = OutboxEntry.objects.filter(shard=shard).exclude(state=OutboxEntry.State.FINAL).exists()
    return shard.halted_at is None and not busy


def _begin(deployment: Deployment) -> SettlementBatch | None:
    found = baseline.take(deployment)
    if found is None:
        return None
    place = Place(found.seq, ALL, found.stamp_ms)
    carried.save(fold=found.fold, account_ids=list(found.fold.books))
    return _write(deployment, found.changes, place=place, begin_ms=0, end_ms=max(found.stamp_ms, 1))


class Place:
    """Where in the journal a batch ends: the row, how many of its events (ALL of them), and its stamp."""

    __slots__ = ("events", "seq", "stamp_ms")

    def __init__(self, seq: int, events: int, stamp_ms: int) -> None:
        self.seq = seq
        self.events = events
        self.stamp_ms = stamp_ms


def _gather(fold: Fold, last: SettlementBatch, read: Read, *, until_ms: int) -> Place:
    """Fold what follows the last batch, as far as one batch can hold it."""
    place = Place(last.journal_seq, last.journal_place, last.end_ms)
    after = last.journal_seq if last.journal_place == ALL else last.journal_seq - 1
    while after < last.journal_seq + MAX_ROWS:
        rows = read(after, ROWS_AT_ONCE)
        for row in rows:
            if row.stamp_ms > until_ms:
                return place
            done = _fold_row(fold, row, skip=place.events if row.seq == place.seq else 0, begin_ms=last.end_ms)
            if done != ALL:
                return Place(row.seq, done, row.stamp_ms) if done else place
            place = Place(row.seq, ALL, row.stamp_ms)
            after = row.seq
        if len(rows) < ROWS_AT_ONCE:
            break
    return place


def _fold_row(fold: Fold, row: EventsOfRow, *, skip: int, begin_ms: int) -> int:
    """Fold a row; return ALL, or how many of its events went in."""
    for number, event in enumerate(row.events[skip:], start=skip):
        if not fold.has_room_for(event):
            return number
        fold.add(event, stamp_ms=max(row.stamp_ms, begin_ms))
    return ALL


def fold_on(fold: Fold, last: SettlementBatch, *, until_seq: int) -> None:
    """Fold everything from after a batch up to a row of the journal, however many leaves that makes."""
    reader = JournalReader()
    after = last.journal_seq if last.journal_place == ALL else last.journal_seq - 1
    while after < until_seq:
        rows = reader.read_events(after, min(ROWS_AT_ONCE, until_seq - after))
        for row in rows:
            skip = last.journal_place if row.seq == last.journal_seq else 0
            for event in row.events[skip:]:
                fold.add(event, stamp_ms=row.stamp_ms)
        after += len(rows)
        if not rows:
            return


def _write(deployment: Deployment, changes: Changes, *, place: Place, begin_ms: int, end_ms: int) -> SettlementBatch:
    leaves = dict(changes.leaves) or {FAUCET: (house(QUOTE, 1, reference=place.seq), house(QUOTE, -1, reference=place.seq))}
    wallets = carried.wallet_addresses()
    addresses = {account_id: deployment.account_address(account_id) for account_id in leaves}
    order = sorted(leaves, key=lambda account_id: bytes(addresses[account_id]))
    funding = {str(market_id): [terms.hour, terms.index_e8, terms.rate_ppb] for market_id, terms in changes.funding.items()}
    rows = [(account_id, addresses[account_id], leaves[account_id]) for account_id in order]
    digest = content_digest(begin_ms=begin_ms, end_ms=end_ms, funding=funding, accounts=[(key, made) for _, key, made in rows])
    entry = enqueue(shard=SHARD, payload=digest)
    batch = SettlementBatch.objects.create(
        seq=entry.seq,
        entry=entry,
        journal_seq=place.seq,
        journal_place=place.events,
        begin_ms=begin_ms,
        end_ms=end_ms,
        accounts=len(rows),
        last_trade_id=changes.last_trade_id,
        funding=funding,
    )
    BatchAccount.objects.bulk_create(
        BatchAccount(
            batch=batch,
            place=number,
            account_id=account_id,
            address=str(address),
            custodied=account_id not in wallets,
            leaves=[leaf.stored for leaf in made],
        )
        for number, (account_id, address, made) in enumerate(rows)
    )
    BookedTrade.objects.bulk_create(BookedTrade(number=number, batch=batch) for number in changes.traded)
    log.info("batch_made", seq=batch.seq, accounts=len(rows), journal_seq=place.seq)
    return batch


def content_digest(*, begin_ms: int, end_ms: int, funding: dict[str, Any], accounts: Sequence[tuple[Pubkey, Sequence[Leaf]]]) -> bytes:
    """Return what the outbox binds a batch to: rows that were changed afterwards are not settled."""
    told = [[str(address), [leaf.data.hex() for leaf in made], [leaf.sums for leaf in made]] for address, made in accounts]
    return hashlib.sha256(json.dumps([begin_ms, end_ms, funding, told], sort_keys=True).encode()).digest()


def trees_of(batch: SettlementBatch) -> list[AccountTree]:
    """Return a batch's accounts in order."""
    return [tree_of(row) for row in batch.account_changes.order_by("place")]


def tree_of(row: BatchAccount) -> AccountTree:
    """Return an account of a batch, with what it had before as far as that is known."""
    return AccountTree(
        user=Pubkey.from_string(row.address),
        leaves=tuple(restored(one) for one in row.leaves),
        before=tuple((slot, amount) for slot, amount in row.before or ()),
    )
