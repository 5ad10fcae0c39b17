from typing import Any

import uvloop
from django.core.management.base import BaseCommand

from trading.runner.process import run


class Command(BaseCommand):
    help = "Run the engine: lead when no other engine does, else stand by and take over when the leader is gone."
    requires_system_checks = []  # they would import every view; a restart after a crash must be quick

    def handle(self, *args: Any, **options: Any) -> None:
        uvloop.run(run())
