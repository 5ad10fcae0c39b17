"""INC-08, Hyperliquid's XPL, August 2025: four wallets swept their own book to several times the price elsewhere."""

from tests.incidents.scene import ALICE, BOB, FIRST_EXTRA, USDC, Scene, of_kind

CLAMP_PPM = 50_000


def test_inc_08_it_liquidates_nobody_for_a_print_of_its_own_book() -> None:
    """Bob's asks reach to nearly twice the index, Alice takes them all; Dave is short with eight per cent of margin."""
    scene = Scene(cash=10_000_000 * USDC, price_band_ppm=999_999, mark_clamp_ppm=CLAMP_PPM)
    dave = scene.join(FIRST_EXTRA, 100)
    scene.trade(120, 10_000, buyer=BOB, seller=dave)
    with scene.untouched():
        for price in range(10_100, 19_900, 200):
            scene.sell(BOB, 100, price)
        assert scene.buy(ALICE, 4_800, 19_900).reject is None
        assert scene.engine.state.markets[1].last_ticks > 19_000
        scene.buy(ALICE, 100, 19_800)
        events = []
        for _ in range(120):
            scene.now_ms += 1_000
            events += scene.fall(10_000)
            assert scene.market().mark_ticks <= 10_000 + 10_000 * CLAMP_PPM // 1_000_000
    assert of_kind(events, "LiquidationStarted") == []
    assert scene.position(dave) == -120
