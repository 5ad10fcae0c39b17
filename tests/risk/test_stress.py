"""Stress over many pools against the plainest way to compute it, one pool and one scenario at a time."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from risk.stress import Pools, closing_cost, equity_after, fall_move, falls, stress

SEED = 20251010


def pools(rows: int, columns: int) -> Pools:
    chance = np.random.default_rng(SEED + rows)
    delta = chance.normal(size=(rows, columns)) * 10_000
    slope = np.abs(delta) * chance.uniform(0.01, 0.05, size=(rows, columns))
    return Pools(chance.uniform(0, 8_000, size=rows), slope.sum(axis=1), delta, slope)


def shocks(scenarios: int, columns: int) -> NDArray[np.float64]:
    return np.random.default_rng(SEED).normal(size=(scenarios, columns)) * 0.3


def plainly(book: Pools, moves: NDArray[np.float64]) -> tuple[list[int], list[float], list[float]]:
    falling, deficit = [0] * len(moves), [0.0] * len(moves)
    worst = [float("inf")] * len(book.equity)
    for (row, equity), (number, move) in itertools.product(enumerate(book.equity), enumerate(moves)):
        after = equity + sum(d * m for d, m in zip(book.delta[row], move, strict=True))
        needed = book.maintenance[row] + sum(s * m for s, m in zip(book.slope[row], move, strict=True))
        falling[number] += after < needed
        deficit[number] += max(0.0, -after)
        worst[row] = min(worst[row], after)
    return falling, deficit, worst


@pytest.mark.parametrize("rows", [1, 31, 32, 33, 257])
def test_it_agrees_with_one_pool_at_a_time(rows: int) -> None:
    book, moves = pools(rows, 3), shocks(40, 3)
    outcome = stress(book, moves)
    falling, deficit, worst = plainly(book, moves)
    assert outcome.falling.tolist() == falling
    np.testing.assert_allclose(outcome.deficit, deficit, atol=1e-6)
    np.testing.assert_allclose(outcome.worst, worst, atol=1e-6)
    assert falls(book, moves).sum(axis=0).tolist() == falling


def test_it_has_nothing_to_say_of_nobody() -> None:
    outcome = stress(Pools(np.zeros(0), np.zeros(0), np.zeros((0, 2)), np.zeros((0, 2))), shocks(5, 2))
    assert outcome.falling.tolist() == [0] * 5
    assert outcome.deficit.tolist() == [0.0] * 5


def test_it_keeps_accounts_without_exposure_whole() -> None:
    flat = Pools(np.array([500.0]), np.zeros(1), np.zeros((1, 2)), np.zeros((1, 2)))
    assert stress(flat, shocks(100, 2)).worst.tolist() == [500.0]
    assert fall_move(flat).tolist() == [float("inf")]


def test_it_finds_the_move_that_each_pool_can_bear() -> None:
    """10,000 long on 1,000 of equity with 2 % maintenance: 1000 - 10000 x = 200 (1 - x) at x = 800 / 9800, short at 800 / 10200."""
    book = Pools(np.array([1_000.0, 1_000.0, 100.0]), np.full(3, 200.0), np.array([[10_000.0], [-10_000.0], [1.0]]), np.full((3, 1), 200.0))
    long, short, under_already = fall_move(book).tolist()
    assert (long, short, under_already) == pytest.approx((-800 / 9_800, 800 / 10_200, 0.0))
    assert falls(book, np.array([[long * 1.0001], [long * 0.9999]]))[0].tolist() == [True, False]
    assert falls(book, np.array([[short * 1.0001], [short * 0.9999]]))[1].tolist() == [True, False]


def test_it_adds_the_cost_of_a_bad_hour() -> None:
    cost = closing_cost(np.array([[10_000.0, 5_000.0]]), np.array([0.01, 0.02]), 2.0, quantile=2.0)
    assert cost.tolist() == pytest.approx([800.0])
    after = equity_after(pools(2, 2), np.zeros((1, 2)))
    np.testing.assert_allclose(after[:, 0], pools(2, 2).equity)
