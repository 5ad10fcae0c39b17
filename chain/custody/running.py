"""One pass of custody: wallets' accounts, the chain's events and what follows from them, withdrawals. One process at a time.

A fault halts the step that met it, as a shard that staff see and release; the other steps go on.
"""

import time
from collections.abc import Callable
from typing import Final

import structlog

from chain.client import ChainClient
from chain.custody.applying import apply_new
from chain.custody.exits import exits_advance
from chain.custody.indexer import EventMissing, index
from chain.custody.vouchers import vouchers_advance
from chain.custody.wallets import users_create
from chain.custody.withdrawals import debits_finish, settlements_finish
from chain.deployment import Deployment
from chain.errors import ChainError
from chain.outbox.faults import halting
from chain.outbox.queue import halt, is_halted
from chain.outbox.running import only_settler
from markets.errors import DomainError, GatewayError

LOCK = "custody"
PERIOD_S = 2.0
log = structlog.get_logger("custody")


def custody_pass(*, client: ChainClient, chain: Deployment) -> bool:
    """Do all that can be done now; False when another process is at it. A step that fails leaves the others to go on."""
    with only_settler(LOCK) as alone:
        if alone:
            for name, step in STEPS.items():
                if not is_halted(name):
                    _try(name, step, client, chain)
    return alone


def keep_custody(*, client: ChainClient, chain: Deployment, for_s: float, period_s: float = PERIOD_S) -> None:
    """Make a pass every so often."""
    until = time.monotonic() + for_s
    while True:
        begun = time.monotonic()
        custody_pass(client=client, chain=chain)
        if begun + period_s >= until:
            return
        time.sleep(max(0.0, begun + period_s - time.monotonic()))


def _follow(client: ChainClient, chain: Deployment) -> None:
    try:
        index(client=client, chain=chain)
    except EventMissing as error:
        log.error("chain_not_followed", error=error.message)  # what is stored is still good
    apply_new(client=client, chain=chain)


def _create(client: ChainClient, chain: Deployment) -> None:
    users_create(client=client, chain=chain)


def _pay(client: ChainClient, chain: Deployment) -> None:
    debits_finish()
    settlements_finish()
    vouchers_advance(client=client, chain=chain)


def _exit(client: ChainClient, chain: Deployment) -> None:
    exits_advance(client=client, chain=chain)


def _try(name: str, step: Callable[[ChainClient, Deployment], None], client: ChainClient, chain: Deployment) -> None:
    try:
        with halting(name):
            step(client, chain)
    except (ChainError, GatewayError) as error:
        log.warning("custody_waits", step=name, code=error.code, error=error.message)
    except DomainError as error:
        log.error("custody_refused", step=name, code=error.code, error=error.message)
        halt(shard=name, reason=f"{error.code}: {error.message}")


STEPS: Final = {"custody events": _follow, "custody accounts": _create, "custody withdrawals": _pay, "custody exits": _exit}
