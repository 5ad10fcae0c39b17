"""From a feed to the engine: what changed, about once a second, and a heartbeat for what did not. Each source by itself."""

import asyncio
from time import monotonic

import structlog

from markets.commands import Observation, ObservePrice
from markets.errors import GatewayError
from markets.gateway import AsyncGateway
from markets.queries import GetIndices
from markets.units import PPM
from markets.views import IndexView
from oracle.feeds.feed import Feed, Price

log = structlog.get_logger()

SEND_SECONDS = 1.0
HEARTBEAT_SECONDS = 10.0  # a sixth of the age at which the engine calls a price stale
INDICES_SECONDS = 30.0
RETRY_SECONDS = 0.5
Key = tuple[str, str]  # asset and source
MIN_MOVE_PPM = 20  # a smaller move waits for the heartbeat


class Relay:
    """Collects the feed's latest prices, and sends those worth a journal row."""

    def __init__(self, *, gateway: AsyncGateway, feed: Feed) -> None:
        self._gateway = gateway
        self._feed = feed
        self._latest: dict[Key, Price] = {}
        self._sent: dict[Key, tuple[Price, float]] = {}
        self._index_ids: dict[str, list[int]] = {}
        self._indices_read_at = -INDICES_SECONDS

    async def run(self) -> None:
        """Relay until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._collect())
            tasks.create_task(self._send_for_ever())

    async def _collect(self) -> None:
        async for prices in self._feed.stream():
            self._latest.update({(price.asset, price.source): price for price in prices})

    async def _send_for_ever(self) -> None:
        while True:
            started = monotonic()
            try:
                await self._read_indices()
                await self.send_due()
            except GatewayError as error:
                log.warning("prices_not_sent", code=error.code)
                await asyncio.sleep(RETRY_SECONDS)
            await asyncio.sleep(max(0.0, SEND_SECONDS - (monotonic() - started)))

    async def send_due(self) -> None:
        """Send every price that moved, or that was last sent a heartbeat ago and has been published anew."""
        now = monotonic()
        due = [price for price in self._latest.values() if self._is_due(price, now)]
        command = ObservePrice(observations=observations(due, self._index_ids))
        if not command.observations:
            return
        await self._gateway.submit(command)
        self._sent.update({(price.asset, price.source): (price, now) for price in due})

    def _is_due(self, price: Price, now: float) -> bool:
        if price.asset not in self._index_ids:
            return False
        before = self._sent.get((price.asset, price.source))
        if before is None:
            return True
        sent, sent_at = before
        if price.published_ms <= sent.published_ms:
            return False
        moved = abs(price.price_e8 - sent.price_e8) * PPM >= sent.price_e8 * MIN_MOVE_PPM
        return moved or now - sent_at >= HEARTBEAT_SECONDS

    async def _read_indices(self) -> None:
        if self._index_ids and monotonic() - self._indices_read_at < INDICES_SECONDS:
            return
        self._index_ids = index_ids(await self._gateway.query(GetIndices()))
        self._indices_read_at = monotonic()


def index_ids(views: list[IndexView]) -> dict[str, list[int]]:
    """Return the indices of each asset."""
    found: dict[str, list[int]] = {}
    for view in views:
        found.setdefault(view.asset, []).append(view.index_id)
    return found


def observations(prices: list[Price], ids: dict[str, list[int]]) -> tuple[Observation, ...]:
    """Return what each index observes."""
    return tuple(
        Observation(
            market_id=index_id,
            source=price.source,
            price_e8=price.price_e8,
            confidence_e8=price.confidence_e8,
            published_ms=price.published_ms,
        )
        for price in prices
        for index_id in ids.get(price.asset, [])
    )
