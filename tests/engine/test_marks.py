"""Index and mark: what moves them, and what does not."""

import pytest

from markets.commands import ClockTick, HaltIndex, Observation, ObservePrice, Withdraw
from markets.ledger import FAUCET
from tests.engine.desk import ALICE, BOB, CHARLIE, E8, MARKET, Desk
from trading.engine import marks

TICK_E8 = E8 // 10


def observe(desk: Desk, source: str, ticks: int, published_ms: int, confidence_ticks: int = 0) -> None:
    observation = Observation(MARKET, source, ticks * TICK_E8, confidence_ticks * TICK_E8, published_ms)
    desk.do(ObservePrice(observations=(observation,)))


def lone(index: int = 10_000) -> Desk:
    """A desk whose market has one source."""
    desk = Desk(index=0)
    say(desk, index)
    return desk


def verdict(desk: Desk) -> str:
    index = desk.market().index
    assert index is not None
    return index.readings[0].verdict


def say(desk: Desk, ticks: int, source: str = "pyth", *, after_ms: int = 1_000) -> None:
    desk.now_ms += after_ms
    observe(desk, source, ticks, desk.now_ms)


def test_it_takes_mark_from_the_index_when_the_book_is_empty() -> None:
    desk = Desk(index=0)
    assert desk.market().oracle_state == "stale"
    desk.price(10_000)
    market = desk.market()
    assert (market.mark_ticks, market.index_e8, market.oracle_state) == (10_000, 10_000 * TICK_E8, "valid")


def test_it_takes_mark_from_the_book_within_a_band_around_the_index() -> None:
    desk = Desk(mark_clamp_ppm=5_000)
    desk.buy(ALICE, 10, 10_090)
    desk.sell(BOB, 10, 10_110)
    desk.price(10_000)
    assert desk.market().mark_ticks == 10_050


def test_it_moves_mark_only_on_prices_and_ticks() -> None:
    desk = Desk()
    desk.buy(ALICE, 10, 10_020)
    desk.sell(BOB, 10, 10_030)
    desk.trade(5, 10_020, buyer=CHARLIE, seller=BOB)
    assert desk.market().mark_ticks == 10_000
    desk.do(ClockTick())
    assert desk.market().mark_ticks > 10_000


def test_it_reports_a_price_only_when_it_looks_different() -> None:
    desk = Desk()
    desk.price(10_000)
    assert desk.named("MarkChanged") == []
    desk.price(10_001)
    assert [(event.mark_ticks, event.state) for event in desk.named("MarkChanged")] == [(10_001, "valid")]


def test_it_drops_repeats_and_older_observations() -> None:
    desk = Desk()
    observe(desk, "pyth", 10_100, desk.now_ms - 10)
    assert desk.market().mark_ticks == 10_000
    observe(desk, "pyth", 10_100, desk.now_ms + 10_000)
    assert desk.market().mark_ticks == 10_000


def test_it_combines_sources() -> None:
    desk = lone()
    say(desk, 10_010, "coingecko")
    market = desk.market()
    assert (market.index_e8, market.oracle_state) == (10_005 * TICK_E8, "valid")
    assert [source[0] for source in market.oracle_sources] == ["coingecko", "pyth"]


def test_it_keeps_mark_and_refuses_risk_while_sources_dispute() -> None:
    desk = lone()
    say(desk, 10_900, "coingecko")
    market = desk.market()
    assert (market.mark_ticks, market.oracle_state) == (10_000, "disputed")
    reply = desk.buy(ALICE, 10, 9_990)
    assert reply.reject is not None
    assert reply.reject.code == "PRICE_STALE"


def test_it_holds_a_jump_until_it_is_confirmed() -> None:
    desk = lone()
    say(desk, 12_000)
    assert desk.market().mark_ticks == 10_000
    assert desk.named("MarkChanged")[0].readings[0].verdict == "jump_unconfirmed"
    desk.restart()
    say(desk, 12_010)
    assert desk.market().oracle_state == "uncertain"
    assert desk.market().index_e8 == 10_100 * TICK_E8


