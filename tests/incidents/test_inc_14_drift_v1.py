"""INC-14, Drift v1, May 2022: winners were paid before losers had been charged, and the vault ran out."""

import pytest

from markets import ledger
from tests.engine.chance import Chance
from tests.incidents.scene import ALICE, BOB, USDC, Scene


def vault(scene: Scene) -> int:
    """Return the money that came in from outside and has not left again."""
    return -scene.cash(ledger.FAUCET)


def owed(scene: Scene) -> int:
    return sum(scene.withdrawable(account_id) for account_id in scene.engine.state.accounts if account_id >= ledger.FIRST_USER_ACCOUNT)


@pytest.mark.parametrize("seed", range(4))
def test_inc_14_it_never_promises_more_than_the_vault_holds(seed: int) -> None:
    scene = Scene(cash=[800 * USDC, 20_000 * USDC][seed % 2])
    for command in Chance(scene, 1_400 + seed).commands(300):
        scene.do(command)
        assert owed(scene) <= vault(scene)


def test_inc_14_it_pays_a_profit_out_of_what_the_loser_can_no_longer_take() -> None:
    """Alice closes with a profit against a third account; Bob, who owes it, still holds his losing position."""
    scene = Scene(cash=1_000 * USDC)
    dave = scene.join(1010, 50_000)
    scene.trade(90, 10_000, buyer=ALICE, seller=BOB)
    scene.fall(10_800)
    scene.trade(90, 10_800, buyer=dave, seller=ALICE)
    profit = scene.cash(ALICE) - 1_000 * USDC
    assert profit > 0
    assert scene.withdrawable(BOB) <= 1_000 * USDC - 72 * USDC
    assert scene.withdraw(ALICE, scene.withdrawable(ALICE)).reject is None
    assert owed(scene) <= vault(scene)


def test_inc_14_it_pays_nobody_while_a_debt_is_open_that_nobody_can_carry() -> None:
    """A print leaves Bob with less than nothing; until he is liquidated no profit made of his loss leaves."""
    scene = Scene(cash=0, insurance=0, backstop=0)
    scene.deposit(ALICE, 5_000 * USDC)
    scene.deposit(BOB, 110 * USDC)
    dave = scene.join(1010, 50_000)
    scene.trade(100, 10_000, buyer=ALICE, seller=BOB)
    scene.price(15_000)
    assert scene.equity(BOB) < 0
    scene.trade(100, 14_900, buyer=dave, seller=ALICE)
    scene.wait(1_000)
    assert owed(scene) <= vault(scene)
    reply = scene.withdraw(ALICE, scene.cash(ALICE))
    assert reply.reject is not None
    assert reply.reject.code == "LIQUIDITY_SHORT"
