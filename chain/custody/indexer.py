"""Reads the exchange's events from the chain: finalized only, in order, each once.

The program numbers its events, so nothing can be missed in silence. A kill at any point leaves the cursor at a transaction whose events
are all stored; what is read again is known by its number.
"""

from datetime import timedelta

import structlog
from django.db import transaction
from django.utils import timezone
from solders.hash import Hash

from chain.client import ChainClient, Landed
from chain.custody.events import Told, told
from chain.custody.models import ChainCursor, ChainEvent
from chain.custody.rebuilding import rebuilt
from chain.deployment import Deployment
from chain.errors import ChainError
from markets.stamps import at

CHUNK = 100
NOTE_EVERY = timedelta(seconds=30)  # at rest the row is not written with each look
TRUNCATED = "Log truncated"
log = structlog.get_logger("custody")


class EventMissing(ChainError):
    """A number is missing, and no transaction says what it was. Reading stops; staff must look."""

    code = "CHAIN_EVENT_MISSING"


def last_number() -> int:
    return ChainEvent.objects.order_by("-number").values_list("number", flat=True).first() or 0


def index(*, client: ChainClient, chain: Deployment) -> int:
    """Store the events that became final since the last time; return how many."""
    cursor = _cursor(chain)
    account, slot = client.account_and_slot(chain.dex.exchange, commitment="finalized", min_slot=cursor.slot)
    expected, known = chain.dex.program.account("Exchange", account).chain_events, last_number()
    if expected < known:
        raise _halted(cursor, f"the chain has {expected} events, but {known} are stored")
    if expected > known:
        _read(client, chain, cursor, slot)
        if last_number() < expected:
            raise _halted(cursor, f"the chain has {expected} events, but its transactions tell only {last_number()}")
    now = timezone.now()
    if expected > known or cursor.halt_reason or cursor.read_at is None or now - cursor.read_at >= NOTE_EVERY:
        ChainCursor.objects.filter(pk=cursor.pk).update(read_at=now, slot=slot, halt_reason="")
    return last_number() - known


def _read(client: ChainClient, chain: Deployment, cursor: ChainCursor, slot: int) -> None:
    landed = _landed(client, chain, cursor.signature or None, slot)
    for start in range(0, len(landed), CHUNK):
        chunk = landed[start : start + CHUNK]
        events: list[Told] = []
        for one in chunk:
            events += _events(client, chain, one, last_number() + len(events))
        _store(events, cursor, chunk[-1])


def _landed(client: ChainClient, chain: Deployment, until: str | None, slot: int) -> list[Landed]:
    """Return every transaction that named the exchange since `until`, oldest first."""
    found: list[Landed] = []
    while page := client.history(chain.dex.exchange, before=found[-1].signature if found else None, until=until, min_slot=slot):
        found += page
    return found[::-1]


def _events(client: ChainClient, chain: Deployment, landed: Landed, known: int) -> list[Told]:
    """Return the transaction's events that follow the `known` first ones."""
    if landed.failed:
        return []
    answer = client.transaction(landed.signature)
    if answer is None:
        raise EventMissing(f"The node has no transaction {landed.signature}, though it lists it.")
    events = told(chain.dex.program, signature=landed.signature, transaction=answer)
    if any(line.startswith(TRUNCATED) for line in answer["meta"]["logMessages"] or [TRUNCATED]):
        events = rebuilt(client=client, chain=chain, signature=landed.signature, transaction=answer, known=known)
    new = [event for event in events if event.number > known]
    if [event.number for event in new] != list(range(known + 1, known + 1 + len(new))):
        raise EventMissing(f"After event {known} comes {new[0].number}, in {landed.signature}.")
    return new


@transaction.atomic
def _store(events: list[Told], cursor: ChainCursor, last: Landed) -> None:
    ChainEvent.objects.bulk_create(
        ChainEvent(
            number=event.number,
            kind=event.kind,
            account_address=event.account_address,
            signature=event.signature,
            slot=event.slot,
            happened_at=at(event.time_s * 1_000) if event.time_s is not None else None,
            data=event.data,
        )
        for event in events
    )
    cursor.signature = last.signature
    cursor.save(update_fields=["signature"])


def _cursor(chain: Deployment) -> ChainCursor:
    genesis = str(Hash(chain.genesis_hash))
    cursor, _ = ChainCursor.objects.get_or_create(id=1, defaults={"genesis_hash": genesis})
    if cursor.genesis_hash != genesis:
        raise _halted(cursor, f"these tables follow the chain {cursor.genesis_hash}, not {genesis}")
    return cursor


def _halted(cursor: ChainCursor, reason: str) -> EventMissing:
    ChainCursor.objects.filter(pk=cursor.pk).update(halt_reason=reason)
    log.error("chain_events_missing", reason=reason)
    return EventMissing(f"The chain's events cannot be followed: {reason}.")
