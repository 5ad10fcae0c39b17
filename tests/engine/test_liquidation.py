"""The waterfall, to the atom. Alice is long ten lots from 10,000 with twelve USDC, which lasts down to 8,893 ticks."""

from typing import Any

import pytest

from markets.commands import AdjustBalance, SetMarketStatus, SweepLiquidations
from markets.ledger import BACKSTOP, DUST, FAUCET, FEES, INSURANCE
from markets.parameters import MarketStatus
from tests.engine.desk import ALICE, BOB, CHARLIE, MARKET, OTHER, USDC, Desk
from trading.engine.snapshot import state_hash

LIQUIDATION_TICKS = 8_893
BACKSTOP_TICKS = 8_840  # where less than half of the maintenance is left


def leveraged_alice(other_lots: int = 0, lots: int = 10, **changes: Any) -> Desk:
    desk = Desk(cash=0, **changes)
    for account_id, cash in ((ALICE, 12 * lots // 10), (BOB, 1_000 * lots // 10), (CHARLIE, 1_000 * lots // 10)):
        desk.deposit(account_id, cash * USDC)
    desk.trade(lots, 10_000, buyer=ALICE, seller=BOB)
    if other_lots:
        desk.sell(BOB, other_lots, 10_000, market_id=OTHER)
        desk.buy(ALICE, other_lots, 10_000, market_id=OTHER)
    desk.price(9_400)
    return desk


def fund(desk: Desk, account_id: int, usdc: int) -> None:
    desk.do(
        AdjustBalance(
            debit_account_id=FAUCET, credit_account_id=account_id, asset="USDC", amount_atoms=usdc * USDC, reason="capital", author="test"
        )
    )


def fall(desk: Desk, ticks: int) -> None:
    """Let the index fall, and say so twice."""
    desk.price(ticks)
    desk.confirm()


def cash(desk: Desk, account_id: int) -> int:
    return desk.account(account_id).balances["USDC"]


def test_it_names_the_first_tick_that_liquidates() -> None:
    desk = leveraged_alice()
    assert desk.account(ALICE).positions[0].liquidation_ticks == LIQUIDATION_TICKS
    fall(desk, LIQUIDATION_TICKS + 1)
    assert desk.named("LiquidationStarted") == []
    fall(desk, LIQUIDATION_TICKS)
    (started,) = desk.named("LiquidationStarted")
    assert (started.account_id, started.market_id) == (ALICE, 0)
    assert started.equity_atoms == 11_950_000 - 11_070_000
    assert started.maintenance_atoms == 889_300


def test_it_waits_for_a_second_observation() -> None:
    """One print liquidates nobody: not by itself, not by time or by a sweep, only when it is published again."""
    desk = leveraged_alice()
    desk.price(LIQUIDATION_TICKS)
    assert desk.named("LiquidationStarted") == []
    desk.wait(1_000)
    desk.do(SweepLiquidations())
    assert desk.named("LiquidationStarted") == []
    desk.price(LIQUIDATION_TICKS)
    assert len(desk.named("LiquidationStarted")) == 1


def test_it_forgets_a_shortage_that_the_second_observation_does_not_show() -> None:
    desk = leveraged_alice()
    desk.price(LIQUIDATION_TICKS)
    desk.price(LIQUIDATION_TICKS + 1)
    desk.price(LIQUIDATION_TICKS)
    assert desk.named("LiquidationStarted") == []


def test_it_calls_at_two_levels_and_again_only_after_relief() -> None:
    """Equity is 88.05 USDC less than ten lots: a ratio of 0.8 is met at 8,916 ticks, 0.9 at 8,903, and 0.7 left at 8,933."""
    desk = leveraged_alice()
    calls = []
    for ticks in (8_917, 8_916, 8_925, 8_916, 8_903, 8_910, 8_917, 8_932, 8_933, 8_920, 8_910):
        desk.price(ticks)
        calls += [(ticks, event.level) for event in desk.named("MarginCalled")]
    assert calls == [(8_916, 1), (8_903, 2), (8_917, 1), (8_933, 0), (8_910, 1)]


def test_it_calls_before_it_liquidates_however_fast_the_fall() -> None:
    desk = leveraged_alice()
    desk.price(LIQUIDATION_TICKS)
    (called,) = desk.named("MarginCalled")
    assert (called.account_id, called.market_id, called.level) == (ALICE, 0, 2)
    assert (called.equity_atoms, called.maintenance_atoms) == (880_000, 889_300)


def test_it_cancels_orders_first() -> None:
    desk = leveraged_alice()
    desk.sell(ALICE, 10, 9_500, reduce_only=True)
    desk.sell(ALICE, 10, type="stop_market", trigger_ticks=8_000, reduce_only=True)
    fall(desk, LIQUIDATION_TICKS)
    kinds = [type(event).__name__ for event in desk.events if type(event).__name__ != "MarkChanged"]
    assert kinds[:3] == ["OrderCancelled", "OrderCancelled", "LiquidationStarted"]
    assert {event.reason for event in desk.named("OrderCancelled")} == {"liquidation"}


def test_it_closes_a_small_position_on_the_book_at_once() -> None:
    desk = leveraged_alice()
    desk.buy(CHARLIE, 20, 8_890)
    fall(desk, LIQUIDATION_TICKS)
    (fill,) = desk.fills()
    assert (fill.kind, fill.size_lots, fill.price_ticks, fill.taker_fee_atoms) == ("liquidation", 10, 8_890, 0)
    (step,) = desk.named("LiquidationStepped")
    assert (step.stage, step.position_lots, step.closed_lots, step.mark_ticks) == ("book", 10, 10, LIQUIDATION_TICKS)
    assert (step.limit_ticks, step.bankruptcy_ticks) == (8_805, 8_805)  # 88 ticks of equity are nearer than 2 %
    assert (step.quote_atoms, step.realised_atoms, step.fee_atoms) == (88_900_000, -11_100_000, 444_500)
    (done,) = desk.named("AccountLiquidated")
    assert (done.closed_quote_atoms, done.fee_atoms, done.insurance_paid_atoms, done.taken_over) == (88_900_000, 444_500, 0, ())
    assert done.equity_atoms == 11_950_000 - 11_100_000 - 444_500
    assert cash(desk, INSURANCE) == 444_500


def test_it_sells_slices_with_a_pause_until_the_buffer_is_there() -> None:
    """Of 1,000 lots a step sells a fifth at most; what is missing with the buffer, fees counted, is more than that."""
    desk = leveraged_alice(lots=1_000, liquidation_full_notional_atoms=0, liquidation_fee_ppm=0)
    desk.buy(CHARLIE, 1_000, 8_893)
    fall(desk, LIQUIDATION_TICKS)
    (first,) = desk.named("LiquidationStepped")
    assert first.wanted_lots == 101  # (97,823,000 of maintenance with its buffer - 88,000,000) / 97,823 for each lot, rounded up
    assert first.closed_lots == 113  # which a step's minimum of 1,000 USDC is worth
    assert desk.position(ALICE) == 887
    (done,) = desk.named("AccountLiquidated")
    assert done.equity_atoms == first.equity_after_atoms == 88_000_000
    assert done.maintenance_atoms == 887 * 88_930


def test_it_goes_on_after_the_pause() -> None:
    desk = leveraged_alice(lots=1_000, liquidation_full_notional_atoms=0, liquidation_min_notional_atoms=1)
    desk.buy(CHARLIE, 1_000, 8_870)
    fall(desk, 8_870)
    (first,) = desk.named("LiquidationStepped")
    assert (first.closed_lots, desk.position(ALICE)) == (200, 800)
    assert desk.named("AccountLiquidated") == []
    desk.wait(4_999)
    assert desk.named("LiquidationStepped") == []
    restarted = state_hash(desk.engine.state)
    desk.restart()
    assert state_hash(desk.engine.state) == restarted
    desk.wait(1)
    (second,) = desk.named("LiquidationStepped")
    assert (second.step, second.closed_lots) == (2, 160)


def test_it_leaves_a_position_alone_that_the_book_cannot_take_while_there_is_time() -> None:
    desk = leveraged_alice()
    fund(desk, BACKSTOP, 1_000)
    desk.buy(CHARLIE, 10, 8_700)  # worse than bankruptcy
    fall(desk, LIQUIDATION_TICKS)
    assert desk.fills() == []
    assert desk.position(ALICE) == 10
    desk.price(LIQUIDATION_TICKS + 10)  # recovered
    (done,) = desk.named("AccountLiquidated")
    assert (done.closed_quote_atoms, done.fee_atoms, done.taken_over) == (0, 0, ())


def test_it_hands_over_to_the_backstop_at_a_discount() -> None:
    desk = leveraged_alice()
    fund(desk, BACKSTOP, 1_000)
    fall(desk, BACKSTOP_TICKS - 10)  # 25 of 88 ticks are left: less than the discount of 0.5 %
    (step,) = desk.named("LiquidationStepped")
    assert (step.stage, step.closed_lots, step.limit_ticks, step.bankruptcy_ticks) == ("backstop", 10, 8_805, 8_805)
    (done,) = desk.named("AccountLiquidated")
    assert done.taken_over == ((MARKET, 10, 8_805),)
    assert cash(desk, ALICE) == 0
    (position,) = desk.account(BACKSTOP).positions
    assert (position.size_lots, position.cost_atoms) == (10, 88_050_000)
    assert cash(desk, INSURANCE) == 0


def test_it_leaves_the_owner_what_the_discount_does_not_take() -> None:
    desk = leveraged_alice(liquidation_fee_ppm=1_000)
    fund(desk, BACKSTOP, 1_000)
    fall(desk, BACKSTOP_TICKS)
    (step,) = desk.named("LiquidationStepped")
    assert (step.limit_ticks, step.bankruptcy_ticks) == (8_832, 8_805)
    assert cash(desk, ALICE) == 270_000


def test_it_pays_a_debt_from_insurance_and_hands_the_position_over_at_mark() -> None:
    desk = leveraged_alice()
    fund(desk, INSURANCE, 2)
    fund(desk, BACKSTOP, 1_000)
    fall(desk, 8_700)
    (paid,) = desk.named("InsurancePaid")
    assert (paid.payer_account_id, paid.owed_atoms, paid.paid_atoms, paid.balance_atoms) == (INSURANCE, 1_050_000, 1_050_000, 950_000)
    (done,) = desk.named("AccountLiquidated")
    assert (done.insurance_paid_atoms, done.taken_over) == (1_050_000, ((MARKET, 10, 8_700),))
    assert (done.equity_atoms, done.maintenance_atoms) == (0, 0)
    assert (cash(desk, ALICE), cash(desk, INSURANCE)) == (0, 950_000)


def test_it_deleverages_what_insurance_cannot_pay_and_leaves_the_fund_at_zero() -> None:
    """Of a debt of 1.05 USDC the fund pays one; Bob closes at 8,705 ticks, not at 8,700, and bears the 0.05."""
    desk = leveraged_alice()
    fund(desk, INSURANCE, 1)
    before = cash(desk, BOB)
    fall(desk, 8_700)
    assert cash(desk, INSURANCE) == 0
    (closed,) = desk.named("PositionDeleveraged")
    assert (closed.account_id, closed.position_lots, closed.closed_lots, closed.quote_atoms) == (BOB, -10, -10, 87_050_000)
    assert (closed.profit_atoms, closed.side_profit_atoms) == (13_000_000, 13_000_000)
    assert cash(desk, BOB) == before + 12_950_000
    (done,) = desk.named("AccountLiquidated")
    assert done.deleveraged == ((MARKET, 10, 87_050_000),)
    assert (cash(desk, ALICE), done.equity_atoms) == (0, 0)
    assert (desk.position(ALICE), desk.position(BOB)) == (0, 0)


def test_it_deleverages_when_the_backstop_is_full() -> None:
    """Bob closes at Alice's bankruptcy price, which is worse for her and better for him than mark."""
    desk = leveraged_alice()
    before = cash(desk, BOB)
    fall(desk, BACKSTOP_TICKS)
    (step,) = desk.named("LiquidationStepped")
    assert (step.stage, step.bankruptcy_ticks, step.quote_atoms) == ("deleveraging", 8_805, 88_050_000)
    assert cash(desk, BOB) == before + 11_950_000
    assert cash(desk, ALICE) == 0


def test_it_charges_no_more_fee_than_there_is() -> None:
    desk = leveraged_alice()
    desk.buy(CHARLIE, 10, 8_810)
    fall(desk, 8_860)
    (done,) = desk.named("AccountLiquidated")
    assert done.fee_atoms == 11_950_000 - 11_900_000
    assert done.equity_atoms == 0


def test_it_never_liquidates_on_an_old_price() -> None:
    """Alice holds the other market too; while its price is old, the first market's fall liquidates nothing."""
    desk = leveraged_alice(other_lots=1)
    assert desk.position(ALICE, OTHER) == 1
    desk.now_ms += 60_001
    for _ in range(3):
        desk.price(9_400)
        desk.price(8_700)
        assert desk.named("LiquidationStarted") == []
    desk.price(10_000, market_id=OTHER)
    desk.confirm()
    assert len(desk.named("LiquidationStarted")) == 1


def test_it_waits_until_the_market_matches_and_then_sweeps() -> None:
    desk = leveraged_alice()
    desk.do(SetMarketStatus(market_id=MARKET, status="halted", reason="test"))
    fall(desk, 8_700)
    assert desk.position(ALICE) == 10
    desk.do(SetMarketStatus(market_id=MARKET, status="normal", reason="test"))
    fall(desk, 8_700)
    assert desk.position(ALICE) == 0


@pytest.mark.parametrize("funds", [(0, 0), (5, 1_000)])
def test_it_never_touches_accounts_without_positions(funds: tuple[int, int]) -> None:
    desk = leveraged_alice()
    fund(desk, INSURANCE, funds[0] or 1)
    fund(desk, BACKSTOP, funds[1] or 1)
    before = desk.account(CHARLIE)
    fall(desk, 8_700)
    desk.do(SweepLiquidations())
    assert desk.position(ALICE) == 0
    assert desk.account(CHARLIE) == before
    assert cash(desk, DUST) == 0
    assert cash(desk, FEES) == 70_000  # of Alice's and Bob's trade


def test_it_lets_a_liquidations_fill_trigger_others() -> None:
    desk = leveraged_alice()
    stop = desk.sell(CHARLIE, 5, type="stop_market", trigger_ticks=8_891, trigger_by="last").orders[0]
    desk.buy(BOB, 20, 8_890)
    fall(desk, LIQUIDATION_TICKS)
    assert [event.order_id for event in desk.named("OrderTriggered")] == [stop.order_id]
    assert desk.position(CHARLIE) == -5


def set_status(desk: Desk, status: MarketStatus, market_id: int) -> None:
    desk.do(SetMarketStatus(market_id=market_id, status=status, reason="test"))


@pytest.mark.parametrize("status", ["post_only", "cancel_only", "halted"])
def test_it_is_not_stopped_by_a_position_in_a_market_that_is_closed(status: MarketStatus) -> None:
    desk = leveraged_alice(other_lots=1)
    desk.buy(CHARLIE, 20, 8_890)
    set_status(desk, status, OTHER)
    fall(desk, 8_895)
    (step,) = desk.named("LiquidationStepped")
    assert (step.stage, step.market_id) == ("book", MARKET)
    assert desk.position(ALICE, OTHER) == 1
    assert len(desk.named("AccountLiquidated")) == 1


@pytest.mark.parametrize("status", ["post_only", "cancel_only"])
@pytest.mark.parametrize("market_id", [0, MARKET])
def test_it_closes_without_the_book_where_nothing_is_matched(status: MarketStatus, market_id: int) -> None:
    desk = leveraged_alice()
    fund(desk, BACKSTOP, 1_000)
    desk.buy(CHARLIE, 20, 8_890)
    set_status(desk, status, market_id)
    fall(desk, LIQUIDATION_TICKS)
    (step,) = desk.named("LiquidationStepped")
    assert step.stage == "backstop"
    assert (desk.position(ALICE), desk.position(BACKSTOP)) == (0, 10)
    assert desk.fills() == []


@pytest.mark.parametrize("status", ["post_only", "cancel_only"])
def test_it_deleverages_the_backstop_where_nothing_is_matched(status: MarketStatus) -> None:
    desk = leveraged_alice()
    fund(desk, BACKSTOP, 5)
    set_status(desk, status, MARKET)
    fall(desk, LIQUIDATION_TICKS)
    assert desk.position(BACKSTOP) == 10
    fall(desk, 8_300)
    assert desk.position(BACKSTOP) == 0


def test_it_leaves_a_position_at_rest_with_its_share_of_a_debt() -> None:
    """Both markets fall; what is halted is not closed, and once nothing else is left the fund pays no more for it."""
    desk = leveraged_alice(other_lots=1)
    fund(desk, INSURANCE, 1_000)
    set_status(desk, "halted", OTHER)
    fall(desk, 8_700)
    assert (desk.position(ALICE), desk.position(ALICE, OTHER)) == (0, 1)
    left = cash(desk, INSURANCE)
    assert desk.named("AccountLiquidated") == []
    desk.restart()
    desk.price(8_700, market_id=OTHER)
    desk.confirm()
    assert cash(desk, INSURANCE) == left
    assert desk.position(ALICE, OTHER) == 1
    set_status(desk, "normal", OTHER)
    desk.confirm()
    desk.confirm()
    assert desk.position(ALICE, OTHER) == 0
    assert cash(desk, ALICE) == 0


def test_it_waits_while_the_exchange_is_halted() -> None:
    desk = leveraged_alice()
    set_status(desk, "halted", 0)
    fall(desk, 8_700)
    assert desk.position(ALICE) == 10
    set_status(desk, "normal", 0)
    fall(desk, 8_700)
    assert desk.position(ALICE) == 0
