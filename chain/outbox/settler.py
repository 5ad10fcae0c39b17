"""Brings a shard's entries on chain, in order, each exactly once, whatever fails on the way.

One entry is in flight. Its transaction's signature and bytes are stored before they are sent, and only those bytes are sent again. Another
transaction is signed only when the former cannot land any more: the finalized height is past its last valid one AND its status is null,
read after that height from a node as far AND the program's sequence is unchanged. Nothing counts before it is finalized.
A kill at any point leaves one of these states behind, and the next settler goes on from it.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Literal

import structlog
from django.db import transaction
from django.utils import timezone
from solders.signature import Signature

from chain.building import Signed, build
from chain.client import ChainClient, Point, Status
from chain.errors import ChainRefused, ChainUnavailable, SimulationFailed, TransactionTooLarge
from chain.models import OutboxAttempt, OutboxEntry, OutboxShard
from chain.outbox.queue import entry_hash, halt
from chain.outbox.route import Route

Progress = Literal["idle", "halted", "waiting", "sent", "expired", "final"]
Step = Literal["begun", "built", "stored", "sent", "noted", "found", "finished"]
RESEND_AFTER_S = 2.0
log = structlog.get_logger("outbox")


def ignore(_step: Step) -> None:
    """Nobody watches."""


class Settler:
    """`observe` hears of each step between two things that could be torn apart; tests kill there."""

    def __init__(
        self,
        *,
        shard: str,
        client: ChainClient,
        route: Route,
        resend_after_s: float = RESEND_AFTER_S,
        observe: Callable[[Step], None] = ignore,
    ) -> None:
        self._shard = shard
        self._client = client
        self._route = route
        self._resend_after = timedelta(seconds=resend_after_s)
        self._observe = observe

    def step(self) -> Progress:
        """Do the next thing. ChainUnavailable: nothing was decided, call it again."""
        if OutboxShard.objects.filter(name=self._shard).exclude(halted_at=None).exists():
            return "halted"
        entry = OutboxEntry.objects.filter(shard_id=self._shard).exclude(state=OutboxEntry.State.FINAL).order_by("seq").first()
        if entry is None:
            return "idle"
        self._observe("begun")
        attempt = entry.attempts.filter(state=OutboxAttempt.State.OPEN).first()
        return self._begin(entry) if attempt is None else self._follow(entry, attempt)

    def _begin(self, entry: OutboxEntry) -> Progress:
        """Sign and send. Nothing that was signed for this entry before can land any more."""
        if not _follows(entry):
            return self._halt(entry, "the entry does not follow from the one before it")
        final = self._client.point("finalized")
        settled = self._route.sequence(self._client, commitment="finalized", min_slot=final.slot)
        if settled.seq != entry.seq - 1:
            return self._halt(entry, f"the chain is at {settled.seq}, the outbox at {entry.seq - 1}")
        if self._route.sequence(self._client, commitment="processed", min_slot=final.slot) != settled:
            return "waiting"  # somebody else's entry is about to become final, or to vanish
        try:
            signed = build(client=self._client, payer=self._route.payer, instructions=self._route.instructions(entry))
        except SimulationFailed as failure:
            return self._quarantine(entry, failure.error) if failure.deterministic else "waiting"
        except TransactionTooLarge as failure:
            return self._quarantine(entry, failure.message)
        self._observe("built")
        attempt = _store(entry, signed)
        self._observe("stored")
        return self._send(attempt)

    def _follow(self, entry: OutboxEntry, attempt: OutboxAttempt) -> Progress:
        # The height comes first: what lands after this reading must not count as missing.
        final = self._client.point("finalized")
        status = self._client.status(Signature.from_string(attempt.signature), min_slot=final.slot)
        if status is None:
            return self._miss(entry, attempt, final)
        if status.commitment != "finalized":
            return "waiting"
        self._observe("found")
        if status.error is not None:
            with transaction.atomic():
                _close(attempt, OutboxAttempt.State.FAILED, status)
                return self._quarantine(entry, status.error)
        return self._finish(entry, attempt, status)

    def _miss(self, entry: OutboxEntry, attempt: OutboxAttempt, final: Point) -> Progress:
        """The transaction is nowhere: send its bytes again as long as they can land, else make room for another."""
        if final.block_height <= attempt.last_valid_block_height:
            due = attempt.last_sent_at is None or timezone.now() - attempt.last_sent_at >= self._resend_after
            return self._send(attempt) if due else "waiting"
        settled = self._route.sequence(self._client, commitment="finalized", min_slot=final.slot)
        if settled.seq != entry.seq - 1:
            return self._halt(entry, f"the chain is at {settled.seq}, but attempt {attempt.signature} did not land")
        with transaction.atomic():
            _close(attempt, OutboxAttempt.State.EXPIRED)
            _move(entry, OutboxEntry.State.SENDING, OutboxEntry.State.QUEUED)
        log.warning("attempt_expired", shard=self._shard, seq=entry.seq, signature=attempt.signature, sends=attempt.sends)
        self._observe("finished")
        return "expired"

    def _finish(self, entry: OutboxEntry, attempt: OutboxAttempt, status: Status) -> Progress:
        settled = self._route.sequence(self._client, commitment="finalized", min_slot=status.slot)
        if not settled.is_at(entry):
            return self._halt(entry, f"attempt {attempt.signature} is final, but the chain is at {settled.seq}")
        with transaction.atomic():
            _close(attempt, OutboxAttempt.State.FINAL, status)
            _move(entry, OutboxEntry.State.SENDING, OutboxEntry.State.FINAL)
            OutboxEntry.objects.filter(pk=entry.pk).update(finalized_at=timezone.now())
        log.info("entry_final", shard=self._shard, seq=entry.seq, signature=attempt.signature, slot=status.slot)
        self._observe("finished")
        return "final"

    def _send(self, attempt: OutboxAttempt) -> Progress:
        """Send the stored bytes. Whether that worked shows in the transaction's status alone."""
        try:
            self._client.send(bytes(attempt.transaction))
        except (ChainUnavailable, ChainRefused) as error:
            log.warning("send_failed", shard=self._shard, signature=attempt.signature, code=error.code, error=error.message)
        self._observe("sent")
        OutboxAttempt.objects.filter(pk=attempt.pk).update(last_sent_at=timezone.now(), sends=attempt.sends + 1)
        self._observe("noted")
        return "sent"

    def _quarantine(self, entry: OutboxEntry, error: str) -> Progress:
        with transaction.atomic():
            _move(entry, entry.state, OutboxEntry.State.QUARANTINED)
            halt(shard=self._shard, reason=f"entry {entry.seq} fails: {error}")
        log.error("entry_quarantined", shard=self._shard, seq=entry.seq, error=error)
        return "halted"

    def _halt(self, entry: OutboxEntry, reason: str) -> Progress:
        halt(shard=self._shard, reason=f"entry {entry.seq}: {reason}")
        log.error("shard_halted", shard=self._shard, seq=entry.seq, reason=reason)
        return "halted"


