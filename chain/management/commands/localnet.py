"""manage.py localnet: a Solana cluster of one, for developers."""

import asyncio
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from chain.localnet import server
from chain.localnet.chain import Chain
from chain.localnet.errors import JournalDamaged, JournalInUse, NoAddress
from chain.localnet.journal import Journal

PROGRAMS = Path(__file__).resolve().parents[2] / "programs"
log = structlog.get_logger("localnet")


class Command(BaseCommand):
    help = "Serves Solana's JSON-RPC over a real SVM: RPC on the port, websocket on the next. Blocks are kept in a file."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8899)
        parser.add_argument("--data", type=Path, default=settings.DATA_DIR / "localnet", help="the folder of the chain's journal")
        parser.add_argument("--programs", type=Path, default=PROGRAMS, help="the folder of the programs to load")
        parser.add_argument("--slot-ms", type=int, default=400, help="a block's time in milliseconds")
        parser.add_argument("--final-after", type=int, default=31, help="blocks until one is finalized")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["slot_ms"] < 1 or options["final_after"] < 1:
            raise CommandError("--slot-ms and --final-after must be at least 1.")
        try:
            sockets = server.listen(options["host"], options["port"])
            programs = options["programs"] if options["programs"].is_dir() else None
            journal = Journal(options["data"] / "blocks")
            chain = Chain(journal=journal, programs=programs, finalized_depth=options["final_after"])
        except (OSError, JournalDamaged, JournalInUse, NoAddress) as error:
            raise CommandError(str(error)) from error
        try:
            asyncio.run(server.serve(chain, sockets=sockets, slot_ms=options["slot_ms"]))
        except KeyboardInterrupt:
            log.info("localnet_stopped")
