"""Putting entries into the outbox, and what staff do about a halt."""

import hashlib

from django.db import transaction
from django.utils import timezone

from chain.models import NO_HASH, OutboxAttempt, OutboxEntry, OutboxShard


def entry_hash(*, prev_hash: bytes, seq: int, payload: bytes) -> bytes:
    """Return SHA-256 of the previous hash, the number (u64, little-endian) and the payload."""
    return hashlib.sha256(prev_hash + seq.to_bytes(8, "little") + payload).digest()


@transaction.atomic
def enqueue(*, shard: str, payload: bytes) -> OutboxEntry:
    """Append an entry. In the caller's transaction: what asked for it and the entry are both there, or neither."""
    OutboxShard.objects.get_or_create(name=shard, defaults={"last_hash": NO_HASH})
    locked = OutboxShard.objects.select_for_update().get(name=shard)
    seq, prev_hash = locked.last_seq + 1, bytes(locked.last_hash)
    digest = entry_hash(prev_hash=prev_hash, seq=seq, payload=payload)
    entry = OutboxEntry.objects.create(shard=locked, seq=seq, prev_hash=prev_hash, hash=digest, payload=payload)
    locked.last_seq, locked.last_hash = seq, digest
    locked.save(update_fields=["last_seq", "last_hash"])
    return entry


@transaction.atomic
def remove_last(*, entry: OutboxEntry) -> bool:
    """Take back a shard's last entry, of which nothing can land any more; False for one that others follow, or that is on its way."""
    shard = OutboxShard.objects.select_for_update().get(pk=entry.shard_id)
    entry.refresh_from_db()
    open_ones = entry.attempts.exclude(state__in=(OutboxAttempt.State.EXPIRED, OutboxAttempt.State.FAILED))
    if entry.seq != shard.last_seq or entry.state != OutboxEntry.State.QUEUED or open_ones.exists():
        return False
    shard.last_seq, shard.last_hash = entry.seq - 1, bytes(entry.prev_hash)
    shard.save(update_fields=["last_seq", "last_hash"])
    entry.attempts.all().delete()
    entry.delete()
    return True


def halt(*, shard: str, reason: str) -> None:
    """Stop the shard. The first reason stays."""
    OutboxShard.objects.get_or_create(name=shard, defaults={"last_hash": NO_HASH})
    OutboxShard.objects.filter(name=shard, halted_at=None).update(halted_at=timezone.now(), halt_reason=reason)


def is_halted(shard: str) -> bool:
    return OutboxShard.objects.filter(name=shard).exclude(halted_at=None).exists()


@transaction.atomic
def release(*, shard: str) -> None:
    """Let a halted shard go on, its quarantined entry first: staff have removed the cause."""
    OutboxEntry.objects.filter(shard_id=shard, state=OutboxEntry.State.QUARANTINED).update(state=OutboxEntry.State.QUEUED)
    OutboxShard.objects.filter(name=shard).update(halted_at=None, halt_reason="")
