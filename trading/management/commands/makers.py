"""manage.py makers: the demo's market makers and takers, clients like any other."""

import asyncio
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import structlog
import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from trading.makers import desk

log = structlog.get_logger()


class Command(BaseCommand):
    help = "Quotes and trades in every market, through the exchange's own socket, with the keys that the seed made."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", default="ws://127.0.0.1:8000/ws/v1/", help="the exchange's socket")
        parser.add_argument("--keys", type=Path, default=settings.DATA_DIR / "makers.json", help="the file of the seed's keys")

    def handle(self, *args: Any, url: str, keys: Path, **options: Any) -> None:
        if not keys.exists():
            raise CommandError(f"There is no {keys}: run manage.py seed first.")
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(desk.run(url=url, keys=desk.read_keys(keys)))
        except KeyboardInterrupt:
            log.info("makers_stopped")
