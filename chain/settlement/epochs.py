"""The epochs' crank: what has waited for its challenges long enough becomes final."""

import time
from typing import Any

from chain.client import ChainClient
from chain.deployment import Deployment
from chain.settlement.reading import phase_of
from chain.settlement.sending import send


def is_due(exchange: Any, *, now_s: float) -> bool:
    waits = exchange.closing_deadline or exchange.open_deadline
    free = not exchange.batch_open and exchange.closing_challenges == 0 and phase_of(exchange) in {"Live", "Fallback"}
    return bool(waits) and free and now_s > exchange.closing_deadline


def turn(deployment: Deployment, client: ChainClient) -> bool:
    """Turn the epoch if it is time; anyone may, and who comes second fails harmlessly."""
    exchange = deployment.dex.read_exchange(client, commitment="confirmed")
    if not is_due(exchange, now_s=time.time()):
        return False
    instruction = deployment.dex.program.instruction("turn_epoch", {}, {"exchange": deployment.dex.exchange})
    return send(client, deployment.keys.settler, [instruction]) is not None
