import os
import signal
from threading import Thread
from typing import Any

from celery.beat import Scheduler, Service
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from chain.deployment import chain_is_on
from quantdesk.celery import app

DEFAULT_QUEUE = "celery"


class Command(BaseCommand):
    help = "Run background tasks of one queue, and with --beat the schedule: one small process in place of three."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--beat", action="store_true")
        parser.add_argument("--queue", default=DEFAULT_QUEUE, help="celery, or chain for what waits for blocks")
        parser.add_argument("--threads", type=int, default=1, metavar="N", help="run so many tasks beside each other")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["beat"]:
            Thread(target=run_beat, name="beat", daemon=True).start()
        app.Worker(
            pool="threads" if options["threads"] > 1 else "solo",
            concurrency=options["threads"],
            queues=[options["queue"]],
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            loglevel="WARNING",
        ).start()


def run_beat() -> None:
    """Run the schedule; its end is the worker's end, so that whoever supervises it notices."""
    if chain_is_on():
        app.conf.beat_schedule = settings.CELERY_BEAT_SCHEDULE | settings.CHAIN_BEAT_SCHEDULE
    # The schedule is by the clock and each task safe to run twice, so beat keeps no file that a crash could spoil.
    service = Service(app, scheduler_cls=Scheduler)
    try:
        service.start()
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
