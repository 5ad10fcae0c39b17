"""Settlers for processes of their own, that tests kill: each names its steps, and goes on when it is told to."""

from collections.abc import Callable
from multiprocessing.connection import Connection

from solders.keypair import Keypair

from chain.client import ChainClient
from chain.deployment import deployment
from chain.outbox.route import PartedRoute, Route
from chain.outbox.running import settle
from chain.outbox.settler import Step
from chain.settlement import batches
from chain.settlement.route import BatchRoute
from tests.chain.transfers import SHARD, Accounts, TransferRoute


def settle_transfers(steps: Connection, url: str, key: str, accounts: Accounts) -> None:
    _settle(steps, url, SHARD, TransferRoute(Keypair.from_base58_string(key), accounts))


def settle_batches(steps: Connection, url: str) -> None:
    _settle(steps, url, batches.SHARD, BatchRoute(deployment()))


def _settle(steps: Connection, url: str, shard: str, route: Route | PartedRoute) -> None:
    with ChainClient(url) as client:
        steps.send(settle(shard=shard, client=client, route=route, for_s=60, poll_s=0.005, observe=_name_and_wait(steps)))


def _name_and_wait(steps: Connection) -> Callable[[Step], None]:
    def observe(step: Step) -> None:
        steps.send(step)
        steps.recv()

    return observe
