"""A settler in a process of its own, that tests kill: it names each step, and goes on when it is told to.

arguments: the RPC's URL, the payer's key, the accounts (JSON)
"""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "quantdesk.settings")
django.setup()

from solders.keypair import Keypair  # noqa: E402

from chain.client import ChainClient  # noqa: E402
from chain.outbox.running import settle  # noqa: E402
from chain.outbox.settler import Step  # noqa: E402
from tests.chain.transfers import SHARD, Accounts, TransferRoute  # noqa: E402


def name_and_wait(step: Step) -> None:
    print(step, flush=True)
    sys.stdin.readline()


def main() -> None:
    url, key, accounts = sys.argv[1:]
    route = TransferRoute(Keypair.from_base58_string(key), Accounts(**json.loads(accounts)))
    with ChainClient(url) as client:
        print(settle(shard=SHARD, client=client, route=route, for_s=60, poll_s=0.005, observe=name_and_wait), flush=True)


if __name__ == "__main__":
    main()
