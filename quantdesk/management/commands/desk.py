from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from quantdesk.desk.desk import Desk, Options
from quantdesk.desk.errors import DeskError
from quantdesk.embedded.errors import ServerError


class Command(BaseCommand):
    help = "Start a whole exchange on this machine: servers, engine, web, worker, oracle, market makers. Ctrl-C stops it."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--reset", action="store_true", help="delete all data first")
        parser.add_argument(
            "--feed", default="", choices=["auto", "hermes", "coingecko", "sim"], help="where prices come from (ORACLE_FEED)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 < options["port"] < 65536:
            raise CommandError("--port must be a number from 1 to 65535")
        try:
            Desk(Options(port=options["port"], reset=options["reset"], feed=options["feed"])).run()
        except (DeskError, ServerError) as error:
            raise CommandError(str(error)) from error
