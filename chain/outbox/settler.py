"""Brings a shard's entries on chain, in order, each exactly once, whatever fails on the way.

One entry is in flight. Its transaction's signature and bytes are stored before they are sent, and only those bytes are sent again. Another
transaction is signed only when the former cannot land any more: the finalized height is past its last valid one AND its status is null,
read after that height from a node as far AND the program's sequence is unchanged. Nothing counts before it is finalized.
A kill at any point leaves one of these states behind, and the next settler goes on from it.

An entry of several parts: the next is signed as soon as the one before is confirmed, on a blockhash of that block or a later one. So
it can land on no fork that lacks the part before it, and what a fork takes back it takes back from the end. Such parts stay open until
the last is final, or until they cannot land any more.
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
from chain.outbox.route import EntryRefused, Part, PartedRoute, Route

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
        route: Route | PartedRoute,
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
        attempts = list(entry.attempts.filter(state=OutboxAttempt.State.OPEN).order_by("id"))
        try:
            return self._follow(entry, attempts) if attempts else self._begin(entry)
        except EntryRefused as refused:
            return self._halt(entry, refused.message)

    def _begin(self, entry: OutboxEntry) -> Progress:
        """Sign and send. Nothing that was signed for this entry before can land any more, or it is final."""
        if not _follows(entry):
            return self._halt(entry, "the entry does not follow from the one before it")
        final = self._client.point("finalized")
        settled = self._route.sequence(self._client, commitment="finalized", min_slot=final.slot)
        if settled.seq != entry.seq - 1:
            return self._halt(entry, f"the chain is at {settled.seq}, the outbox at {entry.seq - 1}")
        if self._route.sequence(self._client, commitment="processed", min_slot=final.slot) != settled:
            return "waiting"  # somebody else's entry is about to become final, or to vanish
        return self._sign(entry, min_slot=final.slot, sure=True)

    def _sign(self, entry: OutboxEntry, *, min_slot: int, sure: bool) -> Progress:
        """Sign and send what comes next. `sure`: what it builds on is final, so a failure is its own."""
        part = self._part(entry, min_slot)
        if part is None:
            return "waiting"
        try:
            signed = build(
                client=self._client, payer=self._route.payer, instructions=part.instructions, signers=part.signers, min_slot=min_slot
            )
        except SimulationFailed as failure:
            fails = failure.deterministic and sure and self._is_still(entry, part.content, min_slot)
            return self._quarantine(entry, failure.error) if fails else "waiting"
        except TransactionTooLarge as failure:
            return self._quarantine(entry, failure.message)
        self._observe("built")
        attempt = _store(entry, signed, part)
        self._observe("stored")
        return self._send(attempt)

    def _part(self, entry: OutboxEntry, min_slot: int) -> Part | None:
        if isinstance(self._route, PartedRoute):
            return self._route.part(self._client, entry, min_slot=min_slot)
        return Part(instructions=self._route.instructions(entry))

    def _is_still(self, entry: OutboxEntry, content: bytes, min_slot: int) -> bool:
        """Tell whether the same would be tried again: others' deposits change what a batch's last part has to say."""
        if not isinstance(self._route, PartedRoute):
            return True
        part = self._route.part(self._client, entry, min_slot=min_slot)
        return part is not None and part.content == content

    def _follow(self, entry: OutboxEntry, attempts: list[OutboxAttempt]) -> Progress:
        # The height comes first: what lands after this reading must not count as missing.
        final = self._client.point("finalized")
        newest = attempts[-1]
        status = self._client.status(Signature.from_string(newest.signature), min_slot=final.slot)
        if status is None:
            return self._miss(entry, attempts, final)
        if not newest.last and status.error is None and status.commitment != "processed":
            return self._sign(entry, min_slot=max(status.slot, final.slot), sure=status.commitment == "finalized")
        if status.commitment != "finalized":
            return "waiting"
        self._observe("found")
        return self._finish(entry, attempts, status) if status.error is None else self._fail(entry, attempts, status)

    def _fail(self, entry: OutboxEntry, attempts: list[OutboxAttempt], status: Status) -> Progress:
        """It failed for good: in vain again, unless it would be another one by now."""
        newest = attempts[-1]
        again = not self._is_still(entry, bytes(newest.content), status.slot)
        with transaction.atomic():
            _close(newest, OutboxAttempt.State.FAILED, status)
            if not again:
                return self._quarantine(entry, status.error or "")
            if len(attempts) == 1:
                _move(entry, OutboxEntry.State.SENDING, OutboxEntry.State.QUEUED)
        log.warning("attempt_overtaken", shard=self._shard, seq=entry.seq, signature=newest.signature, error=status.error)
        return "expired"

    def _miss(self, entry: OutboxEntry, attempts: list[OutboxAttempt], final: Point) -> Progress:
        """The transaction is nowhere: send its bytes again as long as they can land, else make room for another."""
        newest = attempts[-1]
        if final.block_height <= newest.last_valid_block_height:
            due = newest.last_sent_at is None or timezone.now() - newest.last_sent_at >= self._resend_after
            return self._resend(attempts, final) if due else "waiting"
        settled = self._route.sequence(self._client, commitment="finalized", min_slot=final.slot)
        if settled.seq != entry.seq - 1:
            return self._halt(entry, f"the chain is at {settled.seq}, but attempt {newest.signature} did not land")
        with transaction.atomic():
            _close(newest, OutboxAttempt.State.EXPIRED)
            if len(attempts) == 1:
                _move(entry, OutboxEntry.State.SENDING, OutboxEntry.State.QUEUED)
        log.warning("attempt_expired", shard=self._shard, seq=entry.seq, signature=newest.signature, sends=newest.sends)
        self._observe("finished")
        return "expired"

    def _resend(self, attempts: list[OutboxAttempt], final: Point) -> Progress:
        """Send again what is missing, first things first: a fork may have taken several parts back."""
        for attempt in attempts[:-1]:
            if self._client.status(Signature.from_string(attempt.signature), min_slot=final.slot) is None:
                self._send(attempt)
        return self._send(attempts[-1])

    def _finish(self, entry: OutboxEntry, attempts: list[OutboxAttempt], status: Status) -> Progress:
        newest = attempts[-1]
        settled = self._route.sequence(self._client, commitment="finalized", min_slot=status.slot)
        if not settled.is_at(entry):
            return self._halt(entry, f"attempt {newest.signature} is final, but the chain is at {settled.seq}")
        earlier = [(one, self._client.status(Signature.from_string(one.signature), min_slot=status.slot)) for one in attempts[:-1]]
        with transaction.atomic():
            for attempt, found in [*earlier, (newest, status)]:
                _close(attempt, OutboxAttempt.State.FINAL, found)
            _move(entry, OutboxEntry.State.SENDING, OutboxEntry.State.FINAL)
            OutboxEntry.objects.filter(pk=entry.pk).update(finalized_at=timezone.now())
            if isinstance(self._route, PartedRoute):
                self._route.finished(self._client, entry, slot=status.slot)
        log.info("entry_final", shard=self._shard, seq=entry.seq, signature=newest.signature, slot=status.slot)
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
def _store(entry: OutboxEntry, signed: Signed, part: Part) -> OutboxAttempt:
    _move(entry, entry.state, OutboxEntry.State.SENDING)
    return OutboxAttempt.objects.create(
        entry=entry,
        signature=str(signed.signature),
        transaction=signed.transaction,
        last_valid_block_height=signed.last_valid_block_height,
        content=part.content,
        last=part.last,
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
