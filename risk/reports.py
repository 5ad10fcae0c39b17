"""What the risk pages say of a book of pools: value at risk, stress, history, concentration. Floats, hence never for money."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from risk import portfolio
from risk.book import RiskBook
from risk.portfolio import Concentration, ValueAtRisk
from risk.returns import Returns
from risk.shocks.history import historical_days
from risk.stress import closing_cost, equity_after, fall_move, falls, stress

Floats = NDArray[np.float64]

CONFIDENCE = 0.99
MOVES = (-0.30, -0.20, -0.10, -0.05, 0.0, 0.05, 0.10, 0.20, 0.30)
VOLATILITIES = (1.0, 2.0, 4.0)  # multiples of what was measured
MOVES_TOGETHER = (-0.10, -0.20, -0.30, 0.10, 0.20, 0.30)
QUANTILE = NormalDist().inv_cdf(CONFIDENCE)


@dataclass(frozen=True, slots=True)
class DayRisk:
    """Value at risk for a day, by past returns and by a normal distribution with their covariance."""

    historical: ValueAtRisk
    parametric: ValueAtRisk


@dataclass(frozen=True, slots=True)
class GridRow:
    """All prices moved by `move`: the equity left at each volatility, and whether any pool falls below maintenance."""

    move: float
    equity: tuple[float, ...]
    falls: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class ShockRow:
    """One price, or one historical day's prices: the change of equity, what is left, and whether a pool falls."""

    name: str
    date: date | None
    change: float
    equity: float
    falls: bool
    stands_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FallRow:
    """All prices move by `move`, or as on a day: how many pools fall below maintenance, and what those with negative equity lack."""

    move: float
    pools: int
    deficit: float
    name: str = ""
    day: date | None = None
    stands_in: tuple[str, ...] = ()


def day_risk(book: RiskBook, returns: Returns) -> DayRisk:
    """Return the figures of all rows together. A pool loses no more than its equity: the rest is the insurance fund's."""
    daily = returns.daily()
    gains = np.maximum(book.pools.delta @ daily.T, -np.maximum(book.pools.equity, 0)[:, None]).sum(axis=0)
    delta = book.pools.delta.sum(axis=0)
    return DayRisk(
        portfolio.historical(gains, confidence=CONFIDENCE),
        portfolio.parametric(delta, daily, confidence=CONFIDENCE),
    )


def stress_grid(book: RiskBook, returns: Returns) -> list[GridRow]:
    """Return equity by price move and volatility: at n times what was measured, closing costs a bad hour of it."""
    hourly = portfolio.volatility(returns.changes) * returns.hourly_scale()
    costs = [closing_cost(book.notional, hourly, multiple, quantile=QUANTILE) for multiple in VOLATILITIES]
    return [_grid_row(book, move, costs) for move in MOVES]


def market_shocks(book: RiskBook) -> list[ShockRow]:
    """Return what a fall and a rise by a fifth of each price alone do."""
    rows = []
    for column, asset in enumerate(book.assets):
        for move in (-0.20, 0.20):
            shock = np.zeros(len(book.assets))
            shock[column] = move
            rows.append(_shock_row(book, f"{asset} {move:+.0%}", None, shock))
    return rows


def historical_shocks(book: RiskBook) -> list[ShockRow]:
    """Return what the days that broke others would do; an asset without a past moves like another, which is said."""
    rows = []
    for day in historical_days():
        shock = np.array([day.move(asset) for asset in book.assets])
        stands_in = tuple(asset for asset in book.assets if day.stands_in(asset))
        rows.append(_shock_row(book, day.name, day.date, shock, stands_in))
    return rows


def concentration(book: RiskBook) -> Concentration:
    return portfolio.concentration(book.notional.sum(axis=0))


def fall_rows(book: RiskBook, moves: Sequence[float] = MOVES_TOGETHER) -> list[FallRow]:
    """Return how many pools fall when all prices move together, and what the insurance fund would have to pay at those prices."""
    outcome = stress(book.pools, np.repeat(np.array(moves)[:, None], len(book.assets), axis=1))
    return [FallRow(move, int(outcome.falling[n]), float(outcome.deficit[n])) for n, move in enumerate(moves)]


def historical_falls(book: RiskBook) -> list[FallRow]:
    """Return the same for the days that broke others."""
    days = historical_days()
    outcome = stress(book.pools, np.array([[day.move(asset) for asset in book.assets] for day in days]).reshape(len(days), -1))
    return [
        FallRow(0.0, int(outcome.falling[n]), float(outcome.deficit[n]), day.name, day.date, tuple(filter(day.stands_in, book.assets)))
        for n, day in enumerate(days)
    ]


def insurance_risk(book: RiskBook, returns: Returns) -> ValueAtRisk:
    """Return what the insurance fund would pay on a bad day: all traders together lose nothing, but some cannot pay."""
    return portfolio.historical(-stress(book.pools, returns.daily()).deficit, confidence=CONFIDENCE)


def first_to_fall(book: RiskBook, count: int) -> list[tuple[int, float]]:
    """Return the rows that fall first when all prices move together, each with the move that it takes."""
    move = fall_move(book.pools)
    order = np.argsort(np.abs(move), kind="stable")[:count]
    return [(int(row), float(move[row])) for row in order if np.isfinite(move[row])]


def _grid_row(book: RiskBook, move: float, costs: Sequence[Floats]) -> GridRow:
    shock = np.full((1, len(book.assets)), move)
    after = equity_after(book.pools, shock)[:, 0]
    needed = book.pools.maintenance + (book.pools.slope @ shock.T)[:, 0]
    left = [after - cost for cost in costs]
    return GridRow(move, tuple(float(kept.sum()) for kept in left), tuple(bool((kept < needed).any()) for kept in left))


def _shock_row(book: RiskBook, name: str, day: date | None, shock: Floats, stands_in: tuple[str, ...] = ()) -> ShockRow:
    before, after = float(book.pools.equity.sum()), float(equity_after(book.pools, shock[None, :]).sum())
    return ShockRow(name, day, after - before, after, bool(falls(book.pools, shock[None, :]).any()), stands_in)
