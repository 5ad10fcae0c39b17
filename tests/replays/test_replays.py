"""Two falls of the past with leveraged traders and makers. The whole of them by night, a tenth of the traders and the time in bin/test."""

import pytest

from markets import ledger
from tests.replays import bars
from tests.replays.replay import Replay, btc, january, tenth_of_october, three

FALL = slice(27_700, 32_200)  # a tenth of January's bars: from the evening of the 19th to that of the 22nd, 42,000 to 34,800
CRASH = slice(1_100, 1_388)  # a tenth of two days, about the fall

pytestmark = pytest.mark.skipif(not bars.are_here(), reason="the price files are not here: REPLAY_DATA names their folder")


def check(replay: Replay, *, liquidations: int) -> None:
    """Fund accounting and explanations were audited on the way; what is left is that there was something to audit."""
    counts = replay.auditor.counts
    assert counts["AccountLiquidated"] >= liquidations
    assert counts["LiquidationStarted"] == counts["AccountLiquidated"] + len(replay.auditor.open)
    assert replay.exchange.account(ledger.INSURANCE).usdc_atoms() == replay.auditor.balances[ledger.INSURANCE, "USDC"]
    assert min(sample.equity_atoms for sample in replay.samples) > 0


def test_it_survives_a_tenth_of_january_2022() -> None:
    replay = Replay(markets=btc(), accounts=100, seed=2022)
    replay.run(january(part=FALL))
    check(replay, liquidations=50)


def test_it_survives_a_tenth_of_2025_10_10() -> None:
    replay = Replay(markets=three(), accounts=100, seed=1010)
    replay.run(tenth_of_october(seed=1010, part=CRASH))
    check(replay, liquidations=5)


def test_it_survives_the_crash_with_collateral_and_isolated_margin() -> None:
    replay = Replay(markets=three(), accounts=150, seed=3, mixed=True)
    replay.run(tenth_of_october(seed=3, part=CRASH))
    check(replay, liquidations=10)
    assert len(replay.auditor.mixed) >= 100


@pytest.mark.nightly
def test_it_survives_january_2022() -> None:
    replay = Replay(markets=btc(), accounts=1_000, seed=2022)
    replay.run(january())
    check(replay, liquidations=500)


@pytest.mark.nightly
def test_it_survives_2025_10_10() -> None:
    replay = Replay(markets=three(), accounts=1_000, seed=1010)
    replay.run(tenth_of_october(seed=1010))
    check(replay, liquidations=100)
