"""INC-11, October 2025: deleveraging cut winners' hedges; whoever has no position must not notice."""

from random import Random

import pytest

from markets.ledger import BACKSTOP, INSURANCE
from tests.incidents.scene import BOB, FIRST_EXTRA, USDC, Scene, of_kind


@pytest.mark.parametrize("seed", range(4))
def test_inc_11_it_leaves_accounts_without_positions_bit_exact(seed: int) -> None:
    """Ten leveraged accounts, a fall of a third in a few prints, funds that do not suffice: somebody is deleveraged."""
    random = Random(seed)  # noqa: S311
    scene = Scene(cash=200_000 * USDC, insurance=1, backstop=1)
    longs = [scene.join(FIRST_EXTRA + number, random.randint(100, 900)) for number in range(10)]
    flat = [scene.join(FIRST_EXTRA + 100 + number, random.randint(1, 10**6)) for number in range(5)]
    for account_id in longs:
        scene.trade(random.randint(50, 300), 10_000, buyer=account_id, seller=BOB)
    events = []
    with scene.untouched(*flat):
        for _ in range(5):
            events += scene.fall(scene.market().mark_ticks * random.randint(880, 960) // 1_000)
    assert of_kind(events, "PositionDeleveraged")
    assert {event.account_id for event in of_kind(events, "PositionDeleveraged")} == {BOB}
    assert all(scene.equity(account_id) >= 0 for account_id in longs)
    assert scene.cash(INSURANCE) >= 0
    assert scene.equity(BACKSTOP) >= 0


def test_inc_11_it_asks_every_winner_for_the_same_share_of_profit() -> None:
    """Two shorts of the same entry, one three times the other: deleveraging takes three to one, whatever their leverage."""
    scene = Scene(cash=0, insurance=0, backstop=0)
    loser = scene.join(FIRST_EXTRA, 450)
    small, large = scene.join(FIRST_EXTRA + 1, 1_000, 10), scene.join(FIRST_EXTRA + 2, 30_000, 2)
    scene.trade(100, 10_000, buyer=loser, seller=small)
    scene.trade(300, 10_000, buyer=loser, seller=large)
    events = scene.fall(8_500)
    closed = {event.account_id: event for event in of_kind(events, "PositionDeleveraged")}
    assert {account_id: event.closed_lots for account_id, event in closed.items()} == {small: -100, large: -300}
    assert closed[large].profit_atoms == 3 * closed[small].profit_atoms
    assert closed[large].quote_atoms == 3 * closed[small].quote_atoms
