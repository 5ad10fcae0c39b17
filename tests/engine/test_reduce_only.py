"""Reduce-only orders follow the position."""

from tests.engine.desk import ALICE, BOB, CHARLIE, Desk


def long_alice(lots: int = 10) -> Desk:
    desk = Desk()
    desk.trade(lots, 10_000, buyer=ALICE, seller=BOB)
    return desk


def test_it_clamps_a_reduce_only_order_to_the_position() -> None:
    desk = long_alice(10)
    order = desk.sell(ALICE, 25, 10_050, reduce_only=True).orders[0]
    assert order.size_lots == 10
    desk.buy(CHARLIE, 25, 10_050)
    assert desk.position(ALICE) == 0


def test_it_shrinks_a_resting_reduce_only_order_with_the_position() -> None:
    desk = long_alice(10)
    order = desk.sell(ALICE, 10, 10_050, reduce_only=True).orders[0]
    desk.trade(4, 10_000, buyer=BOB, seller=ALICE)
    (amended,) = desk.named("OrderAmended")
    assert (amended.order_id, amended.size_lots) == (order.order_id, 6)
    assert desk.book() == ([], [(10_050, 6)])


def test_it_cancels_a_reduce_only_order_when_the_position_is_gone() -> None:
    desk = long_alice(10)
    desk.sell(ALICE, 10, 10_050, reduce_only=True)
    desk.trade(10, 10_000, buyer=BOB, seller=ALICE)
    (cancelled,) = desk.named("OrderCancelled")
    assert cancelled.reason == "reduce_only"
    assert desk.book() == ([], [])


def test_it_cancels_a_reduce_only_order_when_the_position_turns() -> None:
    desk = long_alice(10)
    desk.sell(ALICE, 10, 10_050, reduce_only=True)
    desk.trade(15, 10_000, buyer=BOB, seller=ALICE)
    assert desk.position(ALICE) == -5
    assert desk.account(ALICE).orders == ()


def test_it_lets_a_manual_close_pass_a_full_size_reduce_only_order() -> None:
    """A resting take-profit for all of the position does not stand in the way of closing at market."""
    desk = long_alice(10)
    desk.sell(ALICE, 10, 10_050, reduce_only=True)
    desk.buy(BOB, 10, 9_990)
    assert desk.sell(ALICE, 10, reduce_only=True).orders[0].status == "filled"
    assert desk.account(ALICE).orders == ()


def test_it_skips_to_the_next_order_when_a_fill_ends_the_makers_other_order() -> None:
    desk = long_alice(10)
    desk.sell(ALICE, 10, 10_050, reduce_only=True)
    desk.sell(ALICE, 10, 10_050, reduce_only=True)
    desk.sell(BOB, 10, 10_050)
    desk.buy(CHARLIE, 15, 10_050)
    assert (desk.position(ALICE), desk.position(CHARLIE)) == (0, 15)
    assert desk.book() == ([], [(10_050, 5)])


def test_it_holds_no_margin_for_reduce_only_orders() -> None:
    desk = long_alice(10)
    desk.sell(ALICE, 10, 10_050, reduce_only=True)
    assert desk.account(ALICE).order_margin_atoms == 0


def test_it_reduces_on_a_stale_price() -> None:
    desk = long_alice(10)
    desk.buy(CHARLIE, 10, 10_000)
    desk.wait(60_001)
    assert desk.sell(ALICE, 10, reduce_only=True).orders[0].status == "filled"


def test_it_reduces_without_free_margin() -> None:
    desk = Desk(cash=0)
    for account_id, cash in ((ALICE, 12), (BOB, 1_000), (CHARLIE, 1_000)):
        desk.deposit(account_id, cash * 1_000_000)
    desk.trade(10, 10_000, buyer=ALICE, seller=BOB)  # ten of Alice's twelve USDC
    desk.price(9_700)
    assert desk.account(ALICE).available_atoms < 0
    desk.buy(CHARLIE, 20, 9_700)
    refused = desk.sell(ALICE, 20, 9_700)
    assert refused.reject is not None
    assert refused.reject.code == "INSUFFICIENT_MARGIN"
    assert desk.sell(ALICE, 10, 9_700).orders[0].status == "filled"
