"""Sending what may be sent twice: cranks that fail harmlessly when somebody else was first."""

import time
from collections.abc import Sequence

import structlog
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.signature import Signature

from chain.building import build
from chain.client import ChainClient
from chain.errors import SimulationFailed

POLL_S = 0.2
log = structlog.get_logger("settlement")


def send(client: ChainClient, payer: Keypair, instructions: Sequence[Instruction]) -> Signature | None:
    """Send once; None when it would fail now."""
    try:
        signed = build(client=client, payer=payer, instructions=list(instructions))
    except SimulationFailed as failure:
        log.info("crank_not_turned", error=failure.error)
        return None
    client.send(signed.transaction)
    return signed.signature


def send_and_see(client: ChainClient, payer: Keypair, instructions: Sequence[Instruction], *, for_s: float) -> bool:
    """Send, and tell whether it is confirmed in that time. SimulationFailed when it would fail."""
    signed = build(client=client, payer=payer, instructions=list(instructions))
    client.send(signed.transaction)
    until = time.monotonic() + for_s
    while time.monotonic() < until:
        status = client.status(signed.signature)
        if status is not None and status.commitment != "processed":
            return status.error is None
        time.sleep(POLL_S)
    return False
