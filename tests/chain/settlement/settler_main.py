"""A settler of batches in a process of its own, that tests kill: it names each step, and goes on when it is told to.

argument: the RPC's URL; the environment names database and deployment
"""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "quantdesk.settings")
django.setup()

from chain.client import ChainClient  # noqa: E402
from chain.deployment import deployment  # noqa: E402
from chain.outbox.running import settle  # noqa: E402
from chain.outbox.settler import Step  # noqa: E402
from chain.settlement.batches import SHARD  # noqa: E402
from chain.settlement.route import BatchRoute  # noqa: E402


def name_and_wait(step: Step) -> None:
    print(step, flush=True)
    sys.stdin.readline()


def main() -> None:
    with ChainClient(sys.argv[1]) as client:
        route = BatchRoute(deployment())
        print(settle(shard=SHARD, client=client, route=route, for_s=60, poll_s=0.005, observe=name_and_wait), flush=True)


if __name__ == "__main__":
    main()
