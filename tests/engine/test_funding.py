"""Funding: once a market and hour, exact, and zero for an hour that saw no price."""

from fractions import Fraction
from math import ceil, floor

from markets.commands import ClockTick
from markets.events import FundingPaid
from markets.ledger import DUST
from tests.engine.desk import ALICE, BOB, CHARLIE, MARKET, START_MS, USDC, Desk

HOUR_MS = 3_600_000


def bid_up(desk: Desk, price: int) -> None:
    """Quote for more than the impact notional, above the index."""
    desk.buy(CHARLIE, 200, price)
    desk.sell(CHARLIE, 200, price + 10)


def second_hour(bid: int) -> Desk:
    """Go to the second hour with ten lots from Bob to Alice; all of its samples see the same bid."""
    desk = Desk(oracle_max_age_ms=2 * HOUR_MS)
    desk.trade(10, 10_000, buyer=ALICE, seller=BOB)
    bid_up(desk, bid)
    desk.now_ms = START_MS + HOUR_MS
    desk.price(10_000)
    return desk


def paid(desk: Desk) -> FundingPaid:
    found: list[FundingPaid] = [event for event in desk.named("FundingPaid") if event.market_id == MARKET]
    assert len(found) == 1
    return found[0]


def test_it_pays_the_hours_rate_to_the_atom() -> None:
    """A premium of 0.5 % less the clamp of 0.05 % is 0.45 % for eight hours: 0.05625 % of 100 USDC is 0.05625."""
    desk = second_hour(10_050)
    before = {account_id: desk.account(account_id).balances["USDC"] for account_id in (ALICE, BOB)}
    desk.now_ms = START_MS + 2 * HOUR_MS
    desk.do(ClockTick())
    event = paid(desk)
    assert (event.due_ms, event.rate_ppb, event.dust_atoms) == (START_MS + 2 * HOUR_MS, 562_500, 0)
    assert event.payments == ((ALICE, -56_250), (BOB, 56_250))
    assert desk.account(ALICE).balances["USDC"] == before[ALICE] - 56_250
    assert desk.account(BOB).balances["USDC"] == before[BOB] + 56_250


def test_it_keeps_the_sum_of_rates_and_prices_however_large() -> None:
    """What a position paid over any time is its size times the change of one number, which outgrows 64 bits within weeks."""
    desk = second_hour(10_050)
    desk.engine.state.markets[MARKET].cumulative_funding = 10**25
    desk.now_ms = START_MS + 2 * HOUR_MS
    desk.do(ClockTick())
    event = paid(desk)
    assert int(event.cumulative) == 10**25 + event.rate_ppb * event.index_e8
    desk.restart()
    assert desk.engine.state.markets[MARKET].cumulative_funding == int(event.cumulative)


def test_it_rounds_against_the_user_and_keeps_the_dust() -> None:
    desk = Desk()
    desk.trade(7, 10_000, buyer=ALICE, seller=BOB)
    bid_up(desk, 10_053)
    desk.price(10_001)
    desk.now_ms = START_MS + HOUR_MS
    desk.do(ClockTick())
    event = paid(desk)
    exact = Fraction(7 * 10_001 * 1_000 * event.rate_ppb, 10**9)
    assert exact.denominator > 1
    assert event.payments == ((ALICE, -ceil(exact)), (BOB, floor(exact)))
    assert event.dust_atoms == 1
    assert desk.account(DUST).balances["USDC"] == 1


def test_it_weighs_the_premium_by_time() -> None:
    """0.5 % for a quarter of the covered time and nothing for the rest is 0.125 %, less 0.05 %; an eighth of it."""
    desk = second_hour(10_050)
    desk.now_ms = START_MS + HOUR_MS + 1 + (HOUR_MS - 1) // 4
    desk.cancel_all(CHARLIE)
    desk.price(10_000)
    desk.now_ms = START_MS + 2 * HOUR_MS
    desk.do(ClockTick())
    assert paid(desk).rate_ppb == (1_250_000 - 500_000) // 8


def test_it_pays_once_an_hour_also_after_downtime() -> None:
    desk = second_hour(10_050)
    desk.now_ms = START_MS + 4 * HOUR_MS + 5
    desk.restart()
    desk.do(ClockTick())
    events = [event for event in desk.named("FundingPaid") if event.market_id == MARKET]
    assert [event.due_ms - START_MS for event in events] == [2 * HOUR_MS, 3 * HOUR_MS, 4 * HOUR_MS]
    assert [(event.rate_ppb, len(event.payments)) for event in events] == [(562_500, 2), (0, 0), (0, 0)]
    desk.do(ClockTick())
    assert desk.named("FundingPaid") == []


def test_it_caps_the_rate() -> None:
    desk = Desk(funding_cap_ppb=1_000_000)
    bid_up(desk, 10_050)
    desk.price(10_000)
    desk.now_ms = START_MS + HOUR_MS
    desk.do(ClockTick())
    assert paid(desk).rate_ppb == 125_000


def test_it_shows_the_rate_that_this_hour_is_heading_for() -> None:
    desk = second_hour(10_050)
    assert desk.market().predicted_funding_ppb == 562_500
    assert desk.market().next_funding_ms == START_MS + 2 * HOUR_MS


def test_it_charges_interest_on_a_book_without_premium() -> None:
    desk = Desk(cash=1_000 * USDC)
    desk.price(10_000)
    desk.now_ms = START_MS + HOUR_MS
    desk.do(ClockTick())
    assert paid(desk).rate_ppb == 100_000 // 8
