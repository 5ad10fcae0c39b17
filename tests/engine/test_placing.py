"""What becomes of an order when it enters the book: one row an order, with the outcome."""

from typing import Any

import pytest

from tests.engine.desk import ALICE, BOB, CHARLIE, USDC, Desk

# Bob asks 10 at 10,010 and 10 at 10,020; Charlie bids 10 at 9,990. Alice sends one order.
UNTOUCHED = [(10_010, 10), (10_020, 10)]
ROWS: tuple[tuple[str, dict[str, Any], tuple[str, str | None, int], list[tuple[int, int]], list[tuple[int, int]]], ...] = (
    ("a passive limit rests", {"price": 10_000}, ("open", None, 0), [(10_000, 15), (9_990, 10)], UNTOUCHED),
    ("a crossing limit fills and rests", {"price": 10_010}, ("open", None, 10), [(10_010, 5), (9_990, 10)], [(10_020, 10)]),
    ("it takes better prices first", {"price": 10_050}, ("filled", None, 15), [(9_990, 10)], [(10_020, 5)]),
    ("a market order fills", {}, ("filled", None, 15), [(9_990, 10)], [(10_020, 5)]),
    ("a market order stops", {"price": 10_010, "type": "market"}, ("cancelled", "slippage", 10), [(9_990, 10)], [(10_020, 10)]),
    ("a large market order takes all there is", {"size": 30}, ("cancelled", "slippage", 20), [(9_990, 10)], []),
    ("ioc cancels its rest", {"price": 10_010, "time_in_force": "ioc"}, ("cancelled", "ioc", 10), [(9_990, 10)], [(10_020, 10)]),
    ("ioc without a match ends", {"price": 10_000, "time_in_force": "ioc"}, ("cancelled", "ioc", 0), [(9_990, 10)], UNTOUCHED),
    ("fok fills completely", {"price": 10_020, "time_in_force": "fok"}, ("filled", None, 15), [(9_990, 10)], [(10_020, 5)]),
    ("a market fok fills completely", {"time_in_force": "fok"}, ("filled", None, 15), [(9_990, 10)], [(10_020, 5)]),
    ("post-only rests", {"price": 10_000, "post_only": "reject"}, ("open", None, 0), [(10_000, 15), (9_990, 10)], UNTOUCHED),
    ("post-only slides below the ask", {"price": 10_030, "post_only": "slide"}, ("open", None, 0), [(10_009, 15), (9_990, 10)], UNTOUCHED),
    ("a slide that need not move", {"price": 10_005, "post_only": "slide"}, ("open", None, 0), [(10_005, 15), (9_990, 10)], UNTOUCHED),
)  # fmt: skip


@pytest.mark.parametrize(("row", "order", "outcome", "bids", "asks"), ROWS, ids=[row[0] for row in ROWS])
def test_it_places(
    row: str, order: dict[str, Any], outcome: tuple[str, str | None, int], bids: list[tuple[int, int]], asks: list[tuple[int, int]]
) -> None:
    desk = Desk()
    desk.sell(BOB, 10, 10_010)
    desk.sell(BOB, 10, 10_020)
    desk.buy(CHARLIE, 10, 9_990)
    placed = desk.buy(ALICE, **({"size": 15} | order)).orders[0]
    assert (placed.status, placed.reason, placed.filled_lots) == outcome
    assert desk.book() == (bids, asks)


def test_it_fills_the_oldest_order_of_a_price_first() -> None:
    desk = Desk()
    first = desk.sell(BOB, 5, 10_000).orders[0]
    second = desk.sell(CHARLIE, 5, 10_000).orders[0]
    desk.buy(ALICE, 7, 10_000)
    assert [(fill.maker_order_id, fill.size_lots) for fill in desk.fills()] == [(first.order_id, 5), (second.order_id, 2)]


def test_it_reports_what_was_asked_and_what_was_made_of_it() -> None:
    desk = Desk()
    desk.sell(BOB, 5, 10_000)
    desk.buy(ALICE, 5, 10_050, post_only="slide", client_order_id="mine")
    (accepted,) = desk.named("OrderAccepted")
    assert (accepted.order.price_ticks, accepted.price_ticks) == (10_050, 9_999)
    assert accepted.order.client_order_id == "mine"


def test_it_slides_a_sell_above_the_bid() -> None:
    desk = Desk()
    desk.buy(BOB, 5, 10_000)
    desk.sell(ALICE, 5, 9_950, post_only="slide")
    assert desk.book() == ([(10_000, 5)], [(10_001, 5)])


def test_it_derives_a_market_orders_worst_price_from_mark() -> None:
    desk = Desk(market_slippage_ppm=50_000)
    desk.sell(BOB, 5, 10_000)
    assert desk.buy(ALICE, 5).orders[0].price_ticks == 10_500
    desk.buy(BOB, 5, 10_000)
    assert desk.sell(ALICE, 5).orders[0].price_ticks == 9_500


