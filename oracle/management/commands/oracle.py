"""manage.py oracle: streams prices to the engine."""

import asyncio
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Literal

import structlog
import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from markets.errors import GatewayError
from markets.gateway import AsyncGateway, async_gateway
from markets.queries import GetIndices
from oracle.feeds import choice
from oracle.feeds.replay.bars import BarsError
from oracle.feeds.simulation.script import ScriptError
from oracle.relay import Relay
from oracle.status import keep_telling

log = structlog.get_logger()

WAIT_SECONDS = 0.5
MAX_SPEED = 1_000_000


class Command(BaseCommand):
    help = "Streams prices of all assets to the engine: from Pyth and CoinGecko, simulated ones, or a file's."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--feed", choices=choice.WANTED, default="")
        parser.add_argument("--seed", type=int, help="of the simulation and the replay; the same seed makes the same moves")
        parser.add_argument("--script", type=Path, metavar="FILE", help="what the simulation does on purpose (JSON, see docs/oracle.md)")
        parser.add_argument("--replay", type=Path, metavar="FILE", help="bars to play again: CSV with time, open, high, low, close; or .gz")
        parser.add_argument("--speed", type=int, default=1, metavar="N", help="play the bars N times as fast")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = choice_of(options)
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_run(wanted))
        except (BarsError, ScriptError) as error:
            raise CommandError(" ".join((str(error), *(f"{name}: {value}." for name, value in error.data.items())))) from error
        except KeyboardInterrupt:
            log.info("oracle_stopped")


def choice_of(options: dict[str, Any]) -> choice.Choice:
    """Return what the options ask for; CommandError when they contradict each other, or production refuses."""
    replay: Path | None = options["replay"]
    feed: choice.Wanted | Literal[""] = options["feed"]
    if replay is not None and feed not in {"", "replay"}:
        raise CommandError("--replay plays a file: leave --feed out.")
    wanted: choice.Wanted = "replay" if replay is not None else feed or settings.ORACLE_FEED
    if wanted == "replay" and replay is None:
        raise CommandError("--feed replay needs --replay FILE.")
    if wanted in choice.MADE_UP and settings.PRODUCTION:
        raise CommandError("Production refuses simulated and replayed prices: use --feed auto, hermes, solana or coingecko.")
    if wanted == "solana" and not settings.PYTH_SOLANA_RPC_URL:
        raise CommandError("--feed solana needs PYTH_SOLANA_RPC_URL.")
    if not 1 <= options["speed"] <= MAX_SPEED:
        raise CommandError(f"--speed must be a number from 1 to {MAX_SPEED}.")
    return choice.Choice(wanted=wanted, seed=options["seed"], script=options["script"], replay=replay, speed=options["speed"])


async def _run(wanted: choice.Choice) -> None:
    gateway = async_gateway()
    feed = await choice.chosen(wanted, start_e8=await _index_prices(gateway))
    log.info("oracle_started", feed=feed.name)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(keep_telling(feed))
        tasks.create_task(Relay(gateway=gateway, feed=feed).run())


async def _index_prices(gateway: AsyncGateway) -> dict[str, int]:
    """Return each asset's index price as the engine has it, waiting for the engine if need be."""
    while True:
        try:
            return {view.asset: view.price_e8 for view in await gateway.query(GetIndices())}
        except GatewayError as error:
            log.info("oracle_waits_for_engine", code=error.code)
            await asyncio.sleep(WAIT_SECONDS)
