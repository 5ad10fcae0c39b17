"""Forgetting batches of long ago: what was final, nobody can challenge any more, and no page shows.

Oldest first, in portions; a run that is ended leaves nothing half done, and the next goes on. The newest batch of those that are old
enough stays as a mark, without its accounts: whoever asks for a trade of it, or of one before, is told that its proof is gone.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chain.client import ChainClient
from chain.deployment import Deployment
from chain.models import OutboxAttempt, OutboxEntry, OutboxShard
from chain.settlement.batches import SHARD
from chain.settlement.models import BatchAccount, Challenged, Reconciliation, SettlementBatch, SignedOrderRecord
from markets.stamps import ms

PORTION: Final = 200
MARGIN_MS: Final = 86_400_000  # an order's last fill may be told a little after its expiry
log = structlog.get_logger("settlement")


def kept_since(now: datetime) -> datetime:
    """Return from when on everything is kept."""
    return now - timedelta(days=settings.PROOF_RETENTION_DAYS)


def forget(*, deployment: Deployment, client: ChainClient) -> dict[str, int]:
    """Remove what is older than is kept; return how many of what. Nothing of what the chain has not made final."""
    since = kept_since(timezone.now())
    final_epoch = int(deployment.dex.read_exchange(client, commitment="finalized").final_epoch)
    counts = {
        "batches": sum(_forget_batches(portion) for portion in _old(since, final_epoch)),
        "orders": _forget_orders(),
        "entries": sum(_forget_entries(shard, since) for shard in OutboxShard.objects.exclude(name=SHARD)),
        "comparisons": Reconciliation.objects.filter(ok=True, checked_at__lt=since).delete()[0],
    }
    log.info("settled_forgotten", **counts)
    return counts


def _old(since: datetime, final_epoch: int) -> Iterator[list[SettlementBatch]]:
    """Yield what follows the mark and is old, portion by portion, oldest first."""
    mark = _mark()
    while True:
        following = list(SettlementBatch.objects.filter(seq__gt=mark).order_by("seq")[:PORTION])
        old = []
        for batch in following:
            if not _is_over(batch, since, final_epoch):
                break
            old.append(batch)
        if old:
            yield old
            mark = old[-1].seq
        if len(old) < PORTION:
            return


def _mark() -> int:
    """Return the last batch whose accounts are forgotten; 0 for none."""
    first = SettlementBatch.objects.order_by("seq").first()
    return first.seq if first is not None and not first.account_changes.exists() else 0


def _is_over(batch: SettlementBatch, since: datetime, final_epoch: int) -> bool:
    final = batch.hash is not None and batch.epoch is not None and batch.epoch <= final_epoch
    closed = batch.deadline is not None and batch.deadline < timezone.now().timestamp()
    challenged = Challenged.objects.filter(batch_seq=batch.seq, answered=False).exists()
    return final and closed and not challenged and batch.end_ms < ms(since)


@transaction.atomic
def _forget_batches(old: list[SettlementBatch]) -> int:
    last = old[-1].seq
    BatchAccount.objects.filter(batch_id__lte=last).delete()
    Challenged.objects.filter(batch_seq__lte=last).delete()
    gone = SettlementBatch.objects.filter(seq__lt=last)
    entries = list(gone.values_list("entry_id", flat=True))
    gone.delete()
    OutboxAttempt.objects.filter(entry_id__in=entries).delete()
    OutboxEntry.objects.filter(id__in=entries).delete()
    return len(old)


def _forget_orders() -> int:
    """Remove signatures that nothing is left of which could be shown or filled: they expired before the first batch that is kept."""
    kept = SettlementBatch.objects.filter(seq__gt=_mark()).order_by("seq").first()
    if kept is None:
        return 0
    return SignedOrderRecord.objects.filter(expiry_ms__lt=kept.begin_ms - MARGIN_MS).delete()[0]


def _forget_entries(shard: OutboxShard, since: datetime) -> int:
    """Remove what a shard of vouchers did; its last entry stays, which the next one follows from."""
    old = OutboxEntry.objects.filter(shard=shard, state=OutboxEntry.State.FINAL, finalized_at__lt=since, seq__lt=shard.last_seq)
    ids = list(old.values_list("id", flat=True))
    with transaction.atomic():
        OutboxAttempt.objects.filter(entry_id__in=ids).delete()
        OutboxEntry.objects.filter(id__in=ids).delete()
    return len(ids)
