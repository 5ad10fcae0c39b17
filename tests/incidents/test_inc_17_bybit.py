"""INC-17, Bybit, February 2025: one blindly signed transaction emptied a wallet.

What the exchange itself can bound is tested here: what may leave in an hour and a day, and that nothing lifts the limit beyond
a ceiling in the code. The hot wallet, cold storage and what signers see belong to the programs on chain.
"""

from markets.commands import SetRiskParameters
from markets.views import Reply
from tests.incidents.scene import ALICE, BOB, USDC, Scene
from trading.engine.collateral import MAX_WITHDRAWAL_DAY_ATOMS

HOUR_MS = 3_600_000


def code(reply: Reply) -> str:
    return reply.reject.code if reply.reject is not None else ""


def test_inc_17_it_lets_no_more_leave_in_an_hour_than_the_limit_whoever_asks() -> None:
    scene = Scene(cash=1_000_000 * USDC)
    scene.limit(withdrawal_hour_atoms=500_000 * USDC, withdrawal_day_atoms=800_000 * USDC)
    assert code(scene.withdraw(ALICE, 400_000 * USDC)) == ""
    assert code(scene.withdraw(ALICE, 100_001 * USDC)) == "WITHDRAWAL_LIMIT"
    assert code(scene.withdraw(BOB, 100_001 * USDC)) == "WITHDRAWAL_LIMIT"
    assert code(scene.withdraw(BOB, 100_000 * USDC)) == ""
    scene.restart()
    scene.wait(HOUR_MS)
    assert code(scene.withdraw(BOB, 400_000 * USDC)) == "WITHDRAWAL_LIMIT", "the day has its own"
    assert code(scene.withdraw(BOB, 300_000 * USDC)) == ""


def test_inc_17_it_has_a_ceiling_that_no_parameter_lifts() -> None:
    scene = Scene()
    assert code(scene.limit(withdrawal_day_atoms=MAX_WITHDRAWAL_DAY_ATOMS + 1)) == "INVALID_PARAMETERS"
    assert code(scene.limit(withdrawal_day_atoms=MAX_WITHDRAWAL_DAY_ATOMS)) == ""
    assert isinstance(scene.batches[-1][1], SetRiskParameters)
