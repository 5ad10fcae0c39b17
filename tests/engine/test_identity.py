"""Client ids: the same command again gives the first result, the same id with other content is refused."""

from markets.rejects import Reject
from tests.engine.desk import ALICE, BOB, CHARLIE, USDC, Desk
from trading.engine.identity import content_hash

TEN_MINUTES_MS = 600_000


def test_it_answers_a_repeat_with_the_order_as_it_stands() -> None:
    desk = Desk()
    order = desk.order(ALICE, "buy", 10, 9_990, client_order_id="mine")
    first = desk.do(order).orders[0]
    desk.sell(BOB, 4, 9_990)
    again = desk.do(order).orders[0]
    assert (again.order_id, again.filled_lots) == (first.order_id, 4)
    assert desk.events == []
    assert desk.book() == ([(9_990, 6)], [])


def test_it_ignores_session_validity_and_signature_in_a_repeat() -> None:
    desk = Desk()
    first = desk.buy(ALICE, 10, 9_990, client_order_id="mine").orders[0]
    again = desk.buy(ALICE, 10, 9_990, client_order_id="mine", session_id=9, signed=b"x", valid_until_ms=desk.now_ms + 1)
    assert again.orders[0].order_id == first.order_id


def test_it_refuses_the_same_id_with_other_content() -> None:
    desk = Desk()
    first = desk.buy(ALICE, 10, 9_990, client_order_id="mine").orders[0]
    reply = desk.buy(ALICE, 11, 9_990, client_order_id="mine")
    assert reply.reject == Reject("DUPLICATE_ID", {"order_id": first.order_id})


def test_it_keeps_accounts_ids_apart() -> None:
    desk = Desk()
    desk.buy(ALICE, 10, 9_990, client_order_id="mine")
    assert desk.buy(CHARLIE, 11, 9_990, client_order_id="mine").reject is None


def test_it_repeats_a_refusal() -> None:
    desk = Desk(cash=10 * USDC)
    order = desk.order(ALICE, "buy", 1_000, 9_990, client_order_id="mine")
    refused = desk.do(order)
    desk.deposit(ALICE, 1_000 * USDC)
    assert desk.do(order) == refused
    desk.restart()
    assert desk.do(order) == refused
    assert desk.events == []


def test_it_tries_again_what_was_refused_for_a_passing_reason() -> None:
    desk = Desk()
    desk.wait(60_001)
    order = desk.order(ALICE, "buy", 10, 9_990, client_order_id="mine")
    refused = desk.do(order)
    assert refused.reject is not None
    assert refused.reject.code == "PRICE_STALE"
    desk.price(10_000)
    assert desk.do(order).reject is None


def test_it_knows_an_ended_order_for_ten_minutes() -> None:
    desk = Desk()
    order = desk.order(ALICE, "buy", 10, 9_990, client_order_id="mine")
    first = desk.do(order).orders[0]
    desk.cancel(ALICE, first.order_id)
    desk.wait(TEN_MINUTES_MS - 1)
    assert desk.do(order).orders[0].status == "cancelled"
    desk.wait(1)
    desk.price(10_000)
    assert desk.do(order).orders[0].order_id != first.order_id


def test_it_knows_an_open_order_for_ever() -> None:
    desk = Desk()
    order = desk.order(ALICE, "buy", 10, 9_990, client_order_id="mine")
    first = desk.do(order).orders[0]
    desk.wait(10 * TEN_MINUTES_MS)
    desk.restart()
    assert desk.do(order).orders[0].order_id == first.order_id


def test_it_asks_what_the_tables_remember() -> None:
    """An older id that the runner found is a repeat without an order, or a duplicate; it holds for its batch only."""
    desk = Desk()
    order = desk.order(ALICE, "buy", 10, 9_990, client_order_id="old")
    desk.engine.remember({(ALICE, "old"): (77, content_hash(order))})
    reply = desk.do(order)
    assert (reply.reject, reply.orders) == (None, ())
    desk.engine.remember({(ALICE, "old"): (77, b"other content 16")})
    assert desk.do(order).reject == Reject("DUPLICATE_ID", {"order_id": 77})
    assert desk.do(order).orders[0].status == "open"


def test_it_keeps_ids_of_ended_orders_that_no_longer_fit_among_the_recent(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("trading.engine.lives.RECENT_ORDERS", 2)
    desk = Desk()
    commands = [desk.order(ALICE, "buy", 10, 9_990, client_order_id=f"c{number}") for number in range(4)]
    for command in commands:
        desk.cancel(ALICE, desk.do(command).orders[0].order_id)
    desk.restart()
    assert desk.do(commands[0]).orders == ()
    assert desk.do(commands[3]).orders[0].status == "cancelled"
    other = desk.buy(ALICE, 11, 9_990, client_order_id="c0")
    assert other.reject is not None
    assert other.reject.code == "DUPLICATE_ID"
    desk.wait(TEN_MINUTES_MS)
    assert desk.engine.state.accounts[ALICE].client_ids == {}


def test_it_refuses_ids_that_the_engine_gives_itself() -> None:
    desk = Desk()
    given = desk.buy(ALICE, 10, 9_990).orders[0].client_order_id
    assert desk.buy(ALICE, 10, 9_990, client_order_id=given).orders[0].client_order_id == given
    reply = desk.buy(ALICE, 10, 9_990, client_order_id="~999")
    assert reply.reject == Reject("INVALID_COMBINATION", {"field": "client_order_id"})
