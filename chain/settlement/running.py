"""One pass of settlement, and making passes for as long as a task has. Safe beside itself: rows and locks say what was done."""

import time
from typing import Any, Final

import structlog

from chain.client import ChainClient
from chain.deployment import Deployment
from chain.errors import ChainError
from chain.outbox.faults import halting
from chain.outbox.queue import halt
from chain.outbox.running import settle
from chain.settlement import challenges, epochs, lease
from chain.settlement.batches import SHARD, make_batch
from chain.settlement.errors import SettlementHalted
from chain.settlement.reading import phase_of
from chain.settlement.route import BatchRoute

CHALLENGES: Final = "challenges"  # no entries: a place where staff see that answering met a fault
INTERVAL_MS = 10_000
SLOT_MS = 400
HEARTBEATS = 3  # batches in the time after which the exchange would fall back
PERIOD_S = 2.0
SETTLE_S = 30.0
log = structlog.get_logger("settlement")


def settlement_pass(*, deployment: Deployment, client: ChainClient, interval_ms: int = INTERVAL_MS) -> None:
    """Make a batch if it is time, bring it on chain, and turn the epoch; answer whoever demands to see leaves."""
    lease.renew(deployment=deployment, client=client)
    exchange = deployment.dex.read_exchange(client, commitment="confirmed")
    if (phase := phase_of(exchange)) != "Live":
        log.error("exchange_not_live", phase=phase)
    with halting(SHARD):
        _make(deployment, exchange, interval_ms)
        settle(shard=SHARD, client=client, route=BatchRoute(deployment), for_s=SETTLE_S)
    with halting(CHALLENGES):
        _answer(deployment, client, exchange)
    with halting(SHARD):
        epochs.turn(deployment, client)


def _make(deployment: Deployment, exchange: Any, interval_ms: int) -> None:
    try:
        # What brings an exchange back from fallback may say nothing, and waits for nothing to say.
        heartbeat_ms = 0 if phase_of(exchange) == "Fallback" else exchange.parameters.silent_slots * SLOT_MS // HEARTBEATS
        make_batch(deployment=deployment, now_ms=int(time.time() * 1_000), interval_ms=interval_ms, heartbeat_ms=heartbeat_ms)
    except SettlementHalted as halted:
        log.error("settlement_halted", reason=halted.message)
        halt(shard=SHARD, reason=halted.message)


def _answer(deployment: Deployment, client: ChainClient, exchange: Any) -> None:
    """Answer challenges, also after a fault: what nobody answers in time freezes the exchange."""
    demanded = challenges.show_bankruptcies(deployment, client, now_s=time.time())
    if demanded or exchange.open_challenges or exchange.closing_challenges:
        challenges.answer_all(deployment, client)


def keep_settled(*, deployment: Deployment, client: ChainClient, for_s: float, period_s: float = PERIOD_S) -> None:
    """Make passes until the time is up. What fails now is tried again by the next."""
    until = time.monotonic() + for_s
    while True:
        begun = time.monotonic()
        try:
            settlement_pass(deployment=deployment, client=client)
        except ChainError as error:
            log.warning("settlement_waits", code=error.code, error=error.message)
        if begun + period_s >= until:
            return
        time.sleep(max(0.0, begun + period_s - time.monotonic()))
