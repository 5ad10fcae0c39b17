import sys
from typing import Any

import uvloop
from django.core.management.base import BaseCommand

from trading.projector.service import serve


class Command(BaseCommand):
    help = "Keep orders, fills, positions, balances and candles current from the journal."

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(uvloop.run(serve()))
