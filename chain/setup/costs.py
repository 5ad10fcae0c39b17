"""What setting up costs, told before anything is sent: rents of the accounts that are made, and fees."""

from collections import Counter
from collections.abc import Iterable

from chain.client import ChainClient
from chain.setup.sender import Task

FEE_LAMPORTS = 5_000  # for each signature; what others pay for a place comes on top of it
SIZES_BYTES = {
    "Oracle": 73,
    "Feed": 403,
    "Exchange": 760,
    "Asset": 172,
    "Market": 451,
    "User": 566,
    "PositionLimits": 61,
    "Fund": 249,
    "Stake": 97,
    "Terms": 93,
    "Governance": 187,
    "Treasury": 306,
    "token account": 165,
}


def cost_lamports(client: ChainClient, tasks: Iterable[Task]) -> int:
    tasks = list(tasks)
    created = Counter(kind for task in tasks for kind in task.created)
    rents = sum(client.rent(SIZES_BYTES[kind]) * count for kind, count in created.items())
    return rents + sum(task.lamports + FEE_LAMPORTS * len(task.keys) for task in tasks)
