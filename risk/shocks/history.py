"""Past moves that the product itself uses: daily returns, and the days that broke others. Made by tools/shocks.py."""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).resolve().parent
STAND_INS = ("ETH", "BTC")  # an asset that did not exist yet, or has no series, moves like the first of these that did
PPM = 1e6


@dataclass(frozen=True, slots=True)
class HistoricalDay:
    """A day's moves from its open to the end that hurt, as fractions by asset."""

    date: date
    name: str
    moves: dict[str, float]

    def move(self, asset: str) -> float:
        return next(self.moves[name] for name in (asset, *STAND_INS) if name in self.moves)

    def stands_in(self, asset: str) -> bool:
        """Tell whether another asset's move is used for this one."""
        return asset not in self.moves


@dataclass(frozen=True, slots=True)
class DailyReturns:
    """Changes from close to close, a row a day, a column an asset."""

    source: str
    assets: tuple[str, ...]
    first: date
    last: date
    changes: NDArray[np.float64]

    def column(self, asset: str) -> NDArray[np.float64]:
        name = next(name for name in (asset, *STAND_INS) if name in self.assets)
        return self.changes[:, self.assets.index(name)]

    def columns(self, assets: Sequence[str]) -> NDArray[np.float64]:
        if not assets:
            return np.zeros((len(self.changes), 0))
        return np.column_stack([self.column(asset) for asset in assets])


@functools.cache
def historical_days() -> tuple[HistoricalDay, ...]:
    rows = json.loads((FOLDER / "days.json").read_text())["days"]
    return tuple(HistoricalDay(date.fromisoformat(row["date"]), row["name"], _fractions(row["moves_ppm"])) for row in rows)


@functools.cache
def daily_returns() -> DailyReturns:
    found = json.loads((FOLDER / "returns.json").read_text())
    first, last = (date.fromisoformat(found[end]) for end in ("first", "last"))
    return DailyReturns(found["source"], tuple(found["assets"]), first, last, np.array(found["changes_ppm"]) / PPM)


def _fractions(moves_ppm: dict[str, int]) -> dict[str, float]:
    return {asset: move / PPM for asset, move in moves_ppm.items()}
