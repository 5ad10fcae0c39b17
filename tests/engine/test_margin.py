"""Cross margin: what positions and open orders need, and who may add risk. 100 USDC is 10 lots at 10,000 ticks."""

import pytest

from markets.commands import SetLeverage, UpdateMarket, Withdraw
from markets.ledger import FAUCET
from tests.engine.desk import ALICE, BOB, CHARLIE, MARKET, OTHER, USDC, Desk, parameters


def test_it_values_an_account_at_mark() -> None:
    desk = Desk(cash=1_000 * USDC)
    desk.trade(10, 10_000)
    desk.price(10_100)
    view = desk.account(ALICE)
    assert view.balances == {"USDC": 999_950_000}
    assert view.unrealised_atoms == 1_000_000
    assert view.equity_atoms == 1_000_950_000
    assert view.initial_margin_atoms == 10_100_000
    assert view.maintenance_margin_atoms == 1_010_000
    assert view.available_atoms == 1_000_950_000 - 10_100_000


def test_it_never_lets_unrealised_profit_leave() -> None:
    desk = Desk(cash=1_000 * USDC)
    desk.trade(10, 10_000)
    desk.price(10_100)
    assert desk.account(ALICE).withdrawable_atoms == 999_950_000 - 10_100_000
    assert desk.account(BOB).withdrawable_atoms == 999_980_000 - 1_000_000 - 10_100_000
    free = desk.account(ALICE).withdrawable_atoms
    over = desk.do(Withdraw(account_id=ALICE, asset="USDC", amount_atoms=free + 1, target_account_id=FAUCET))
    assert over.reject is not None
    assert over.reject.data == {"withdrawable_atoms": free}
    assert desk.do(Withdraw(account_id=ALICE, asset="USDC", amount_atoms=free, target_account_id=FAUCET)).reject is None


def test_it_counts_open_orders_at_their_worst_case() -> None:
    """Long 100 USDC, bids for 49.5 and asks for 301.5: all asks filled is worse, 201.5 short, a tenth of it."""
    desk = Desk(cash=1_000 * USDC)
    desk.trade(10, 10_000)
    desk.buy(ALICE, 5, 9_900)
    desk.sell(ALICE, 30, 10_050)
    view = desk.account(ALICE)
    assert view.initial_margin_atoms == 20_150_000
    assert view.order_margin_atoms == 10_150_000


@pytest.mark.parametrize(("cash", "accepted"), [(11_100_000, True), (11_099_999, False)])
def test_it_asks_for_what_an_order_beyond_mark_would_lose_at_once(cash: int, accepted: bool) -> None:
    """A bid 100 ticks above mark needs a tenth of its 101 USDC, and ten lots x 100 ticks."""
    desk = Desk(cash=cash)
    assert (desk.buy(ALICE, 10, 10_100).reject is None) == accepted


@pytest.mark.parametrize(("cash", "accepted"), [(10_050_000, True), (10_049_999, False)])
def test_it_accepts_exactly_what_margin_and_fee_cover(cash: int, accepted: bool) -> None:
    desk = Desk(cash=0)
    desk.deposit(ALICE, cash)
    desk.deposit(BOB, 1_000 * USDC)
    desk.sell(BOB, 10, 10_000)
    assert (desk.buy(ALICE, 10, 10_000).reject is None) == accepted


def test_it_judges_a_market_order_by_the_prices_on_the_book() -> None:
    """At its worst price, 5 % from mark, it would need 16 USDC; at the ask it needs 10 and the fee."""
    desk = Desk(cash=0)
    desk.deposit(ALICE, 10_050_000)
    desk.deposit(BOB, 1_000 * USDC)
    desk.sell(BOB, 10, 10_000)
    assert desk.buy(ALICE, 10).orders[0].status == "filled"
    assert desk.account(ALICE).available_atoms == 0


