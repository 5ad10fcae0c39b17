"""INC-16, GMX v1, July 2025: a global average was stale when payouts were computed from it."""

from collections.abc import Callable

import pytest

from tests.engine.chance import Chance
from tests.incidents.scene import ALICE, BOB, MARKET, USDC, Scene
from trading.engine import invariants, margin
from trading.engine.state import State


@pytest.mark.parametrize("seed", range(4))
def test_inc_16_it_keeps_every_aggregate_equal_to_its_recomputation(seed: int) -> None:
    """`do` checks all of them after every command of a random stream."""
    scene = Scene(cash=[600 * USDC, 5_000 * USDC][seed % 2])
    for command in Chance(scene, 1_600 + seed).commands(400):
        scene.do(command)
    assert len(scene.batches) > 400


def spoil_open_interest(state: State) -> None:
    state.markets[MARKET].open_interest_lots += 1


def spoil_sums(state: State) -> None:
    margin.refresh(state, state.accounts[ALICE].cross)
    state.accounts[ALICE].cross.unrealised_atoms += 1


def spoil_ledger(state: State) -> None:
    state.accounts[BOB].cross.cash_atoms += 1


def spoil_orders(state: State) -> None:
    state.accounts[ALICE].holdings[MARKET].buy_lots += 1


@pytest.mark.parametrize("spoil", [spoil_open_interest, spoil_sums, spoil_ledger, spoil_orders])
def test_inc_16_it_notices_an_aggregate_that_is_off_by_one(spoil: Callable[[State], None]) -> None:
    scene = Scene(cash=5_000 * USDC)
    scene.trade(10, 10_000, buyer=ALICE, seller=BOB)
    invariants.check(scene.engine.state)
    spoil(scene.engine.state)
    with pytest.raises(AssertionError):
        invariants.check(scene.engine.state)