def test_it_takes_a_jump_that_two_sources_have_at_once() -> None:
    desk = Desk()
    desk.price(12_000)
    assert (desk.market().mark_ticks, desk.market().oracle_state) == (12_000, "valid")


def test_it_forgets_a_jump_that_is_not_confirmed() -> None:
    desk = lone()
    say(desk, 12_000)
    say(desk, 10_001)
    say(desk, 12_000)
    assert desk.market().mark_ticks == 10_001


def test_it_lets_a_lone_source_move_the_index_by_one_per_cent_at_once() -> None:
    desk = lone()
    say(desk, 10_900)
    assert desk.market().mark_ticks == 10_100
    assert desk.market().oracle_state == "uncertain"  # it is 800 ticks away from its only source
    say(desk, 10_901, after_ms=100)
    assert desk.market().mark_ticks == 10_110
    for _ in range(10):
        say(desk, 10_901)
    assert (desk.market().mark_ticks, desk.market().oracle_state) == (10_901, "single")


@pytest.mark.parametrize(("source", "width"), [("coingecko", 0), ("pyth", 150)])
def test_it_lets_no_lone_source_move_an_uncertain_price_faster(source: str, width: int) -> None:
    """A fallback source, and one that is unsure of itself."""
    desk = Desk(index=0)
    for ticks in (10_000, 10_900, 10_950):
        desk.now_ms += 1_000
        observe(desk, source, ticks, desk.now_ms, width)
    assert (desk.market().mark_ticks, desk.market().oracle_state) == (10_201, "uncertain")


def test_it_confirms_a_jump_by_no_old_suspect() -> None:
    desk = lone()
    say(desk, 12_000)
    desk.wait(60_001)
    assert verdict(desk) == "jump_unconfirmed"
    say(desk, 12_000)
    assert verdict(desk) == "jump_unconfirmed"
    say(desk, 12_000)
    assert verdict(desk) == "counted"


def test_it_opens_again_only_after_the_sources_were_good_for_a_while() -> None:
    desk = Desk()
    desk.wait(60_001)
    assert desk.market().oracle_state == "stale"
    desk.publish(10_020, MARKET, ("pyth", "pyth_solana"))
    assert (desk.market().oracle_state, desk.market().mark_ticks) == ("stale", 10_000)
    desk.restart()
    desk.now_ms += 2_998
    desk.publish(10_020, MARKET, ("pyth", "pyth_solana"))
    assert desk.market().oracle_state == "stale"
    desk.publish(10_020, MARKET, ("pyth", "pyth_solana"))
    assert (desk.market().oracle_state, desk.market().mark_ticks) == ("valid", 10_020)


def test_it_does_not_open_again_on_one_publication_and_time() -> None:
    desk = Desk()
    desk.wait(60_001)
    desk.publish(10_020, MARKET, ("pyth", "pyth_solana"))
    desk.wait(10_000)
    assert desk.market().oracle_state == "stale"


def test_it_starts_to_recover_anew_after_a_relapse() -> None:
    desk = lone()
    say(desk, 10_900, "coingecko")
    say(desk, 10_050, "coingecko")
    say(desk, 10_900, "coingecko")
    for _ in range(3):
        say(desk, 10_050, "coingecko")
        assert desk.market().oracle_state == "disputed"
    say(desk, 10_050, "coingecko")
    assert desk.market().oracle_state == "valid"


def test_it_liquidates_nobody_on_a_fallback_source_alone() -> None:
    desk = Desk()
    desk.lever(50)
    desk.sell(BOB, 4_000, 10_000)
    desk.buy(ALICE, 4_000, 10_000)
    desk.do(Withdraw(account_id=ALICE, asset="USDC", amount_atoms=desk.account(ALICE).withdrawable_atoms, target_account_id=FAUCET))
    desk.wait(60_001)
    for ticks in range(9_990, 8_999, -90):
        say(desk, ticks, "coingecko")
    market = desk.market()
    assert (market.mark_ticks, market.oracle_state) == (9_000, "uncertain")
    assert desk.account(ALICE).equity_atoms < desk.account(ALICE).maintenance_margin_atoms
    assert desk.position(ALICE) == 4_000
    desk.price(9_000)
    desk.price(9_000)
    assert desk.position(ALICE) < 4_000


