from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from trading.journal import JournalCorrupt
from trading.progress import Progress
from trading.runner.follower import ReplayDiverged, WrongRules
from trading.verification import Verification, VerificationFailed


class Command(BaseCommand):
    help = "Replay the journal from its beginning: chain, events, state, tables and ledger must all be what it says."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-tables", action="store_true", help="do not rebuild the tables for the comparison")

    def handle(self, *args: Any, **options: Any) -> None:
        verification = Verification(Progress())
        try:
            self.stdout.write(verification.replay())
            if not options["no_tables"]:
                seq = verification.tables()
                self.stdout.write(f"The tables are row for row what a rebuild gives, up to journal row {seq:,}.")
            verification.ledger()
        except (VerificationFailed, JournalCorrupt, ReplayDiverged, WrongRules) as error:
            raise CommandError(str(error)) from error
        self.stdout.write("The ledger adds up to every balance, and to zero.")
