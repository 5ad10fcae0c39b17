"""INC-04, dYdX's YFI, November 2023: open interest grew eightyfold in days on ordinary margin, and insurance paid."""

from hypothesis import given
from hypothesis import strategies as st

from risk.margin import crowded_margin
from tests.incidents.scene import ALICE, BOB, FIRST_EXTRA, MARKET, USDC, Scene

LOWER, UPPER = 1_000, 3_000
LOT = 10 * USDC  # at 10,000 ticks


def crowded(**options: int) -> Scene:
    return Scene(cash=1_000_000 * USDC, margin_rises_from_lots=LOWER, max_open_interest_lots=UPPER, **options)


def needed(scene: Scene, account_id: int) -> tuple[int, int]:
    view = scene.account(account_id)
    return view.initial_margin_atoms, view.maintenance_margin_atoms


def test_inc_04_it_asks_the_whole_notional_at_the_upper_bound_and_keeps_maintenance() -> None:
    scene = crowded()
    early = scene.join(FIRST_EXTRA, 10_000)
    scene.trade(100, 10_000, buyer=early, seller=BOB)
    assert needed(scene, early) == (100 * LOT // 50, 100 * LOT // 100)
    requirements = []
    with scene.untouched():
        for lots in (900, 500, 500, 500, 500):
            scene.trade(lots, 10_000, buyer=ALICE, seller=BOB)
            scene.confirm()
            requirements.append(needed(scene, early))
    assert scene.engine.state.markets[MARKET].open_interest_lots == UPPER
    initial = [first for first, _ in requirements]
    assert initial == sorted(initial)
    assert initial[0] == 100 * LOT // 50
    assert initial[-1] == 100 * LOT
    assert {kept for _, kept in requirements} == {100 * LOT // 100}


def test_inc_04_it_lets_open_interest_go_no_further() -> None:
    scene = crowded()
    scene.trade(UPPER, 10_000, buyer=ALICE, seller=BOB)
    assert scene.sell(BOB, 1, 10_000, reduce_only=False).reject is not None


@given(st.integers(1, 10**12), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(1, 10**6))
def test_inc_04_it_never_asks_less_of_more_open_interest(notional: int, lots: int, lower: int, width: int) -> None:
    base = -(-notional // 50)
    asked = [
        crowded_margin(initial_atoms=base, notional_atoms=notional, open_lots=lots + more, from_lots=lower, cap_lots=lower + width)
        for more in (0, 1)
    ]
    assert base <= asked[0] <= asked[1] <= max(base, notional)
