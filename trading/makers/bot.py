"""What maker and taker share: a connection that comes back, prices, and their own account."""

import asyncio
import random
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import structlog

from trading.makers.account import OwnAccount
from trading.makers.client import SocketClient, SocketClosed
from trading.makers.terms import Terms, e8

Json = dict[str, Any]
log = structlog.get_logger()

RECONNECT_SECONDS = (0.5, 8.0)
MAX_ITEMS = 20


class Key(NamedTuple):
    """Which account a bot trades for, and how it proves that."""

    name: str
    account_id: int
    key_id: str
    secret: str


class Price(NamedTuple):
    """A market's index in 1e-8, and whether orders are worth sending."""

    index_e8: int
    open: bool


class Refused(Exception):
    """The exchange refused what the bot cannot go on without."""


class Bot(ABC):
    def __init__(self, *, url: str, key: Key, terms: dict[str, Terms]) -> None:
        self._url = url
        self._key = key
        self.terms = terms
        self.prices: dict[str, Price] = {}
        self.account = OwnAccount(terms)
        self.chance = random.Random()  # noqa: S311 a demo's irregularity

    @abstractmethod
    async def trade(self, client: SocketClient) -> None:
        """Trade for ever; SocketClosed ends it."""

    async def run(self) -> None:
        """Stay connected, whatever happens to engine and web, and trade."""
        delay = RECONNECT_SECONDS[0]
        while True:
            try:
                async with SocketClient.open(self._url, on_message=self._hear) as client:
                    await self._enter(client)
                    log.info("bot_trades", bot=self._key.name)
                    delay = RECONNECT_SECONDS[0]
                    await self.trade(client)
            except (OSError, SocketClosed, Refused, TimeoutError) as error:
                log.info("bot_disconnected", bot=self._key.name, reason=str(error) or type(error).__name__)
            self.account.known = False
            await asyncio.sleep(delay * self.chance.uniform(0.7, 1.3))
            delay = min(RECONNECT_SECONDS[1], delay * 2)

    async def _enter(self, client: SocketClient) -> None:
        _insist(await client.login(key_id=self._key.key_id, secret=self._key.secret))
        _insist(await client.ask("subscribe", channel="account"))
        for symbol in self.terms:
            _insist(await client.ask("subscribe", channel="ticker", market=symbol))

    def _hear(self, message: Json) -> None:
        if message["channel"] == "account":
            self.account.hear(message)
        elif message["channel"] == "ticker":
            ticker = message["ticker"]
            trades = ticker["status"] == "normal" and ticker["oracle_state"] in {"valid", "single"}
            self.prices[ticker["market"]] = Price(e8(ticker["index_price"]), trades)


def _insist(answer: Json) -> None:
    if not answer["ok"]:
        raise Refused(answer["error"]["code"])
