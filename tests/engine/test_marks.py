"""Index and mark: what moves them, and what does not."""

from markets.commands import ClockTick, Observation, ObservePrice
from tests.engine.desk import ALICE, BOB, CHARLIE, E8, MARKET, Desk

TICK_E8 = E8 // 10


def observe(desk: Desk, source: str, ticks: int, published_ms: int, confidence_ticks: int = 0) -> None:
    observation = Observation(MARKET, source, ticks * TICK_E8, confidence_ticks * TICK_E8, published_ms)
    desk.do(ObservePrice(observations=(observation,)))


def test_it_takes_mark_from_the_index_when_the_book_is_empty() -> None:
    desk = Desk(index=0)
    assert desk.market().oracle_state == "stale"
    desk.price(10_000)
    market = desk.market()
    assert (market.mark_ticks, market.index_e8, market.oracle_state) == (10_000, 10_000 * TICK_E8, "single")


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
    assert [(event.mark_ticks, event.state) for event in desk.named("MarkChanged")] == [(10_001, "single")]


def test_it_drops_repeats_and_older_observations() -> None:
    desk = Desk()
    observe(desk, "pyth", 10_100, desk.now_ms - 10)
    assert desk.market().mark_ticks == 10_000
    observe(desk, "pyth", 10_100, desk.now_ms + 10_000)
    assert desk.market().mark_ticks == 10_000


def test_it_combines_sources() -> None:
    desk = Desk()
    desk.now_ms += 5
    observe(desk, "coingecko", 10_010, desk.now_ms)
    market = desk.market()
    assert (market.index_e8, market.oracle_state) == (10_005 * TICK_E8, "valid")
    assert [source[0] for source in market.oracle_sources] == ["coingecko", "pyth"]


def test_it_keeps_mark_and_refuses_risk_while_sources_dispute() -> None:
    desk = Desk()
    desk.now_ms += 5
    observe(desk, "coingecko", 10_900, desk.now_ms)
    market = desk.market()
    assert (market.mark_ticks, market.oracle_state) == (10_000, "disputed")
    reply = desk.buy(ALICE, 10, 9_990)
    assert reply.reject is not None
    assert reply.reject.code == "PRICE_STALE"


def test_it_holds_a_lone_sources_jump_until_it_is_confirmed() -> None:
    desk = Desk()
    desk.price(12_000)
    assert desk.market().mark_ticks == 10_000
    desk.restart()
    desk.price(12_010)
    assert desk.market().mark_ticks == 12_010


def test_it_forgets_a_jump_that_is_not_confirmed() -> None:
    desk = Desk()
    desk.price(12_000)
    desk.price(10_001)
    desk.price(12_000)
    assert desk.market().mark_ticks == 10_001


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
    desk = Desk()
    desk.now_ms += 30_000
    observe(desk, "coingecko", 10_010, desk.now_ms)
    desk.now_ms += 40_000
    desk.batch()
    assert desk.market().oracle_state == "single"
    desk.do(ClockTick())
    assert desk.market().mark_ticks == 10_010
