"""Starts the bots of a demo: who they are, and what the exchange trades."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec
import structlog

from trading.makers.bot import Bot, Key
from trading.makers.maker import Maker
from trading.makers.taker import Taker
from trading.makers.terms import Terms

log = structlog.get_logger()

RETRY_SECONDS = 1.0


class KeyEntry(msgspec.Struct, frozen=True):
    account_id: int
    key: str
    secret: str


def read_keys(path: Path) -> list[Key]:
    """Return the keys that the seed has left: by name, which says what the bot does."""
    entries = msgspec.json.decode(path.read_bytes(), type=dict[str, KeyEntry])
    return [Key(name, entry.account_id, entry.key, entry.secret) for name, entry in entries.items()]


async def run(*, url: str, keys: list[Key]) -> None:
    """Trade with every key until cancelled."""
    terms = await read_terms(url)
    async with asyncio.TaskGroup() as tasks:
        for bot in bots(url=url, keys=keys, terms=terms):
            tasks.create_task(bot.run())


def bots(*, url: str, keys: list[Key], terms: dict[str, Terms]) -> list[Bot]:
    makers = [key for key in keys if key.name.startswith("maker")]
    takers = [key for key in keys if key.name.startswith("taker")]
    quoting = [Maker(url=url, key=key, terms=terms, offset=(place, len(makers))) for place, key in enumerate(makers)]
    return [*quoting, *(Taker(url=url, key=key, terms=terms) for key in takers)]


async def read_terms(url: str) -> dict[str, Terms]:
    """Ask the API for its markets until it has some."""
    parts = urlsplit(url)
    address = f"{'https' if parts.scheme == 'wss' else 'http'}://{parts.netloc}/api/v1/markets/"
    async with httpx.AsyncClient() as http:
        while True:
            try:
                answer = (await http.get(address)).raise_for_status()
                if found := [Terms.read(market) for market in answer.json()["results"]]:
                    return {terms.symbol: terms for terms in found}
            except httpx.HTTPError as error:
                log.info("bots_wait_for_exchange", reason=str(error))
            await asyncio.sleep(RETRY_SECONDS)