@transaction.atomic
def _store(entry: OutboxEntry, signed: Signed) -> OutboxAttempt:
    _move(entry, OutboxEntry.State.QUEUED, OutboxEntry.State.SENDING)
    return OutboxAttempt.objects.create(
        entry=entry,
        signature=str(signed.signature),
        transaction=signed.transaction,
        last_valid_block_height=signed.last_valid_block_height,
    )


def _follows(entry: OutboxEntry) -> bool:
    """Whether the entry's content and place are what they were when it was queued."""
    before = OutboxEntry.objects.filter(shard_id=entry.shard_id, seq=entry.seq - 1).values_list("hash", flat=True).first()
    linked = entry.seq == 1 or (before is not None and bytes(before) == bytes(entry.prev_hash))
    return linked and bytes(entry.hash) == entry_hash(prev_hash=bytes(entry.prev_hash), seq=entry.seq, payload=bytes(entry.payload))


def _move(entry: OutboxEntry, old: str, new: str) -> None:
    moved = OutboxEntry.objects.filter(pk=entry.pk, state=old).update(state=new)
    assert moved == 1, "two settlers work on one shard"


def _close(attempt: OutboxAttempt, state: str, status: Status | None = None) -> None:
    facts = {} if status is None else {"slot": status.slot, "error": status.error or ""}
    closed = OutboxAttempt.objects.filter(pk=attempt.pk, state=OutboxAttempt.State.OPEN).update(state=state, **facts)
    assert closed == 1, "two settlers work on one shard"
