"""Until when the engine may match: as long as nobody can match on chain.

Somebody may let the exchange fall back once the settler was silent for too long, or an exit is overdue. The engine's lease ends before
that, so that no order is filled in both places; while the exchange is not live there is none. Nobody who settles: no lease.
"""

import time
from typing import Any, Final

import structlog

from chain.client import ChainClient
from chain.custody.models import ChainAccount
from chain.deployment import Deployment
from chain.settlement.reading import phase_of
from markets.commands import SetTradingLease
from markets.errors import GatewayError
from markets.gateway import gateway
from markets.stamps import ms

FAST_SLOT_MS: Final = 320  # slots may be faster than their 400 ms
MARGIN_MS: Final = 90_000  # longer than a nonce may be ahead of its time: what can be matched on chain was never filled here
STEP_MS: Final = 10_000  # a lease is renewed in steps, not with every look
OVER_MS: Final = 1  # a lease that has run out
log = structlog.get_logger("settlement")


def renew(*, deployment: Deployment, client: ChainClient) -> None:
    """Tell the engine until when it may match. What cannot be told leaves the lease to run out."""
    until_ms, reason = lease_of(deployment, client, now_ms=int(time.time() * 1_000))
    try:
        reply = gateway().submit(SetTradingLease(until_ms=until_ms, reason=reason))
    except GatewayError as error:
        log.warning("lease_not_renewed", code=error.code)
        return
    if reply.reject is None and reason:
        log.error("trading_paused", reason=reason)


def lease_of(deployment: Deployment, client: ChainClient, *, now_ms: int) -> tuple[int, str]:
    """Return the lease's end, and why it has ended where it has."""
    exchange = deployment.dex.read_exchange(client, commitment="finalized")
    newest = deployment.dex.read_exchange(client, commitment="confirmed")
    for phase in (phase_of(exchange), phase_of(newest)):
        if phase != "Live":
            return OVER_MS, f"The exchange on chain is not live ({phase.lower()}): others may trade there."
    until_ms = min(_silent_at(exchange, client, now_ms), _overdue_at(exchange))
    if until_ms <= now_ms:
        return OVER_MS, "No batch was settled for too long, or an exit is nearly overdue: the exchange may fall back."
    return until_ms - until_ms % STEP_MS, ""


def _silent_at(exchange: Any, client: ChainClient, now_ms: int) -> int:
    """Return the moment before which nobody can call the settler silent, less the margin."""
    slots = int(exchange.parameters.silent_slots)
    passed = client.point("confirmed").slot - int(exchange.last_batch_slot)
    return now_ms + (slots - passed) * FAST_SLOT_MS - _margin(slots * FAST_SLOT_MS)


def _overdue_at(exchange: Any) -> int:
    """Return when the first open exit is overdue, less the margin; far away without one."""
    first = ChainAccount.objects.exclude(exit_requested_at=None).order_by("exit_requested_at").first()
    if first is None or first.exit_requested_at is None:
        return 2**62
    given_ms = int(exchange.parameters.exit_s) * 1_000
    return ms(first.exit_requested_at) + given_ms - _margin(given_ms)


def _margin(given_ms: int) -> int:
    return min(MARGIN_MS, given_ms // 4)
