"""INC-06, Hyperliquid's ETH whale, March 2025: profit was withdrawn down to the limit, and the vault got the position at a bad price."""

from markets.ledger import BACKSTOP, INSURANCE
from tests.incidents.scene import ALICE, BOB, USDC, Scene, of_kind

NOTIONAL_PPM = 200_000


def whale() -> Scene:
    """Alice holds a hundred thousand USDC of notional at fifty times leverage, and is in profit."""
    scene = Scene(cash=0, backstop=50_000)
    scene.deposit(ALICE, 30_000 * USDC)
    scene.deposit(BOB, 500_000 * USDC)
    scene.trade(10_000, 10_000, buyer=ALICE, seller=BOB)
    scene.fall(10_500)
    return scene


def test_inc_06_it_keeps_a_fifth_of_the_notional_in_the_account() -> None:
    scene = whale()
    notional = 105_000 * USDC
    most = scene.withdrawable(ALICE)
    refused = scene.withdraw(ALICE, most + 1)
    assert refused.reject is not None
    assert refused.reject.code == "INSUFFICIENT_BALANCE"
    assert scene.withdraw(ALICE, most).reject is None
    assert scene.equity(ALICE) >= notional * NOTIONAL_PPM // 1_000_000
    assert scene.cash(ALICE) >= notional * NOTIONAL_PPM // 1_000_000, "profit that nobody has paid is not counted"


def test_inc_06_it_costs_the_backstop_nothing_to_take_over_what_a_whale_leaves() -> None:
    """Alice takes out what she may, and the index slides until she is liquidated: no fund pays for it."""
    scene = whale()
    scene.withdraw(ALICE, scene.withdrawable(ALICE))
    backstop, insurance = scene.cash(BACKSTOP), scene.cash(INSURANCE)
    with scene.untouched():
        events = scene.slide(7_900, steps=150)
    assert of_kind(events, "AccountLiquidated")
    taken = [step for step in of_kind(events, "LiquidationStepped") if step.stage == "backstop"]
    assert taken
    assert all(step.limit_ticks <= step.mark_ticks for step in taken), "never taken over above mark"
    assert scene.cash(INSURANCE) >= insurance
    mark = scene.market().mark_ticks
    slid = sum(step.closed_lots * (step.mark_ticks - mark) * 1_000 for step in taken)
    assert backstop - scene.equity(BACKSTOP) <= slid, "it loses what the index fell afterwards, and nothing on the day"
