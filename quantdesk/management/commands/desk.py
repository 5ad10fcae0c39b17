from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from oracle.feeds.feed import FeedError
from oracle.feeds.replay import bars
from oracle.feeds.simulation import script
from oracle.management.commands.oracle import choice_of
from quantdesk.desk.desk import Desk, Options
from quantdesk.desk.errors import DeskError
from quantdesk.embedded.errors import ServerError


class Command(BaseCommand):
    help = "Start a whole exchange on this machine: servers, engine, web, worker, oracle, market makers. Ctrl-C stops it."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--reset", action="store_true", help="delete all data first")
        parser.add_argument("--no-chain", action="store_true", help="settle nothing on chain, and start no localnet")
        parser.add_argument(
            "--feed", default="", choices=["auto", "hermes", "solana", "coingecko", "sim"], help="where prices come from (ORACLE_FEED)"
        )
        parser.add_argument("--replay", type=Path, metavar="FILE", help="bars to play again: CSV with time, open, high, low, close; or .gz")
        parser.add_argument("--speed", type=int, default=1, metavar="N", help="play the bars N times as fast")
        parser.add_argument("--script", type=Path, metavar="FILE", help="what simulated prices do on purpose (JSON, see docs/oracle.md)")
        parser.add_argument("--seed", type=int, help="of simulated and replayed prices; the same seed makes the same moves")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 0 < options["port"] < 65536:
            raise CommandError("--port must be a number from 1 to 65535")
        try:
            chain = not options["no_chain"]
            Desk(Options(port=options["port"], reset=options["reset"], oracle=oracle_options(options), chain=chain)).run()
        except (DeskError, ServerError) as error:
            raise CommandError(str(error)) from error


def oracle_options(options: dict[str, Any]) -> tuple[str, ...]:
    """Return the oracle's options, refused here and not in its log when they cannot be."""
    choice = choice_of(options)
    try:
        if choice.replay:
            bars.asset_of(choice.replay)
            bars.read(choice.replay)
        if choice.script:
            script.read(choice.script)
    except FeedError as error:
        raise CommandError(" ".join((str(error), *(f"{name}: {value}." for name, value in error.data.items())))) from error
    given: list[str] = []
    for name in ("feed", "replay", "speed", "script", "seed"):
        value = options[name].resolve() if isinstance(options[name], Path) else options[name]
        given += [f"--{name}", str(value)] if value not in {None, ""} else []
    return tuple(given)
