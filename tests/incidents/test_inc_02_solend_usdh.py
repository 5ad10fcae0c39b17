"""INC-02, Solend's USDH, November 2022: one thin pool was the oracle."""

from tests.incidents.scene import ALICE, BOB, MARKET, USDC, Scene


def test_inc_02_it_disputes_a_price_that_only_one_of_two_sources_has() -> None:
    scene = Scene(cash=10_000 * USDC)
    scene.trade(100, 10_000, buyer=ALICE, seller=BOB)
    mark = scene.market().mark_ticks
    index = scene.engine.state.markets[MARKET].index
    with scene.untouched():
        for _ in range(3):
            scene.now_ms += 1_000
            scene.publish(50_000, MARKET, ("pyth",))
            scene.publish(10_000, MARKET, ("pyth_solana",))
        assert index.state == "disputed"
        assert (scene.market().mark_ticks, index.price_e8) == (mark, 10_000 * 10_000_000)
        refused = [scene.buy(ALICE, 10, 10_000), scene.withdraw(ALICE, 1)]
        assert all(reply.reject is not None for reply in refused)
        assert scene.sell(ALICE, 10, 10_000, reduce_only=True).reject is None
    assert scene.position(BOB) == -100
