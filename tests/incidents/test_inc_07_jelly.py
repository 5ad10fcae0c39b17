"""INC-07, Hyperliquid's JELLY, March 2025: the backstop inherited a short, its price went up fourfold, and all funds stood behind it."""

from markets.ledger import BACKSTOP, FEES, INSURANCE
from tests.incidents.scene import ALICE, BOB, MARKET, USDC, Scene, of_kind

CAPITAL = 500


def test_inc_07_it_deleverages_when_the_backstop_has_lost_its_cap() -> None:
    scene = Scene(cash=0, backstop=CAPITAL)
    scene.deposit(ALICE, 300 * USDC)
    scene.deposit(BOB, 20_000 * USDC)
    scene.trade(1_000, 10_000, buyer=BOB, seller=ALICE)
    insurance, fees = scene.cash(INSURANCE), scene.cash(FEES)
    with scene.untouched():
        taken = scene.slide(10_260, steps=26)
        assert of_kind(taken, "AccountLiquidated")[-1].taken_over, "the backstop has the short"
        events = scene.slide(40_000, steps=300)
    deleveraged = of_kind(events, "PositionDeleveraged")
    assert {event.account_id for event in deleveraged} == {BOB}
    assert scene.position(BACKSTOP) == 0
    assert scene.cash(BACKSTOP) >= 0
    assert scene.cash(INSURANCE) >= insurance
    assert scene.cash(FEES) >= fees
    assert scene.engine.state.markets[MARKET].open_interest_lots == 0


def test_inc_07_it_holds_the_backstop_to_its_cap_however_much_it_has() -> None:
    """A hundred times the cap is in the fund: no more than the cap is lost of it, but for what one print adds."""
    scene = Scene(cash=0, backstop=100 * CAPITAL)
    scene.limit(backstop_loss_cap_atoms=CAPITAL * USDC)
    scene.deposit(ALICE, 300 * USDC)
    scene.deposit(BOB, 50_000 * USDC)
    scene.trade(1_000, 10_000, buyer=BOB, seller=ALICE)
    with scene.untouched():
        events = scene.slide(40_000, steps=600)
    assert of_kind(events, "PositionDeleveraged")
    assert 100 * CAPITAL * USDC - scene.equity(BACKSTOP) <= CAPITAL * USDC
