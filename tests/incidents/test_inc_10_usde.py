"""INC-10, Binance's USDe, October 2025: collateral was priced from the venue's own thin book, at 0.65 while others paid 1."""

from markets.commands import Observation, ObservePrice
from tests.incidents.scene import ALICE, BOB, FIRST_EXTRA, OTHER, USDC, Scene, of_kind

BTC = 10**8
USDT_INDEX = 1_000_001


def test_inc_10_it_values_collateral_by_the_index_whatever_its_own_book_prints() -> None:
    """The other market's index values the collateral; its book is swept down by a third."""
    scene = Scene(cash=1_000_000 * USDC)
    scene.admit()
    dave = scene.join(FIRST_EXTRA, 1)
    scene.deposit(dave, 10 * BTC, "BTC")
    scene.trade(400, 10_000, buyer=dave, seller=BOB)
    before = scene.equity(dave)
    with scene.untouched():
        for price in range(9_950, 6_400, -50):
            scene.buy(BOB, 20, max(price, 9_001), market_id=OTHER)
        scene.sell(ALICE, 2_000, 9_001, market_id=OTHER)
        events = []
        for _ in range(60):
            scene.now_ms += 1_000
            scene.confirm()
            events += scene.events
    assert scene.engine.state.markets[OTHER].last_ticks < 9_100
    assert abs(scene.equity(dave) - before) * 100 < before
    assert of_kind(events, "LiquidationStarted") == []


def test_inc_10_it_takes_one_low_print_of_a_pegged_asset_for_a_dispute() -> None:
    scene = Scene(cash=1_000 * USDC)
    scene.admit(asset="USDT", index_id=USDT_INDEX)
    dave = scene.join(FIRST_EXTRA, 1)

    def observe(pyth_e8: int, other_e8: int) -> None:
        scene.now_ms += 1_000
        prices = {"pyth": pyth_e8, "pyth_solana": other_e8}
        scene.do(ObservePrice(observations=tuple(Observation(USDT_INDEX, name, price, 0, scene.now_ms) for name, price in prices.items())))

    for _ in range(6):
        observe(99_800_000, 99_800_000)
    scene.deposit(dave, 1_000 * USDC, "USDT")
    before = scene.equity(dave)
    with scene.untouched():
        for _ in range(5):
            observe(65_000_000, 99_800_000)
    index = scene.engine.state.indices[USDT_INDEX]
    assert index.state == "disputed"
    assert abs(scene.equity(dave) - before) * 100 < before
