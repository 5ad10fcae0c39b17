"""INC-09, Hyperliquid's POPCAT, November 2025: nineteen wallets leaned on a wall of bids, and the wall was pulled."""

from markets.ledger import BACKSTOP, CLEARING, FEES, INSURANCE
from tests.incidents.scene import ALICE, BOB, FIRST_EXTRA, USDC, Scene, of_kind

WALLETS = 19
LOTS = 300  # each: 3,000 USDC of notional on 620 of cash
BACKSTOP_USDC, INSURANCE_USDC = 500, 5_000


def leaned(**options: int) -> Scene:
    scene = Scene(cash=1_000_000 * USDC, backstop=BACKSTOP_USDC, insurance=INSURANCE_USDC, **options)
    for number in range(WALLETS):
        scene.join(FIRST_EXTRA + number, 620, 5)
    return scene


def test_inc_09_it_bounds_what_pulling_the_wall_costs_the_funds() -> None:
    scene = leaned()
    wall = scene.buy(ALICE, 100_000, 9_900).orders[0]
    for number in range(WALLETS):
        scene.trade(LOTS, 10_000, buyer=FIRST_EXTRA + number, seller=BOB)
    with scene.untouched():
        scene.cancel(ALICE, wall.order_id)
        events = scene.slide(7_000, steps=60)
    assert len(of_kind(events, "AccountLiquidated")) == WALLETS
    assert scene.cash(INSURANCE) >= INSURANCE_USDC * USDC, "nothing of it fell to insurance"
    assert scene.equity(BACKSTOP) >= 0
    assert BACKSTOP_USDC * USDC - scene.equity(BACKSTOP) <= BACKSTOP_USDC * USDC
    assert of_kind(events, "PositionDeleveraged"), "beyond its cap the profitable side closes"
    assert scene.cash(FEES) >= 0
    assert all(scene.equity(FIRST_EXTRA + number) >= 0 for number in range(WALLETS))
    assert scene.cash(CLEARING) + scene.account(BOB).unrealised_atoms <= 0


def test_inc_09_it_asks_more_of_a_crowd_whoever_owns_its_accounts() -> None:
    """Splitting a position over accounts avoids no add-on: margin rises with what all of them hold together."""
    scene = leaned(margin_rises_from_lots=1_000, max_open_interest_lots=WALLETS * LOTS)
    opened = 0
    for number in range(WALLETS):
        scene.sell(BOB, LOTS, 10_000)
        reply = scene.buy(FIRST_EXTRA + number, LOTS, 10_000)
        opened += reply.reject is None
        if reply.reject is not None:
            assert reply.reject.code == "INSUFFICIENT_MARGIN"
            break
    assert 0 < opened < WALLETS
