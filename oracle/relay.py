"""From a feed to the engine: what changed, about once a second, and a heartbeat for what did not."""

import asyncio
from time import monotonic

import structlog

from markets.commands import Observation, ObservePrice
from markets.errors import GatewayError
from markets.gateway import AsyncGateway
from markets.queries import GetMarkets
from markets.units import PPM
from markets.views import MarketView
from oracle.feeds.feed import Feed, Price

log = structlog.get_logger()

SEND_SECONDS = 1.0
HEARTBEAT_SECONDS = 10.0  # a sixth of the age at which the engine calls a price stale
MARKETS_SECONDS = 30.0
RETRY_SECONDS = 0.5
MIN_MOVE_PPM = 20  # a smaller move waits for the heartbeat


class Relay:
    """Collects the feed's latest prices, and sends those worth a journal row."""

    def __init__(self, *, gateway: AsyncGateway, feed: Feed) -> None:
        self._gateway = gateway
        self._feed = feed
        self._latest: dict[str, Price] = {}
        self._sent: dict[str, tuple[Price, float]] = {}
        self._market_ids: dict[str, list[int]] = {}
        self._markets_read_at = -MARKETS_SECONDS

    async def run(self) -> None:
        """Relay until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._collect())
            tasks.create_task(self._send_for_ever())

    async def _collect(self) -> None:
        async for prices in self._feed.stream():
            self._latest.update({price.asset: price for price in prices})

    async def _send_for_ever(self) -> None:
        while True:
            started = monotonic()
            try:
                await self._read_markets()
                await self.send_due()
            except GatewayError as error:
                log.warning("prices_not_sent", code=error.code)
                await asyncio.sleep(RETRY_SECONDS)
            await asyncio.sleep(max(0.0, SEND_SECONDS - (monotonic() - started)))

    async def send_due(self) -> None:
        """Send every price that moved, or that was last sent a heartbeat ago and has been published anew."""
        now = monotonic()
        due = [price for price in self._latest.values() if self._is_due(price, now)]
        command = ObservePrice(observations=observations(due, self._market_ids))
        if not command.observations:
            return
        await self._gateway.submit(command)
        self._sent.update({price.asset: (price, now) for price in due})

    def _is_due(self, price: Price, now: float) -> bool:
        if price.asset not in self._market_ids:
            return False
        if price.asset not in self._sent:
            return True
        sent, sent_at = self._sent[price.asset]
        if price.published_ms <= sent.published_ms:
            return False
        moved = abs(price.price_e8 - sent.price_e8) * PPM >= sent.price_e8 * MIN_MOVE_PPM
        return moved or now - sent_at >= HEARTBEAT_SECONDS

    async def _read_markets(self) -> None:
        if self._market_ids and monotonic() - self._markets_read_at < MARKETS_SECONDS:
            return
        self._market_ids = market_ids(await self._gateway.query(GetMarkets()))
        self._markets_read_at = monotonic()


def market_ids(views: list[MarketView]) -> dict[str, list[int]]:
    """Return the markets of each asset."""
    found: dict[str, list[int]] = {}
    for view in views:
        found.setdefault(view.parameters.base_asset, []).append(view.parameters.market_id)
    return found


def observations(prices: list[Price], ids: dict[str, list[int]]) -> tuple[Observation, ...]:
    """Return what each market observes."""
    return tuple(
        Observation(
            market_id=market_id,
            source=price.source,
            price_e8=price.price_e8,
            confidence_e8=price.confidence_e8,
            published_ms=price.published_ms,
        )
        for price in prices
        for market_id in ids.get(price.asset, [])
    )
