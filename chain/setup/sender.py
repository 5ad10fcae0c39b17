"""Sending the transactions of one stage side by side, and waiting until all are confirmed."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.signature import Signature

from chain.building import Signed, build
from chain.client import ChainClient
from chain.errors import ChainError

POLL_S = 0.1
RESEND_S = 2.0
TIMEOUT_S = 60.0
Say = Callable[[str], None]


class SetupFailed(ChainError):
    code = "CHAIN_SETUP_FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One transaction. The first key pays. `created` (kinds of accounts) and `lamports` are what it costs beside fees."""

    title: str
    keys: tuple[Keypair, ...]
    instructions: list[Instruction]
    created: tuple[str, ...] = ()
    lamports: int = 0


Stage = Callable[[], list[Task]]


def send_rounds(client: ChainClient, stages: Iterable[Stage], *, say: Say) -> None:
    """Send stage after stage: each looks at what the ones before have left."""
    for stage in stages:
        tasks = stage()
        if tasks:
            say(f"{', '.join(dict.fromkeys(task.title for task in tasks))} …")
        send_all(client, tasks)


def send_all(client: ChainClient, tasks: list[Task]) -> None:
    """Send every task's transaction and wait until it is confirmed. SetupFailed names the first that failed."""
    waiting: dict[Signature, tuple[Task, Signed]] = {}
    for task in tasks:
        signed = build(client=client, payer=task.keys[0], instructions=task.instructions, signers=task.keys[1:])
        waiting[signed.signature] = (task, signed)
        client.send(signed.transaction)
    until, resend_at = time.monotonic() + TIMEOUT_S, time.monotonic() + RESEND_S
    while waiting:
        for signature in list(waiting):
            if _landed(client, waiting[signature][0], signature):
                del waiting[signature]
        if time.monotonic() > until:
            raise SetupFailed(f"{next(iter(waiting.values()))[0].title}: not confirmed after {TIMEOUT_S:.0f} s.")
        if waiting and time.monotonic() > resend_at:
            resend_at += RESEND_S
            for _, signed in waiting.values():
                client.send(signed.transaction)
        time.sleep(POLL_S if waiting else 0)


def _landed(client: ChainClient, task: Task, signature: Signature) -> bool:
    status = client.status(signature)
    if status is not None and status.error is not None:
        raise SetupFailed(f"{task.title}: {status.error}")
    return status is not None and status.commitment != "processed"
