"""Amend and cancel."""

from tests.engine.desk import ALICE, BOB, CHARLIE, MARKET, OTHER, Desk


def test_it_keeps_priority_when_only_the_size_goes_down() -> None:
    desk = Desk()
    order = desk.buy(ALICE, 20, 9_990).orders[0]
    desk.buy(CHARLIE, 10, 9_990)
    amended = desk.amend(ALICE, order.order_id, size_lots=10).orders[0]
    assert (amended.size_lots, amended.status) == (10, "open")
    desk.sell(BOB, 10, 9_990)
    assert (desk.position(ALICE), desk.position(CHARLIE)) == (10, 0)


def test_it_loses_priority_when_the_size_goes_up() -> None:
    desk = Desk()
    order = desk.buy(ALICE, 10, 9_990).orders[0]
    desk.buy(CHARLIE, 10, 9_990)
    desk.amend(ALICE, order.order_id, size_lots=11)
    desk.sell(BOB, 10, 9_990)
    assert (desk.position(ALICE), desk.position(CHARLIE)) == (0, 10)


def test_it_loses_priority_when_the_price_moves_away_and_back() -> None:
    desk = Desk()
    order = desk.buy(ALICE, 10, 9_990).orders[0]
    desk.buy(CHARLIE, 10, 9_990)
    desk.amend(ALICE, order.order_id, price_ticks=9_980)
    desk.amend(ALICE, order.order_id, price_ticks=9_990)
    desk.sell(BOB, 10, 9_990)
    assert (desk.position(ALICE), desk.position(CHARLIE)) == (0, 10)


def test_it_matches_when_an_amend_crosses() -> None:
    desk = Desk()
    desk.sell(BOB, 4, 10_000)
    order = desk.buy(ALICE, 10, 9_990).orders[0]
    amended = desk.amend(ALICE, order.order_id, price_ticks=10_000).orders[0]
    assert (amended.order_id, amended.filled_lots, amended.status) == (order.order_id, 4, "open")
    assert desk.book() == ([(10_000, 6)], [])


def test_it_counts_what_is_filled_in_the_new_size() -> None:
    desk = Desk()
    order = desk.buy(ALICE, 10, 9_990).orders[0]
    desk.sell(BOB, 4, 9_990)
    reply = desk.amend(ALICE, order.order_id, size_lots=4)
    assert reply.reject is not None
    assert reply.reject.data == {"filled_lots": 4}
    desk.amend(ALICE, order.order_id, size_lots=6)
    assert desk.book() == ([(9_990, 2)], [])


def test_it_keeps_a_post_only_order_post_only() -> None:
    desk = Desk()
    desk.sell(BOB, 4, 10_000)
    order = desk.buy(ALICE, 10, 9_990, post_only="reject").orders[0]
    reply = desk.amend(ALICE, order.order_id, price_ticks=10_000)
    assert reply.reject is not None
    assert reply.reject.code == "POST_ONLY_WOULD_TAKE"
    assert desk.book() == ([(9_990, 10)], [(10_000, 4)])


def test_it_amends_by_client_id() -> None:
    desk = Desk()
    desk.buy(ALICE, 10, 9_990, client_order_id="mine")
    desk.amend(ALICE, 0, client_order_id="mine", price_ticks=9_980)
    assert desk.book() == ([(9_980, 10)], [])


def test_it_cancels_only_the_owners_order() -> None:
    desk = Desk()
    order = desk.buy(ALICE, 10, 9_990).orders[0]
    reply = desk.cancel(CHARLIE, order.order_id)
    assert reply.reject is not None
    assert reply.reject.code == "ORDER_NOT_FOUND"
    cancelled = desk.cancel(ALICE, order.order_id).orders[0]
    assert (cancelled.status, cancelled.reason) == ("cancelled", "user")
    assert desk.book() == ([], [])


def test_it_cancels_from_the_middle_of_a_queue() -> None:
    desk = Desk()
    orders = [desk.buy(ALICE, 10, 9_990).orders[0] for _ in range(4)]
    for order in (orders[1], orders[3], orders[0]):
        desk.cancel(ALICE, order.order_id)
    desk.sell(BOB, 10, 9_990)
    assert desk.fills()[0].maker_order_id == orders[2].order_id


def test_it_cancels_all_by_market_and_by_session() -> None:
    desk = Desk()
    desk.buy(ALICE, 10, 9_990, session_id=1)
    desk.buy(ALICE, 10, 9_980, session_id=2)
    desk.buy(ALICE, 10, 9_970, session_id=1, market_id=OTHER)
    desk.sell(ALICE, 10, type="stop_market", trigger_ticks=9_000, session_id=1)
    desk.buy(CHARLIE, 10, 9_990)
    ended = desk.cancel_all(ALICE, market_id=MARKET, session_id=1).orders
    assert [(order.price_ticks, order.reason) for order in ended] == [(9_990, "disconnect"), (0, "disconnect")]
    assert len(desk.cancel_all(ALICE, market_id=OTHER).orders) == 1
    assert len(desk.cancel_all(ALICE).orders) == 1
    assert desk.book() == ([(9_990, 10)], [])


def test_it_frees_the_margin_of_cancelled_orders() -> None:
    desk = Desk()
    before = desk.account(ALICE).available_atoms
    order = desk.buy(ALICE, 1_000, 9_990).orders[0]
    assert desk.account(ALICE).order_margin_atoms == 999_000_000
    desk.cancel(ALICE, order.order_id)
    assert desk.account(ALICE).available_atoms == before
