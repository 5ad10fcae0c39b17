"""The markets as the hot lane needs them: tick, lot and limits by symbol, without waiting once they are known."""

import asyncio
from time import monotonic

import structlog

from markets.fields import echo
from markets.gateway import AsyncGateway
from markets.parameters import MarketParameters
from markets.queries import GetMarkets
from markets.selectors import MarketNotFound

log = structlog.get_logger()

MISS_SECONDS = 2.0  # how long an unknown symbol is believed to be unknown
FRESH_SECONDS = 30.0  # staff may raise a limit; tick and lot never change


class Markets:
    """Known markets by symbol and by id, asked of the engine on a miss and when they have aged."""

    def __init__(self, gateway: AsyncGateway) -> None:
        self._gateway = gateway
        self._asking: asyncio.Task[None] | None = None
        self._asked_at = -FRESH_SECONDS
        self.by_symbol: dict[str, MarketParameters] = {}
        self.by_id: dict[int, MarketParameters] = {}

    def known(self, symbol: str) -> MarketParameters | None:
        """Return a market that need not be asked for: it is known, and fresh."""
        return self.by_symbol.get(symbol) if monotonic() - self._asked_at <= FRESH_SECONDS else None

    async def named(self, symbol: str) -> MarketParameters:
        """Return a market; suspends only when it is not known."""
        market = self.by_symbol.get(symbol)
        age = monotonic() - self._asked_at
        if market is None and age > MISS_SECONDS:
            await self._ask()
            market = self.by_symbol.get(symbol)
        elif age > FRESH_SECONDS:
            self._start_asking()
        if market is None:
            raise MarketNotFound(market=echo(symbol))
        return market

    async def numbered(self, market_id: int) -> MarketParameters:
        if market_id not in self.by_id:
            await self._ask()
        return self.by_id[market_id]

    async def _ask(self) -> None:
        await asyncio.shield(self._start_asking())

    def _start_asking(self) -> "asyncio.Task[None]":
        if self._asking is None:
            self._asking = asyncio.get_running_loop().create_task(self._fetch())
            self._asking.add_done_callback(self._asked)
        return self._asking

    async def _fetch(self) -> None:
        views = await self._gateway.query(GetMarkets())
        self._asked_at = monotonic()
        self.by_symbol = {view.parameters.symbol: view.parameters for view in views}
        self.by_id = {view.parameters.market_id: view.parameters for view in views}

    def _asked(self, task: "asyncio.Task[None]") -> None:
        self._asking = None
        if not task.cancelled() and (error := task.exception()) is not None:
            log.info("markets_not_refreshed", error=str(error))
