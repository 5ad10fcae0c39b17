"""INC-05, dYdX, October 2025: the last position of a market liquidated before insurance had paid, then old prices after a restart."""

from markets.ledger import INSURANCE
from tests.incidents.scene import ALICE, BOB, MARKET, USDC, Scene, of_kind

HOURS_MS = 3_600_000


def test_inc_05_it_closes_the_last_position_with_what_insurance_pays() -> None:
    """Alice and Bob are the whole open interest; the fall leaves Alice with less than nothing."""
    scene = Scene(cash=0)
    scene.deposit(ALICE, 250 * USDC)
    scene.deposit(BOB, 5_000 * USDC)
    scene.trade(100, 10_000, buyer=ALICE, seller=BOB)
    with scene.untouched():
        events = scene.fall(7_000)
    (done,) = of_kind(events, "AccountLiquidated")
    kinds = [type(event).__name__ for event in events]
    assert kinds.index("InsurancePaid") < kinds.index("LiquidationStepped")
    assert done.insurance_paid_atoms == of_kind(events, "InsurancePaid")[0].paid_atoms > 0
    assert scene.position(ALICE) == 0
    assert scene.equity(ALICE) == 0
    assert all(scene.equity(account_id) >= 0 for account_id in scene.engine.state.accounts if account_id >= INSURANCE and account_id != 4)


def test_inc_05_it_only_cancels_after_a_restart_with_old_prices() -> None:
    scene = Scene(cash=1_000 * USDC)
    scene.trade(300, 10_000, buyer=ALICE, seller=BOB)
    resting = scene.buy(ALICE, 10, 9_900).orders[0]
    scene.restart()
    with scene.untouched():
        scene.wait(8 * HOURS_MS)
        assert scene.market().oracle_state == "stale"
        refused = scene.buy(ALICE, 10, 10_000), scene.sell(BOB, 10, 10_000), scene.buy(ALICE, 10)
        assert [reply.reject.code for reply in refused if reply.reject] == ["PRICE_STALE"] * 3
        assert scene.named("LiquidationStarted", "OrderFilled") == []
        assert scene.cancel(ALICE, resting.order_id).reject is None


def test_inc_05_it_opens_again_only_when_prices_have_been_fresh_for_a_while() -> None:
    scene = Scene(cash=1_000 * USDC)
    scene.trade(300, 10_000, buyer=ALICE, seller=BOB)
    scene.restart()
    scene.wait(8 * HOURS_MS)
    scene.publish(9_200, MARKET, ("pyth", "pyth_solana"))
    assert scene.buy(ALICE, 10, 9_200).reject is not None, "one fresh price is no reason to match"
    assert scene.named("LiquidationStarted") == []
    for _ in range(20):
        scene.now_ms += 1_000
        scene.publish(9_200, MARKET, ("pyth", "pyth_solana"))
    assert scene.buy(ALICE, 10, 9_200).reject is None
