"""Nobody is closed on one print, of a market's price or of a collateral asset's. The other market's index values BTC here."""

from markets.ledger import BACKSTOP
from tests.engine.desk import ALICE, BOB, MARKET, OTHER, USDC, Desk

BTC = 10**8


def collateral_desk(btc: int) -> Desk:
    """Alice has BTC alone, and a debt in USDC does not matter."""
    desk = Desk(cash=0)
    desk.limit(debt_limit_atoms=10**13)
    desk.admit()
    desk.deposit(ALICE, btc, "BTC")
    desk.deposit(BOB, 1_000_000 * USDC)
    desk.fund(BACKSTOP, 100_000 * USDC)
    desk.lever(50)
    return desk


def started(desk: Desk) -> list[int]:
    return [event.account_id for event in desk.named("LiquidationStarted")]


def test_it_waits_for_a_second_print_of_collateral_that_a_position_stands_on() -> None:
    """780 USDC of equity are left over 930 of maintenance, because BTC has fallen; the market's price says nothing of that."""
    desk = collateral_desk(10 * BTC)
    desk.trade(10_000, 10_000, buyer=ALICE, seller=BOB)
    desk.price(9_300)
    desk.price(8_700, market_id=OTHER)
    assert [event.level for event in desk.named("MarginCalled")] == [2]
    desk.price(9_300, market_id=MARKET)
    assert started(desk) == []
    desk.price(8_700, market_id=OTHER)
    assert started(desk) == [ALICE]


def test_it_waits_for_a_second_print_of_collateral_that_only_a_debt_stands_on() -> None:
    """6,181 USDC are owed, and BTC counts for 6,177 after its fall."""
    desk = collateral_desk(8 * BTC)
    desk.trade(9_000, 10_000, buyer=ALICE, seller=BOB)
    desk.price(9_320)
    desk.trade(9_000, 9_320, buyer=BOB, seller=ALICE)
    assert desk.account(ALICE).balances["USDC"] < 0
    desk.price(8_580, market_id=OTHER)
    assert started(desk) == []
    desk.wait(1_000)
    assert started(desk) == []
    desk.price(8_580, market_id=OTHER)
    assert started(desk) == [ALICE]
