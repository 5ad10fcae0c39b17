from argparse import ArgumentParser
from datetime import UTC, date, datetime, time
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from markets import rollups
from trading.models import Projection


class Command(BaseCommand):
    help = "Make the candles of some weeks anew from the tape. The projector waits meanwhile; nobody else notices."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("since", type=date.fromisoformat, help="a day of the first week, as 2026-11-22")
        parser.add_argument("until", type=date.fromisoformat, help="a day of the last week")

    def handle(self, *args: Any, since: date, until: date, **options: Any) -> None:
        with transaction.atomic():
            # Trades and candles are written under this row's lock.
            Projection.objects.select_for_update().get_or_create(id=1)
            made = rollups.rebuild(since=_midnight(since), until=_midnight(until))
        self.stdout.write(f"{made:,} candles made of the tape.")


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