def test_it_stops_the_use_of_a_price_that_staff_halts() -> None:
    desk = Desk()
    assert desk.do(HaltIndex(index_id=MARKET, reason="wrong feed", author="ann")).reject is None
    assert desk.market().oracle_state == "halted"
    desk.restart()
    desk.price(10_050)
    assert (desk.market().oracle_state, desk.market().mark_ticks) == ("halted", 10_000)
    refused = desk.buy(ALICE, 10, 9_990, reduce_only=True)
    assert refused.reject is not None
    assert refused.reject.code == "PRICE_STALE"
    again = desk.do(HaltIndex(index_id=MARKET, reason="wrong feed"))
    assert again.reject is not None
    desk.do(HaltIndex(index_id=MARKET, reason=""))
    assert desk.market().oracle_state == "halted"
    desk.price(10_050)
    assert (desk.market().oracle_state, desk.market().mark_ticks) == ("valid", 10_050)


def test_it_halts_a_price_that_is_out_of_all_proportion() -> None:
    desk = Desk()
    desk.wait(1_000)
    desk.price(60_000)
    assert (desk.market().oracle_state, desk.market().mark_ticks) == ("halted", 10_000)


def test_it_reports_the_price_of_an_asset_without_a_market() -> None:
    desk = Desk()
    marks.index_for(desk.engine.state, 1_000_001, "USDT")
    observation = Observation(1_000_001, "pyth", 99_990_000, 10_000, desk.now_ms)
    desk.do(ObservePrice(observations=(observation,)))
    (event,) = desk.named("IndexChanged")
    assert (event.index_id, event.price_e8, event.confidence_e8, event.state) == (1_000_001, 99_990_000, 20_000, "single")
    assert desk.engine.state.indices[1_000_001].price_e8 == 99_990_000
    desk.wait(60_001)
    assert [event.state for event in desk.named("IndexChanged")] == ["stale"]


def test_it_lets_the_basis_fade_when_the_book_is_gone() -> None:
    desk = Desk()
    desk.buy(ALICE, 10, 10_090)
    desk.sell(BOB, 10, 10_110)
    for _ in range(30):
        desk.now_ms += 10_000
        desk.price(10_000)
    assert desk.market().mark_ticks == 10_100
    desk.cancel_all(ALICE)
    desk.price(10_000)
    assert 10_060 < desk.market().mark_ticks < 10_100
    for _ in range(200):
        desk.now_ms += 10_000
        desk.price(10_000)
    assert desk.market().mark_ticks == 10_000


def test_it_falls_back_to_the_source_that_is_left() -> None:
    desk = lone()
    say(desk, 10_010, "pyth_solana", after_ms=30_000)
    desk.now_ms += 40_000
    desk.batch()
    assert desk.market().oracle_state == "single"
    desk.do(ClockTick())
    assert desk.market().mark_ticks == 10_010


def test_it_names_each_source_and_why_it_was_last_refused() -> None:
    desk = lone()
    observe(desk, "pyth", 10_000, desk.now_ms)
    assert desk.named("MarkChanged") == []
    observe(desk, "coingecko", 10_000, desk.now_ms - 60_001)
    observe(desk, "pyth_legacy", 10_500, desk.now_ms)
    observe(desk, "somebody", 10_000, desk.now_ms)
    verdicts = {reading.source: reading.verdict for reading in desk.named("MarkChanged")[0].readings}
    assert verdicts == {"coingecko": "too_old", "pyth": "counted", "pyth_legacy": "not_counted", "somebody": "unknown_source"}
    assert desk.market().index_e8 == 10_000 * TICK_E8
