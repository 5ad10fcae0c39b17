"""Custody for a process of its own, that tests kill: it names what it is about to do and has done, and goes on when it is told to."""

from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from django.conf import settings

from chain.client import ChainClient
from chain.custody.running import custody_pass
from chain.deployment import deployment
from markets.gateway.blocking import Gateway


class Watch:
    """Has methods tell before and after they are called; of a command, its name."""

    def __init__(self, steps: Connection) -> None:
        self._steps = steps

    def name_and_wait(self, step: str) -> None:
        self._steps.send(step)
        self._steps.recv()

    def watch(self, owner: Any, name: str, label: str) -> None:
        original = getattr(owner, name)

        def watched(owner: Any, subject: Any, *args: Any, **named: Any) -> Any:
            what = type(subject).__name__ if label == "engine" else label
            self.name_and_wait(f"before {what}")
            answer = original(owner, subject, *args, **named)
            self.name_and_wait(f"after {what}")
            return answer

        setattr(owner, name, watched)


def keep_custody(steps: Connection, url: str, folder: Path) -> None:
    settings.SOLANA_RPC_URL, settings.LOCALNET, settings.CHAIN_DIR = url, True, folder
    watch = Watch(steps)
    watch.watch(Gateway, "submit", "engine")
    watch.watch(ChainClient, "send", "send")
    chain = deployment()
    with chain.client() as client:
        while True:
            custody_pass(client=client, chain=chain)
            watch.name_and_wait("pass")
