"""A market that is made up: prices that move together, in integers, the same for the same seed."""

import random
from collections.abc import Mapping

from markets.units import PPB, PPM

# One step is a second. A yearly volatility of 55 % is about 98,000 ppb of one second's square root.
VOLATILITY_PPB = {
    "BTC": 80_000,
    "ETH": 100_000,
    "SOL": 130_000,
    "AVAX": 140_000,
    "LINK": 130_000,
    "DOGE": 150_000,
    "XRP": 130_000,
    "SUI": 150_000,
    "USDT": 800,
}
OTHER_VOLATILITY_PPB = 130_000
SHARED, OWN = 800, 600  # of 1000: shared^2 + own^2 = 1000^2, so that a move's variance stays its market's
PULL = 40_000  # steps in which a price that has wandered off comes back by its distance
JUMP_ONE_IN = 900
JUMP_PPB = 3_000_000
UNIFORMS = 12  # their sum has a standard deviation of one uniform's width


class Walk:
    """Each step moves every price by a common and an own part, and pulls it a little towards where it began."""

    def __init__(self, *, seed: int, start_e8: dict[str, int]) -> None:
        self._random = random.Random(seed)  # noqa: S311 chance for a demo, not for secrets
        self._start_e8 = dict(sorted(start_e8.items()))
        self.prices_e8 = dict(self._start_e8)

    def step(self, pushed_ppm: Mapping[str, int] | None = None) -> dict[str, int]:
        """Move on by one second, and where a price is pushed by that too, for good; return the new prices."""
        shared = self._normal() + self._jump()
        for asset, price_e8 in self.prices_e8.items():
            volatility = VOLATILITY_PPB.get(asset, OTHER_VOLATILITY_PPB)
            normal = SHARED * shared + OWN * self._normal()  # in parts of 1000 x 1000
            move_e8 = price_e8 * volatility * normal // (1_000_000 * PPB)
            pull_e8 = (self._start_e8[asset] - price_e8) // PULL
            self.prices_e8[asset] = max(1, price_e8 + move_e8 + pull_e8)
            push_ppm = pushed_ppm.get(asset, 0) if pushed_ppm else 0
            if push_ppm:
                self._start_e8[asset] = max(1, self._start_e8[asset] * (PPM + push_ppm) // PPM)
                self.prices_e8[asset] = max(1, self.prices_e8[asset] * (PPM + push_ppm) // PPM)
        return dict(self.prices_e8)

    def _normal(self) -> int:
        """Return a number of nearly normal distribution with mean 0 and standard deviation 1000."""
        return sum(self._random.randrange(1000) for _ in range(UNIFORMS)) - UNIFORMS * 1000 // 2

    def _jump(self) -> int:
        """Now and then the whole market moves at once."""
        if self._random.randrange(JUMP_ONE_IN):
            return 0
        size = JUMP_PPB * 1000 // OTHER_VOLATILITY_PPB
        return size if self._random.randrange(2) else -size