def test_it_books_fees_and_profit_to_the_atom() -> None:
    desk = Desk(cash=1_000 * USDC)
    desk.trade(7, 10_003, buyer=ALICE, seller=BOB)
    (fill,) = desk.fills()
    value = 7 * 10_003 * 1_000
    assert fill.taker_fee_atoms == 35_011  # 500 ppm of 70,021,000 is 35,010.5, rounded against the taker
    assert fill.maker_fee_atoms == 14_005  # 200 ppm is 14,004.2
    assert (fill.taker_cost_atoms, fill.maker_cost_atoms) == (value, -value)
    desk.trade(3, 10_100, buyer=BOB, seller=ALICE)
    (fill,) = desk.fills()
    assert fill.maker_pnl_atoms == 3 * 97 * 1_000
    assert fill.taker_pnl_atoms == -3 * 97 * 1_000
    assert desk.account(ALICE).balances["USDC"] == 1_000 * USDC - 35_011 + 291_000 - 6_060


def test_it_removes_a_reductions_cost_rounded_up_and_keeps_the_rest_exact() -> None:
    desk = Desk()
    desk.trade(1, 10_000)
    desk.trade(2, 10_001)  # cost 30,002,000 for 3 lots
    desk.trade(1, 10_001, buyer=BOB, seller=ALICE)
    (fill,) = desk.fills()
    assert fill.maker_cost_atoms == 30_002_000 - 10_000_667  # a third is 10,000,666.67
    assert fill.maker_pnl_atoms == 10_001_000 - 10_000_667
    assert fill.taker_cost_atoms == -30_002_000 + 10_000_666
    assert fill.taker_pnl_atoms == -10_001_000 + 10_000_666


def test_it_turns_a_long_into_a_short_in_one_fill() -> None:
    desk = Desk()
    desk.trade(5, 10_000)
    desk.trade(8, 10_020, buyer=CHARLIE, seller=ALICE)
    (position,) = desk.account(ALICE).positions
    assert (position.size_lots, position.cost_atoms) == (-3, -3 * 10_020 * 1_000)
    assert desk.fills()[0].maker_pnl_atoms == 5 * 20 * 1_000


def test_it_gives_an_id_to_an_order_that_has_none() -> None:
    desk = Desk()
    order = desk.buy(ALICE, 10, 9_990).orders[0]
    assert order.client_order_id == f"~{order.order_id}"


def test_it_pays_a_maker_its_rebate() -> None:
    desk = Desk(cash=1_000 * USDC, maker_fee_ppm=-100)
    desk.trade(10, 10_000)
    (fill,) = desk.fills()
    assert fill.maker_fee_atoms == -10_000
    assert desk.account(BOB).balances["USDC"] == 1_000 * USDC + 10_000


SELF_TRADES: tuple[tuple[str, tuple[str, str], list[Any], list[Any]], ...] = (
    ("expire_maker", ("filled", ""), [], [(10_010, 5)]),
    ("expire_taker", ("cancelled", "self_trade"), [], [(10_000, 5), (10_010, 10)]),
    ("expire_both", ("cancelled", "self_trade"), [], [(10_010, 10)]),
)


@pytest.mark.parametrize(("mode", "outcome", "bids", "asks"), SELF_TRADES)
def test_it_prevents_self_trades(mode: str, outcome: tuple[str, str], bids: list[Any], asks: list[Any]) -> None:
    """Alice's own ask is the best, Bob's is behind it."""
    desk = Desk()
    desk.sell(ALICE, 5, 10_000)
    desk.sell(BOB, 10, 10_010)
    order = desk.buy(ALICE, 5, 10_010, self_trade_prevention=mode).orders[0]
    assert (order.status, order.reason or "") == outcome
    assert desk.book() == (bids, asks)
    assert desk.position(ALICE) == (5 if mode == "expire_maker" else 0)


def test_it_does_not_count_own_orders_towards_fok() -> None:
    desk = Desk()
    desk.sell(ALICE, 5, 10_000)
    desk.sell(BOB, 5, 10_000)
    reply = desk.buy(ALICE, 10, 10_000, time_in_force="fok")
    assert reply.reject is not None
    assert reply.reject.code == "FOK_UNFILLABLE"
    assert desk.buy(ALICE, 5, 10_000, time_in_force="fok").orders[0].status == "filled"


def test_it_does_not_count_makers_without_margin_towards_fok() -> None:
    desk = Desk(cash=0)
    for account_id, cash in ((ALICE, 1_000), (BOB, 11), (CHARLIE, 1_000)):
        desk.deposit(account_id, cash * USDC)
    desk.sell(BOB, 10, 10_000)  # needs 10 of Bob's 11 USDC
    desk.sell(CHARLIE, 10, 10_000)
    desk.price(10_200)
    reply = desk.buy(ALICE, 20, 10_200, time_in_force="fok")
    assert reply.reject is not None
    assert reply.reject.code == "FOK_UNFILLABLE"
    assert len(desk.account(BOB).orders) == 1
    assert desk.buy(ALICE, 10, 10_200, time_in_force="fok").orders[0].status == "filled"
    assert desk.account(BOB).orders == ()
    assert desk.position(CHARLIE) == -10
