"""Reports on two accounts whose every figure can be checked by hand."""

import numpy as np
import pytest

from markets.units import QUOTE_ATOMS as USDC
from markets.views import Exposure, PriceExposure
from risk.book import RiskBook, book_of
from risk.reports import (
    concentration,
    day_risk,
    fall_rows,
    first_to_fall,
    historical_falls,
    historical_shocks,
    insurance_risk,
    market_shocks,
    stress_grid,
)
from risk.returns import Returns

ALICE, BOB, CHARLIE = 1000, 1001, 1002
BTC, SOL, USDT = 1, 3, 1_000_001
STEADY = Returns(np.array([[0.01, 0.02], [-0.01, -0.02]] * 50), 1, "by hand")


def exposure(account_id: int, equity: int, *prices: tuple[int, int], market_id: int = 0) -> Exposure:
    held = tuple(PriceExposure(index, size * USDC, abs(size) * USDC, abs(size) * USDC // 100) for index, size in prices)
    maintenance = sum(abs(size) for _, size in prices) * USDC // 100
    return Exposure(account_id, market_id, equity * USDC, 2 * maintenance, maintenance, held)


def book() -> RiskBook:
    """Alice is long BTC 10 times over, Bob is short SOL by half; Alice has a small isolated long of SOL as well."""
    rows = [exposure(ALICE, 1_000, (BTC, 10_000)), exposure(ALICE, 100, (SOL, 500), market_id=SOL), exposure(BOB, 1_000, (SOL, -500))]
    return book_of(rows, {BTC: "BTC", SOL: "SOL"})


def test_it_arranges_pools_as_rows_and_prices_as_columns() -> None:
    found = book()
    assert (found.account_ids, found.market_ids, found.assets) == ((ALICE, ALICE, BOB), (0, SOL, 0), ("BTC", "SOL"))
    assert found.pools.delta.tolist() == [[10_000, 0], [0, 500], [0, -500]]
    assert found.notional.tolist() == [[10_000, 0], [0, 500], [0, 500]]
    assert found.pools.slope.tolist() == [[100, 0], [0, 5], [0, 5]]
    assert found.of_account(BOB).pools.equity.tolist() == [1_000]
    assert found.of_account(CHARLIE).pools.equity.tolist() == []


def test_it_adds_up_a_position_and_collateral_in_the_same_asset() -> None:
    both = Exposure(ALICE, 0, 500 * USDC, 0, 0, (PriceExposure(BTC, 1_000 * USDC, 1_000 * USDC, 0), PriceExposure(BTC, 300 * USDC, 0, 0)))
    found = book_of([both], {})
    assert (found.assets, found.pools.delta.tolist(), found.notional.tolist()) == (("1",), [[1_300]], [[1_000]])


def test_it_lets_a_stablecoin_keep_its_peg() -> None:
    row = Exposure(ALICE, 0, 900 * USDC, 0, 0, (PriceExposure(USDT, 400 * USDC, 0, 0), PriceExposure(BTC, 500 * USDC, 500 * USDC, 0)))
    found = book_of([row], {BTC: "BTC", USDT: "USDT"})
    assert (found.assets, found.pools.delta.tolist(), found.pools.equity.tolist()) == (("BTC",), [[500]], [900])


def test_it_tells_who_falls_first_and_what_that_costs() -> None:
    """Alice's 1,000 lasts for a fall of (1000 - 100) / 9,900; at -30 % she is 2,000 short, her isolated SOL 50."""
    rows = {row.move: row for row in fall_rows(book())}
    assert (rows[-0.10].pools, rows[-0.10].deficit) == (1, 0)
    assert (rows[-0.20].pools, rows[-0.20].deficit) == (2, 1_000)
    assert rows[-0.30].pools == 2
    assert rows[-0.30].deficit == pytest.approx(2_050)
    assert [pool for pool, _ in first_to_fall(book(), 5)] == [0, 1]
    assert [move for _, move in first_to_fall(book(), 5)] == pytest.approx([-900 / 9_900, -95 / 495])


def test_it_tells_that_a_short_falls_when_prices_rise() -> None:
    """Charlie's 1,000 lasts for a rise of (1000 - 50) / 5,050; at 30 % he is 500 short."""
    short = book_of([exposure(CHARLIE, 1_000, (BTC, -5_000))], {BTC: "BTC"})
    rows = {row.move: row for row in fall_rows(short)}
    assert [(rows[move].pools, rows[move].deficit) for move in (-0.30, 0.10, 0.20, 0.30)] == [(0, 0), (0, 0), (1, 0), (1, 500)]
    assert [move for _, move in first_to_fall(short, 5)] == pytest.approx([950 / 5_050])


def test_it_names_the_assets_that_another_stands_in_for() -> None:
    found = book_of([exposure(ALICE, 1_000, (BTC, 10_000), (SOL, 500))], {BTC: "BTC", SOL: "NEW"})
    assert {row.stands_in for row in historical_falls(found)} == {("NEW",)}


def test_it_lets_a_pool_lose_no_more_than_it_has() -> None:
    crash = Returns(np.array([[-0.5, 0.0]] * 5 + [[0.0, 0.0]] * 95), 1, "by hand")
    found = day_risk(book().of_account(ALICE), crash).historical
    assert (found.value, found.expected_shortfall) == (1_000, 1_000)


def test_it_scales_hours_to_a_day() -> None:
    hourly = Returns(STEADY.changes, 24, "by hand")
    assert day_risk(book(), hourly).parametric.value == pytest.approx(day_risk(book(), STEADY).parametric.value * 24**0.5)
    assert STEADY.hourly_scale() == pytest.approx(24**-0.5)


def test_it_grids_price_by_volatility() -> None:
    alice = book().chosen([0])
    rows = {row.move: row for row in stress_grid(alice, STEADY)}
    assert rows[0.10].equity[0] > rows[0.0].equity[0] > rows[-0.10].equity[0]
    assert rows[0.0].equity[0] - rows[0.0].equity[2] == pytest.approx(3 * (1_000 - rows[0.0].equity[0]))
    assert rows[-0.05].falls == (False, False, False)
    assert rows[-0.10].falls == (True, True, True)


def test_it_shocks_one_price_at_a_time_and_repeats_history() -> None:
    shocks = {row.name: row for row in market_shocks(book().of_account(ALICE))}
    assert shocks["BTC -20%"].change == pytest.approx(-2_000)
    assert shocks["SOL +20%"].change == pytest.approx(100)
    assert shocks["BTC -20%"].falls
    day = next(row for row in historical_shocks(book().chosen([2])) if row.date and row.date.year == 2020)
    assert day.stands_in == ("SOL",)
    assert day.change == pytest.approx(500 * 0.479986)


def test_it_knows_what_insurance_would_have_paid() -> None:
    """On 12 March 2020 BTC fell by 44 %, and ETH, which stands in for SOL, by 48 %: both of Alice's pools lack something."""
    day = next(row for row in historical_falls(book()) if row.day and row.day.year == 2020)
    assert day.pools == 2
    assert day.deficit == pytest.approx(4_442.05 - 1_000 + 239.99 - 100, abs=0.1)
    calm = Returns(np.zeros((100, 2)), 1, "by hand")
    assert insurance_risk(book(), calm) == (0.0, 0.0)
    wild = Returns(np.array([[-0.5, 0.0]] * 2 + [[0.0, 0.0]] * 98), 1, "by hand")
    assert insurance_risk(book(), wild).value == pytest.approx(4_000)


def test_it_says_how_concentrated_a_book_is() -> None:
    assert concentration(book()).shares.tolist() == pytest.approx([10 / 11, 1 / 11])


def test_it_reports_on_an_empty_book() -> None:
    empty = book_of([], {})
    nothing = Returns(np.zeros((10, 0)), 1, "by hand")
    assert day_risk(empty, nothing).historical == (0.0, 0.0)
    assert [row.equity for row in stress_grid(empty, nothing)] == [(0.0, 0.0, 0.0)] * 9
    assert first_to_fall(empty, 3) == []
    assert [row.pools for row in fall_rows(empty)] == [0] * 6
