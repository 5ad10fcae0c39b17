"""One side of a committed book: sizes by price, prices kept sorted with the best at the end."""

from bisect import bisect_left, insort


class Levels:
    """`sign` is 1 for bids, -1 for asks: a key is sign x price, so the best is the largest on both sides."""

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.sizes: dict[int, int] = {}
        self._keys: list[int] = []

    def set(self, price_ticks: int, size_lots: int) -> None:
        """Give a level its new size; 0 removes it."""
        key = self.sign * price_ticks
        if size_lots:
            if price_ticks not in self.sizes:
                insort(self._keys, key)
            self.sizes[price_ticks] = size_lots
        elif self.sizes.pop(price_ticks, None) is not None:
            del self._keys[bisect_left(self._keys, key)]

    def best(self) -> int:
        """Return the best price in ticks, 0 when the side is empty."""
        return self.sign * self._keys[-1] if self._keys else 0

    def top(self, depth: int) -> list[tuple[int, int]]:
        """Return up to `depth` levels as (price_ticks, size_lots), best first."""
        prices = [self.sign * key for key in self._keys[: -depth - 1 : -1]]
        return [(price, self.sizes[price]) for price in prices]
