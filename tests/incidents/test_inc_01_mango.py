"""INC-01, Mango, October 2022: a self-made position, a pumped oracle, and the profit on paper borrowed against."""

from markets.ledger import BACKSTOP, INSURANCE
from tests.incidents.scene import ALICE, BOB, MARKET, USDC, Scene

CAP = 1_000


def test_inc_01_it_lets_no_paper_profit_of_a_pump_leave() -> None:
    """The index goes to 24 times what it was within ten minutes, as far as the exchange believes it."""
    scene = Scene(cash=2_000 * USDC, max_open_interest_lots=CAP)
    scene.trade(CAP, 10_000, buyer=ALICE, seller=BOB)
    beyond = scene.sell(BOB, 10, 10_000), scene.buy(ALICE, 10, 10_000)
    assert [reply.reject.code for reply in beyond if reply.reject] == ["OPEN_INTEREST_CAP", "OPEN_INTEREST_CAP"]
    deposits = 2_000 * USDC
    insurance, backstop = scene.cash(INSURANCE), scene.cash(BACKSTOP)
    with scene.untouched():
        for minute in range(1, 11):
            scene.slide(round(10_000 * 24 ** (minute / 10)), steps=60)
            assert scene.engine.state.markets[MARKET].open_interest_lots <= CAP
            if scene.position(ALICE):
                assert scene.withdrawable(ALICE) <= deposits
    assert scene.cash(INSURANCE) == insurance
    lost_by_backstop = backstop - scene.equity(BACKSTOP)
    assert lost_by_backstop <= backstop
    assert scene.withdrawable(ALICE) + scene.withdrawable(BOB) <= 2 * deposits + max(0, lost_by_backstop)


def test_inc_01_it_leaves_attackers_no_more_than_they_brought_without_a_backstop() -> None:
    scene = Scene(cash=2_000 * USDC, backstop=0, max_open_interest_lots=CAP)
    scene.trade(CAP, 10_000, buyer=ALICE, seller=BOB)
    insurance = scene.cash(INSURANCE)
    with scene.untouched():
        scene.slide(20_000, steps=600)
    assert scene.cash(INSURANCE) >= insurance
    assert scene.withdrawable(ALICE) + scene.withdrawable(BOB) <= 2 * 2_000 * USDC
