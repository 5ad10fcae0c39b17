"""Simulated prices, for a demo without a network. They name themselves `simulation` everywhere; production refuses them."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator

from markets.units import E8, PPM
from oracle.feeds.feed import Price
from oracle.feeds.health import Health, HealthRecord
from oracle.feeds.simulation.script import Script
from oracle.feeds.simulation.walk import Walk

SOURCES = ("simulation", "simulation_2", "simulation_3")
STEP_SECONDS = 1.0
CONFIDENCE_PPM = 100
NOISE_PPM = 60  # how far a source is off the walk at most
START_E8 = {
    "BTC": 96_400 * E8,
    "ETH": 3_340 * E8,
    "SOL": 185 * E8,
    "AVAX": 31 * E8,
    "LINK": 17 * E8,
    "DOGE": 24 * E8 // 100,
    "XRP": 215 * E8 // 100,
    "SUI": 310 * E8 // 100,
    "USDT": E8,
}


class Simulation:
    """Three made-up venues around one walk, a step a second. It starts from the given prices, so that a restart goes on from there."""

    name = "sim"

    def __init__(self, *, seed: int, start_e8: dict[str, int], script: Script | None = None, without: frozenset[str] = frozenset()) -> None:
        start = START_E8 | {asset: price for asset, price in start_e8.items() if price > 0}
        self._walk = Walk(seed=seed, start_e8={asset: price for asset, price in start.items() if asset not in without})
        self._noise = random.Random(seed + 1)  # noqa: S311 chance for a demo, not for secrets
        self._script = script or Script()
        self._step = 0
        self._health = Health(self.name)

    async def poll(self) -> list[Price]:
        self._health.answered()
        return self.prices(now_ms=time.time_ns() // 1_000_000)

    def prices(self, *, now_ms: int) -> list[Price]:
        """Take a step and return what the venues say."""
        step = self._step
        self._step += 1
        walked = self._walk.step({asset: self._script.move_ppm(step=step, asset=asset) for asset in self._walk.prices_e8})
        return [
            self._price(asset, source, price_e8, step, now_ms)
            for source in SOURCES
            for asset, price_e8 in walked.items()
            if not self._script.is_silent(step=step, source=source)
        ]

    async def stream(self) -> AsyncGenerator[list[Price], None]:
        while True:
            yield await self.poll()
            await asyncio.sleep(STEP_SECONDS)

    async def close(self) -> None:
        """Nothing is open."""

    def health(self) -> list[HealthRecord]:
        return [self._health.record()]

    def _price(self, asset: str, source: str, price_e8: int, step: int, now_ms: int) -> Price:
        off_ppm = self._noise.randint(-NOISE_PPM, NOISE_PPM) + self._script.skew_ppm(step=step, source=source)
        said = max(1, price_e8 + price_e8 * off_ppm // PPM)
        return Price(asset=asset, source=source, price_e8=said, confidence_e8=said * CONFIDENCE_PPM // PPM, published_ms=now_ms)
