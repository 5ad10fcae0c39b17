"""Value at risk on portfolios and returns small enough to check by hand."""

import math
from datetime import date
from statistics import NormalDist

import numpy as np
import pytest

from risk.portfolio import concentration, correlation, historical, parametric, volatility
from risk.shocks.history import daily_returns, historical_days

RETURNS = np.array([[-0.10], [-0.05], [0.01], [0.02], [0.03], [0.04], [0.05], [0.06], [0.07], [0.08]])


def test_it_takes_the_loss_that_history_exceeds_no_more_often_than_asked() -> None:
    found = historical(RETURNS @ np.array([1_000.0]), confidence=0.9)
    assert found.value == pytest.approx(50)
    assert found.expected_shortfall == pytest.approx(75)
    worst = historical(RETURNS @ np.array([1_000.0]), confidence=0.99)
    assert worst == pytest.approx((100, 100))
    short = historical(RETURNS @ np.array([-1_000.0]), confidence=0.9)
    assert short.value == pytest.approx(70)


def test_it_never_calls_a_gain_a_loss() -> None:
    assert historical(np.array([10.0, 20.0]), confidence=0.99) == (0.0, 0.0)


def test_it_agrees_with_the_normal_distribution() -> None:
    chance = np.random.default_rng(7)
    returns = chance.normal(scale=0.02, size=(50_000, 2))
    delta = np.array([1_000.0, -500.0])
    deviation = math.hypot(20.0, 10.0)
    found = parametric(delta, returns, confidence=0.99)
    assert found.value == pytest.approx(NormalDist().inv_cdf(0.99) * deviation, rel=0.02)
    assert found.expected_shortfall == pytest.approx(2.665 * deviation, rel=0.02)
    assert historical(returns @ delta, confidence=0.99).value == pytest.approx(found.value, rel=0.04)


def test_it_has_no_risk_without_positions() -> None:
    nothing = np.zeros(1)
    assert historical(RETURNS @ nothing, confidence=0.99) == (0.0, 0.0)
    assert parametric(nothing, RETURNS, confidence=0.99) == (0.0, 0.0)


def test_it_correlates_what_moves_together() -> None:
    first = np.array([0.01, -0.02, 0.03, -0.01])
    found = correlation(np.column_stack([first, first * 2, -first, np.zeros(4)]))
    np.testing.assert_allclose(found[0], [1, 1, -1, 0], atol=1e-12)
    np.testing.assert_allclose(np.diag(found), 1)
    assert volatility(first[:, None])[0] == pytest.approx(math.sqrt((first**2).mean()))


def test_it_measures_concentration() -> None:
    found = concentration(np.array([3.0, -1.0]))
    np.testing.assert_allclose(found.shares, [0.75, 0.25])
    assert found.herfindahl == pytest.approx(0.625)
    assert concentration(np.zeros(2)).herfindahl == 0


def test_it_keeps_the_days_that_broke_others() -> None:
    days = {day.date: day for day in historical_days()}
    assert set(days) >= {date(2020, 3, 12), date(2021, 5, 19), date(2022, 11, 9), date(2025, 10, 10)}
    assert days[date(2020, 3, 12)].move("BTC") == pytest.approx(4410.0 / 7934.58 - 1, abs=1e-6)
    assert days[date(2022, 11, 9)].move("SOL") == pytest.approx(12.37 / 24.38 - 1, abs=1e-6)


def test_it_lets_a_listed_asset_stand_in_for_one_without_a_past() -> None:
    day = next(day for day in historical_days() if day.date == date(2020, 3, 12))
    assert day.stands_in("SOL")
    assert day.move("SOL") == day.move("ETH")
    returns = daily_returns()
    assert returns.columns(["DOGE", "ETH", "BTC"]).shape == (len(returns.changes), 3)
    np.testing.assert_array_equal(returns.columns(["DOGE"]), returns.columns(["ETH"]))
    assert (returns.last - returns.first).days + 1 == len(returns.changes)