def test_it_stops_a_taker_whose_margin_ends_on_the_way() -> None:
    """Bob's order is cancelled for want of margin, so that Alice reaches a worse price than the book showed."""
    desk = Desk(cash=0)
    for account_id, cash in ((ALICE, 10_300_000), (BOB, 11 * USDC), (CHARLIE, 1_000 * USDC)):
        desk.deposit(account_id, cash)
    desk.sell(BOB, 10, 10_000)
    desk.price(10_150)
    desk.sell(CHARLIE, 10, 10_600)
    order = desk.buy(ALICE, 10, 10_600).orders[0]
    assert (order.status, order.reason) == ("cancelled", "margin")
    assert [event.reason for event in desk.named("OrderCancelled")] == ["margin", "margin"]
    assert desk.account(ALICE).available_atoms == 10_300_000


def test_it_cancels_a_maker_that_no_longer_has_the_margin() -> None:
    desk = Desk(cash=0)
    for account_id, cash in ((ALICE, 1_000), (BOB, 11), (CHARLIE, 1_000)):
        desk.deposit(account_id, cash * USDC)
    maker = desk.sell(BOB, 10, 10_000).orders[0]
    desk.price(10_200)
    desk.sell(CHARLIE, 10, 10_200)
    desk.buy(ALICE, 5, 10_200)
    (cancelled,) = desk.named("OrderCancelled")
    assert (cancelled.order_id, cancelled.reason) == (maker.order_id, "margin")
    assert desk.fills()[0].maker_account_id == CHARLIE


def test_it_takes_margin_from_all_markets_together() -> None:
    desk = Desk(cash=0)
    desk.deposit(ALICE, 21 * USDC)
    assert desk.buy(ALICE, 10, 9_990).reject is None
    assert desk.buy(ALICE, 10, 9_990, market_id=OTHER).reject is None
    reply = desk.buy(ALICE, 10, 9_990, market_id=OTHER)
    assert reply.reject is not None
    assert reply.reject.data == {"available_atoms": 21_000_000 - 2 * 9_990_000, "required_atoms": 9_990_000}


def test_it_uses_the_leverage_that_was_set() -> None:
    desk = Desk(cash=1_000 * USDC)
    desk.trade(10, 10_000)
    assert desk.account(ALICE).positions[0].leverage == 10
    desk.do(SetLeverage(account_id=ALICE, market_id=MARKET, leverage=50))
    assert desk.account(ALICE).initial_margin_atoms == 2_000_000
    assert desk.account(ALICE).leverage == {MARKET: 50}
    assert desk.account(ALICE).maintenance_margin_atoms == 1_000_000


def test_it_refuses_a_leverage_that_open_positions_do_not_allow() -> None:
    desk = Desk(cash=12 * USDC)
    desk.trade(10, 10_000)
    reply = desk.do(SetLeverage(account_id=ALICE, market_id=MARKET, leverage=5))
    assert reply.reject is not None
    assert reply.reject.data == {"missing_atoms": 20_000_000 - 11_950_000}
    assert desk.account(ALICE).leverage == {}


def test_it_caps_leverage_by_tier() -> None:
    desk = Desk(cash=1_000_000 * USDC)
    desk.do(SetLeverage(account_id=ALICE, market_id=MARKET, leverage=50))
    desk.do(SetLeverage(account_id=BOB, market_id=MARKET, leverage=50))
    desk.trade(200_000, 10_000)  # two million: the first at 50, the second at 20
    view = desk.account(ALICE)
    assert view.initial_margin_atoms == 20_000 * USDC + 50_000 * USDC
    assert view.maintenance_margin_atoms == 50_000 * USDC - 15_000 * USDC


def test_it_follows_new_parameters() -> None:
    desk = Desk(cash=1_000 * USDC)
    desk.trade(10, 10_000)
    desk.do(UpdateMarket(parameters=parameters(tiers=(parameters().tiers[0].__class__(0, 100_000, 0, 5),))))
    assert desk.account(ALICE).initial_margin_atoms == 20_000_000
    assert desk.account(ALICE).maintenance_margin_atoms == 10_000_000


def test_it_limits_open_interest_but_not_reductions() -> None:
    desk = Desk(max_open_interest_lots=10)
    desk.trade(10, 10_000)
    reply = desk.buy(CHARLIE, 1, 10_000)
    assert reply.reject is not None
    assert reply.reject.code == "OPEN_INTEREST_CAP"
    desk.trade(4, 10_000, buyer=BOB, seller=ALICE)
    assert desk.engine.state.markets[MARKET].open_interest_lots == 6
