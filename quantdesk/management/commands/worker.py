import os
import signal
from threading import Thread
from typing import Any

from celery.beat import Scheduler, Service
from django.core.management.base import BaseCommand, CommandParser

from quantdesk.celery import app


class Command(BaseCommand):
    help = "Run background tasks one at a time, and with --beat the schedule: one small process in place of three."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--beat", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["beat"]:
            Thread(target=run_beat, name="beat", daemon=True).start()
        app.Worker(pool="solo", concurrency=1, without_gossip=True, without_mingle=True, without_heartbeat=True, loglevel="WARNING").start()


def run_beat() -> None:
    """Run the schedule; its end is the worker's end, so that whoever supervises it notices."""
    # The schedule is by the clock and each task safe to run twice, so beat keeps no file that a crash could spoil.
    service = Service(app, scheduler_cls=Scheduler)
    try:
        service.start()
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
