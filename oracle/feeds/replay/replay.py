"""Prices of another time, played again. They name themselves `replay` everywhere; production refuses them."""

import asyncio
import time
from collections.abc import AsyncGenerator
from pathlib import Path as FilePath

import structlog

from markets.units import PPM
from oracle.feeds.feed import Price
from oracle.feeds.health import Health, HealthRecord
from oracle.feeds.replay import bars
from oracle.feeds.replay.path import Path

log = structlog.get_logger()

SOURCE = "replay"
STEP_SECONDS = 1.0
CONFIDENCE_PPM = 100


class Replay:
    """Plays a file's bars `speed` times as fast as they were, and ends with the file: then the price grows old like any other."""

    name = "replay"

    def __init__(self, *, file: FilePath, speed: int = 1, seed: int = 0) -> None:
        self.asset = bars.asset_of(file)
        self._path = Path(bars.read(file), seed=seed)
        self._speed = speed
        self._began_ms = 0
        self._health = Health(self.name)

    async def poll(self) -> list[Price]:
        """Return the price where the replay is now; it begins with the first."""
        now_ms = time.time_ns() // 1_000_000
        self._began_ms = self._began_ms or now_ms
        return self.prices(elapsed_ms=now_ms - self._began_ms, now_ms=now_ms)

    def prices(self, *, elapsed_ms: int, now_ms: int) -> list[Price]:
        """Return the price after so much real time, none after the end."""
        at_ms = self._path.start_ms + elapsed_ms * self._speed
        if at_ms > self._path.end_ms:
            return []
        price_e8 = self._path.at(at_ms)
        return [Price(self.asset, SOURCE, price_e8, price_e8 * CONFIDENCE_PPM // PPM, now_ms)]

    async def stream(self) -> AsyncGenerator[list[Price], None]:
        while prices := await self.poll():
            self._health.answered()
            yield prices
            await asyncio.sleep(STEP_SECONDS)
        log.warning("replay_ended", asset=self.asset)

    async def close(self) -> None:
        """Nothing is open."""

    def health(self) -> list[HealthRecord]:
        return [self._health.record()]
