"""What the engine does in each state of a price: the same as the table says."""

from collections.abc import Callable

import pytest

from markets.commands import HaltIndex, Observation, ObservePrice, SweepLiquidations, Withdraw
from markets.ledger import FAUCET
from oracle.actions import STATES, IndexState, allows
from tests.engine.desk import ALICE, CHARLIE, E8, MARKET, Desk

TICK_E8 = E8 // 10


def say(desk: Desk, *prices: tuple[str, int, int], after_ms: int = 10) -> None:
    """Publish prices of several sources at once, as (source, ticks, confidence in ticks)."""
    desk.now_ms += after_ms
    published = [Observation(MARKET, source, ticks * TICK_E8, width * TICK_E8, desk.now_ms) for source, ticks, width in prices]
    desk.do(ObservePrice(observations=tuple(published)))


def valid(desk: Desk, ticks: int) -> None:
    say(desk, ("pyth", ticks, 0), ("pyth_solana", ticks, 0))


def single(desk: Desk, ticks: int) -> None:
    valid(desk, ticks)
    say(desk, ("pyth", ticks, 0), after_ms=30_000)
    desk.wait(30_001)


def uncertain(desk: Desk, ticks: int) -> None:
    say(desk, ("pyth", ticks, 150), ("pyth_solana", ticks, 150))


def disputed(desk: Desk, ticks: int) -> None:
    valid(desk, ticks)
    say(desk, ("pyth_solana", ticks * 102 // 100, 0))


def stale(desk: Desk, ticks: int) -> None:
    valid(desk, ticks)
    desk.wait(60_001)


def halted(desk: Desk, ticks: int) -> None:
    desk.do(HaltIndex(index_id=MARKET, reason="test"))
    valid(desk, ticks)


WAYS: dict[IndexState, Callable[[Desk, int], None]] = {
    "valid": valid, "single": single, "uncertain": uncertain, "disputed": disputed, "stale": stale, "halted": halted,
}  # fmt: skip


def positioned() -> Desk:
    """Alice holds 1,000 lots of Bob's, with a stop, an order of hers on the book, and a bid of Charlie's to reduce against."""
    desk = Desk()
    desk.lever(50)
    desk.trade(1_000, 10_000)
    desk.buy(CHARLIE, 10, 9_990)
    desk.buy(ALICE, 10, 9_900)
    desk.sell(ALICE, 1, trigger_ticks=9_980, type="stop_market", reduce_only=True)
    return desk


def in_state(state: IndexState, ticks: int = 10_000) -> Desk:
    desk = positioned()
    WAYS[state](desk, ticks)
    assert desk.market().oracle_state == state
    return desk


@pytest.mark.parametrize("state", STATES)
def test_it_matches_posts_reduces_and_cancels_as_the_table_says(state: IndexState) -> None:
    desk = in_state(state)
    refused = {
        "match": desk.buy(ALICE, 5, 9_985).reject,
        "post": desk.buy(ALICE, 5, 9_985, post_only="reject").reject,
        "reduce": desk.sell(ALICE, 5, 9_990, reduce_only=True, time_in_force="ioc").reject,
        "cancel": desk.cancel_all(ALICE).reject,
    }
    for action in ("match", "post", "reduce", "cancel"):
        assert (refused[action] is None) is allows(state, action), action
    assert {reject.code for reject in refused.values() if reject} <= {"PRICE_STALE"}
    assert (desk.position(ALICE) == 995) is allows(state, "reduce")


@pytest.mark.parametrize("state", STATES)
def test_it_moves_marks_and_fires_triggers_as_the_table_says(state: IndexState) -> None:
    desk = positioned()
    before = desk.market().mark_ticks
    if state in {"valid", "single"}:
        WAYS[state](desk, 9_970)
    else:
        WAYS[state](desk, 10_000)  # the state first: what falls after it is what the test is about
        width = 150 if state == "uncertain" else 0
        say(desk, ("pyth", 9_970, width), ("pyth_solana", 10_170 if state == "disputed" else 9_970, width))
        assert desk.market().oracle_state == state
    assert (desk.market().mark_ticks != before) is allows(state, "mark")
    assert (desk.position(ALICE) == 999) is allows(state, "trigger")


@pytest.mark.parametrize("state", STATES)
def test_it_liquidates_as_the_table_says(state: IndexState) -> None:
    """The market is the only one of Alice's; she is short of margin at the mark that stands."""
    desk = positioned()
    desk.cancel_all(ALICE)
    left = desk.account(ALICE).withdrawable_atoms
    desk.do(Withdraw(account_id=ALICE, asset="USDC", amount_atoms=left, target_account_id=FAUCET))
    WAYS[state](desk, 10_000)
    desk.engine.state.markets[MARKET].mark_ticks = 9_700  # whatever brought it there
    desk.engine.state.markets[MARKET].version += 1
    desk.engine.state.mark_epoch += 1
    desk.engine.state.accounts[ALICE].cross.short_ms = 1  # and was so by earlier prices, too
    desk.now_ms += 1
    desk.engine.begin(desk.now_ms)
    desk.engine.apply(SweepLiquidations())
    desk.engine.finish()
    assert (desk.position(ALICE) < 1_000) is allows(state, "liquidate")


@pytest.mark.parametrize("state", STATES)
def test_it_samples_funding_as_the_table_says(state: IndexState) -> None:
    desk = in_state(state)
    market = desk.engine.state.markets[MARKET]
    assert (market.premium_sampled_ms == desk.now_ms) is allows(state, "fund")


@pytest.mark.parametrize("state", ["disputed", "stale"])
def test_it_holds_reductions_to_the_band_around_the_last_mark(state: IndexState) -> None:
    """Two friends must not hand equity over at a price of their own while nobody can be liquidated."""
    desk = in_state(state)
    desk.cancel_all(ALICE)
    refused = desk.sell(ALICE, 5, 8_999, reduce_only=True).reject
    assert refused is not None
    assert refused.code == "PRICE_OUT_OF_BAND"
    assert desk.sell(ALICE, 5, 9_990, reduce_only=True).reject is None
