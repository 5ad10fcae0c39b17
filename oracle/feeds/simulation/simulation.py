"""Simulated prices, for a demo without a network. They name themselves `simulation` everywhere; production refuses them."""

import asyncio
import time
from collections.abc import AsyncGenerator

from markets.units import E8
from oracle.feeds.feed import Price
from oracle.feeds.simulation.walk import Walk

SOURCE = "simulation"
STEP_SECONDS = 1.0
SPREAD_PPM = 100  # stated as the confidence
START_E8 = {
    "BTC": 96_400 * E8,
    "ETH": 3_340 * E8,
    "SOL": 185 * E8,
    "AVAX": 31 * E8,
    "LINK": 17 * E8,
    "DOGE": 24 * E8 // 100,
    "XRP": 215 * E8 // 100,
    "SUI": 310 * E8 // 100,
}


class Simulation:
    """One step a second. It starts from the given prices, so that a restart goes on where the index was."""

    name = "sim"

    def __init__(self, *, seed: int, start_e8: dict[str, int]) -> None:
        self._walk = Walk(seed=seed, start_e8=START_E8 | {asset: price for asset, price in start_e8.items() if price > 0})

    async def poll(self) -> list[Price]:
        now_ms = time.time_ns() // 1_000_000
        return [
            Price(asset=asset, source=SOURCE, price_e8=price_e8, confidence_e8=price_e8 * SPREAD_PPM // 1_000_000, published_ms=now_ms)
            for asset, price_e8 in self._walk.step().items()
        ]

    async def stream(self) -> AsyncGenerator[list[Price], None]:
        while True:
            yield await self.poll()
            await asyncio.sleep(STEP_SECONDS)

    async def close(self) -> None:
        """Nothing is open."""
