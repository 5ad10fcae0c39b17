"""Custody in a process of its own, that tests kill: it names what it is about to do and has done, and goes on when it is told to."""

import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "quantdesk.settings")
django.setup()

from django.conf import settings  # noqa: E402

from chain.client import ChainClient  # noqa: E402
from chain.custody import vouchers  # noqa: E402
from chain.custody.running import custody_pass  # noqa: E402
from chain.deployment import deployment  # noqa: E402
from markets.gateway.blocking import Gateway  # noqa: E402

LIFE = timedelta(seconds=2)


def name_and_wait(step: str) -> None:
    print(step, flush=True)
    sys.stdin.readline()


def watch(owner: Any, name: str, label: str) -> None:
    """Have a method tell before and after it is called; of a command, its name."""
    original = getattr(owner, name)

    def watched(self: Any, subject: Any, *args: Any, **named: Any) -> Any:
        what = type(subject).__name__ if label == "engine" else label
        name_and_wait(f"before {what}")
        answer = original(self, subject, *args, **named)
        name_and_wait(f"after {what}")
        return answer

    setattr(owner, name, watched)


def main() -> None:
    url, folder = sys.argv[1:]
    settings.SOLANA_RPC_URL, settings.LOCALNET, settings.CHAIN_DIR = url, True, Path(folder)
    vouchers.LIFE = LIFE  # type: ignore[misc]
    watch(Gateway, "submit", "engine")
    watch(ChainClient, "send", "send")
    chain = deployment()
    with chain.client() as client:
        while True:
            custody_pass(client=client, chain=chain)
            name_and_wait("pass")


if __name__ == "__main__":
    main()
