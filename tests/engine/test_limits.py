"""Limits of a market on positions and open interest, and the initial margin that rises towards them."""

from typing import Any

import pytest

from markets.commands import SetLeverage, UpdateMarket
from tests.engine.desk import ALICE, BOB, CHARLIE, MARKET, USDC, Desk, parameters


def crowded(**changes: int) -> Desk:
    """Return a desk on which initial margin rises from an open interest of 1,000 lots on, to the whole at 3,000."""
    bounds: dict[str, Any] = {"margin_rises_from_lots": 1_000, "max_open_interest_lots": 3_000}
    return Desk(**(bounds | changes))


def initial(desk: Desk, account_id: int = ALICE) -> int:
    return desk.account(account_id).initial_margin_atoms


def test_it_raises_initial_margin_with_open_interest_and_never_maintenance() -> None:
    """INC-04: half way between the bounds a tenth has become 55 %, at the cap the whole notional."""
    desk = crowded()
    desk.trade(1_000, 10_000)
    assert initial(desk) == 1_000 * USDC
    desk.trade(1_000, 10_000, buyer=CHARLIE, seller=BOB)
    assert initial(desk) == 5_500 * USDC
    assert desk.account(ALICE).maintenance_margin_atoms == 100 * USDC
    desk.trade(1_000, 10_000, buyer=CHARLIE, seller=BOB)
    assert initial(desk) == 10_000 * USDC
    assert desk.account(ALICE).maintenance_margin_atoms == 100 * USDC


def test_it_lowers_initial_margin_when_the_market_empties() -> None:
    desk = crowded()
    desk.trade(2_000, 10_000)
    desk.trade(1_500, 10_000, buyer=BOB, seller=ALICE)
    assert initial(desk) == 500 * USDC


def test_it_refuses_what_a_crowded_market_asks_too_much_for() -> None:
    desk = crowded()
    desk.trade(2_500, 10_000)
    charlies = desk.account(CHARLIE).available_atoms
    desk.do(SetLeverage(account_id=CHARLIE, market_id=MARKET, leverage=50))
    desk.buy(CHARLIE, 100, 9_990)
    assert charlies - desk.account(CHARLIE).available_atoms > 700 * USDC


def test_it_counts_open_interest_the_same_after_a_restart() -> None:
    desk = crowded()
    desk.trade(2_000, 10_000)
    before = initial(desk)
    desk.restart()
    assert initial(desk) == before
    desk.trade(500, 10_000)
    assert initial(desk) == 2_500 * 10 * USDC * 775 // 1_000


def test_it_adds_margin_to_a_concentrated_position() -> None:
    """Beyond 1,000 lots, which are 10,000 USDC, 5 % of the notional more: 500 of the second ten thousand."""
    desk = Desk(concentration_from_lots=1_000, concentration_ppm=50_000)
    desk.trade(1_000, 10_000)
    assert initial(desk) == 1_000 * USDC
    desk.trade(1_000, 10_000)
    assert initial(desk) == 2_500 * USDC
    assert desk.account(ALICE).maintenance_margin_atoms == 200 * USDC


@pytest.mark.parametrize(("size", "code"), [(60, ""), (61, "POSITION_LIMIT")])
def test_it_limits_a_position_and_what_waits_to_become_one(size: int, code: str) -> None:
    desk = Desk(max_position_lots=100)
    desk.trade(10, 10_000)
    desk.buy(ALICE, 30, 9_990)
    reply = desk.buy(ALICE, size, 9_980)
    assert (reply.reject.code if reply.reject else "") == code
    assert desk.sell(ALICE, 110, 10_010).reject is None


def test_it_lets_a_position_beyond_a_new_limit_shrink_but_not_grow() -> None:
    desk = Desk()
    desk.trade(100, 10_000)
    desk.do(UpdateMarket(parameters=parameters(max_position_lots=50)))
    reply = desk.buy(ALICE, 10, 9_990)
    assert reply.reject is not None
    assert reply.reject.data == {"max_position_lots": 50, "position_lots": 100, "open_lots": 0}
    desk.trade(40, 10_000, buyer=BOB, seller=ALICE)
    assert desk.position(ALICE) == 60
