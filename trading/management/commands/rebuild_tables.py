from typing import Any

from django.core.management.base import BaseCommand

from trading.progress import Progress
from trading.rebuild import rebuild


class Command(BaseCommand):
    help = "Empty the projected tables and make them anew from the journal. Reads of past orders answer 503 until it is done."

    def handle(self, *args: Any, **options: Any) -> None:
        seq = rebuild(Progress())
        self.stdout.write(f"The tables are current up to journal row {seq:,}.")
