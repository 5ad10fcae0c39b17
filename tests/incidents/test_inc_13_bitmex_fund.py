"""INC-13, BitMEX, April 2019: the insurance fund did not roll over to a new contract, and winners were deleveraged for nothing."""

from markets.commands import SetMarketStatus
from markets.ledger import BACKSTOP, CLEARING, INSURANCE
from tests.incidents.scene import ALICE, BOB, MARKET, OTHER, USDC, Scene, of_kind


def test_inc_13_it_keeps_the_funds_when_a_market_ends() -> None:
    scene = Scene(cash=10_000 * USDC)
    scene.trade(100, 10_000, buyer=ALICE, seller=BOB)
    scene.fall(9_000)
    funds = scene.cash(INSURANCE), scene.cash(BACKSTOP)
    with scene.untouched():
        scene.do(SetMarketStatus(market_id=MARKET, status="delisted", reason="the end"))
        events = list(scene.events)
        assert len(of_kind(events, "MarketSettled")) == 1
    assert (scene.cash(INSURANCE), scene.cash(BACKSTOP)) == funds
    assert scene.cash(CLEARING) == 0
    assert (scene.position(ALICE), scene.position(BOB)) == (0, 0)


def test_inc_13_it_pays_from_the_same_fund_in_the_next_market() -> None:
    """The fund is one for all markets: after one has ended, the whole of it stands behind the other."""
    scene = Scene(cash=0, insurance=1_000, backstop=0)
    scene.deposit(ALICE, 250 * USDC)
    scene.deposit(BOB, 5_000 * USDC)
    scene.do(SetMarketStatus(market_id=MARKET, status="delisted", reason="the end"))
    assert scene.cash(INSURANCE) == 1_000 * USDC
    scene.sell(BOB, 100, 10_000, market_id=OTHER)
    scene.buy(ALICE, 100, 10_000, market_id=OTHER)
    scene.price(7_000, market_id=OTHER)
    scene.price(7_000, market_id=OTHER)
    (paid,) = scene.named("InsurancePaid")
    assert paid.paid_atoms == paid.owed_atoms > 0
    assert scene.cash(INSURANCE) == 1_000 * USDC - paid.paid_atoms
