"""INC-03, Solend's whale, June 2022: one account held nearly all of an asset, and closing it would have emptied the market."""

import pytest

from markets.ledger import INSURANCE
from tests.incidents.scene import ALICE, BOB, CHARLIE, USDC, Scene, of_kind

BTC = 10**8  # of which a whole one is worth 1,000 USDC here


@pytest.mark.parametrize("caps", [{"account_cap_atoms": 50 * BTC}, {"exchange_cap_atoms": 50 * BTC}])
def test_inc_03_it_refuses_collateral_beyond_its_caps(caps: dict[str, int]) -> None:
    scene = Scene()
    scene.admit(**caps)
    assert scene.deposit(ALICE, 50 * BTC, "BTC").reject is None
    with scene.untouched():
        reply = scene.deposit(ALICE, 1, "BTC")
    assert reply.reject is not None
    assert reply.reject.code == "DEPOSIT_CAP"


def test_inc_03_it_counts_ever_less_of_an_ever_larger_holding() -> None:
    scene = Scene(cash=0)
    scene.admit()
    shares = []
    for _ in range(6):
        scene.deposit(ALICE, 50 * BTC, "BTC")
        held = scene.account(ALICE).balances["BTC"]
        shares.append(scene.account(ALICE).available_atoms * BTC // held)
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] < shares[0]


def test_inc_03_it_sells_a_whale_in_slices_and_only_what_the_book_holds_near_mark() -> None:
    """A step closes a fifth of the position at most, at most what bids within two per cent take, and then pauses."""
    scene = Scene(cash=100_000 * USDC, liquidation_full_notional_atoms=0)
    whale = scene.join(1010, 2_500)
    scene.trade(10_000, 10_000, buyer=whale, seller=BOB)
    for price, lots in ((9_840, 1_500), (9_800, 300), (9_300, 5_000)):
        assert scene.buy(ALICE, lots, price).reject is None
    insurance = scene.cash(INSURANCE)
    with scene.untouched(CHARLIE):
        events = scene.fall(9_845)
    steps = of_kind(events, "LiquidationStepped")
    assert [step.stage for step in steps] == ["book"]
    assert 0 < steps[0].closed_lots <= 2_000
    assert min(fill.price_ticks for fill in of_kind(events, "OrderFilled")) >= steps[0].limit_ticks >= 9_845 * 98 // 100
    with scene.untouched(CHARLIE):
        scene.wait(1_000)
        assert scene.named("LiquidationStepped") == [], "it pauses between two slices"
    assert scene.cash(INSURANCE) >= insurance
