"""Trigger orders: when they fire, what they become, and the pairs that cancel each other."""

from typing import Any

import pytest

from markets.commands import SetMarketStatus, Side
from tests.engine.desk import ALICE, BOB, CHARLIE, MARKET, USDC, Desk


def long_alice(lots: int = 10) -> Desk:
    """Alice is long at 10,000, and Charlie bids below; a book of one side leaves mark at the index."""
    desk = Desk()
    desk.trade(lots, 10_000, buyer=ALICE, seller=BOB)
    desk.buy(CHARLIE, 100, 9_950)
    return desk


DIRECTIONS = (
    ("sell", "stop_market", 9_900, 9_901, 9_900),
    ("sell", "take_profit_market", 10_100, 10_099, 10_100),
    ("buy", "stop_market", 10_100, 10_099, 10_101),
    ("buy", "take_profit_market", 9_900, 9_901, 9_899),
)


@pytest.mark.parametrize(("side", "type_", "trigger", "short_of", "reaching"), DIRECTIONS)
def test_it_fires_when_mark_reaches_the_trigger(side: Side, type_: str, trigger: int, short_of: int, reaching: int) -> None:
    desk = Desk()
    order = desk.place(ALICE, side, 10, type=type_, trigger_ticks=trigger).orders[0]
    assert order.status == "untriggered"
    if side == "sell":
        desk.buy(CHARLIE, 100, 9_800)
    else:
        desk.sell(CHARLIE, 100, 10_200)
    desk.price(short_of)
    assert desk.named("OrderTriggered", "OrderFilled") == []
    desk.price(reaching)
    triggered, fill = desk.named("OrderTriggered", "OrderFilled")
    assert triggered.order_id == fill.taker_order_id == order.order_id
    assert triggered.reference_ticks == desk.engine.state.markets[MARKET].mark_ticks


@pytest.mark.parametrize(
    ("side", "type_", "trigger"), [("sell", "stop_market", 10_000), ("buy", "stop_limit", 9_999), ("buy", "take_profit_market", 10_000)]
)
def test_it_refuses_what_would_fire_at_once(side: Side, type_: str, trigger: int) -> None:
    price = 10_000 if type_ == "stop_limit" else 0
    reply = Desk().place(ALICE, side, 10, price, type=type_, trigger_ticks=trigger)
    assert reply.reject is not None
    assert reply.reject.code == "TRIGGERS_IMMEDIATELY"


def test_it_fires_on_the_last_price_and_in_a_chain() -> None:
    """A trade fires Alice's stop, whose fill fires Bob's, in the same batch."""
    desk = Desk()
    desk.trade(5, 10_000, buyer=CHARLIE, seller=BOB)
    first = desk.sell(ALICE, 10, type="stop_market", trigger_ticks=9_990, trigger_by="last").orders[0]
    second = desk.sell(BOB, 10, type="stop_market", trigger_ticks=9_980, trigger_by="last").orders[0]
    desk.buy(CHARLIE, 5, 9_990)
    desk.buy(CHARLIE, 10, 9_980)
    desk.buy(CHARLIE, 10, 9_970)
    desk.sell(BOB, 5, 9_990)
    assert [event.order_id for event in desk.named("OrderTriggered")] == [first.order_id, second.order_id]
    assert [fill.price_ticks for fill in desk.fills()] == [9_990, 9_980, 9_970]


def test_it_fires_on_the_index() -> None:
    desk = Desk()
    desk.buy(CHARLIE, 100, 9_900)
    desk.sell(CHARLIE, 100, 10_300)
    desk.buy(ALICE, 10, type="stop_market", trigger_ticks=10_200, trigger_by="index")
    desk.price(10_200)
    assert desk.engine.state.markets[MARKET].mark_ticks < 10_200
    assert len(desk.named("OrderTriggered")) == 1


def test_it_fires_by_sequence_when_several_are_reached() -> None:
    desk = Desk()
    desk.buy(CHARLIE, 100, 9_800)
    orders = [desk.sell(ALICE, 1, 9_800, type="stop_limit", trigger_ticks=trigger).orders[0] for trigger in (9_950, 9_990, 9_970)]
    desk.price(9_900)
    assert [event.order_id for event in desk.named("OrderTriggered")] == [order.order_id for order in orders]


def test_it_leaves_the_thousand_and_first_for_the_next_batch() -> None:
    desk = Desk(max_open_orders=2_000, min_notional_atoms=0)
    commands = [desk.order(ALICE, "sell", 1, 9_990, type="stop_limit", trigger_ticks=9_995) for _ in range(1_001)]
    desk.engine.begin(desk.now_ms)
    for command in commands:
        desk.engine.apply(command)
    desk.engine.finish()
    desk.price(9_990)
    assert len(desk.named("OrderTriggered")) == 1_000
    desk.restart()
    desk.batch()
    assert len(desk.named("OrderTriggered")) == 1


def test_it_rests_a_stop_limit_that_does_not_match() -> None:
    desk = Desk()
    order = desk.sell(ALICE, 10, 9_990, type="stop_limit", trigger_ticks=9_995).orders[0]
    desk.price(9_990)
    assert desk.book() == ([], [(9_990, 10)])
    assert desk.account(ALICE).orders[0].order_id == order.order_id
    assert desk.account(ALICE).orders[0].status == "open"


def test_it_ends_a_trigger_that_is_refused_when_it_fires() -> None:
    desk = Desk(cash=10 * USDC)
    desk.sell(ALICE, 1_000, 9_990, type="stop_limit", trigger_ticks=9_995)
    desk.price(9_990)
    assert [type(event).__name__ for event in desk.named("OrderTriggered", "OrderCancelled")] == ["OrderTriggered", "OrderCancelled"]
    assert desk.named("OrderCancelled")[0].reason == "rejected_at_trigger"


def test_it_holds_no_margin_for_a_waiting_trigger() -> None:
    desk = Desk()
    desk.sell(ALICE, 1_000, type="stop_market", trigger_ticks=9_900)
    assert desk.account(ALICE).initial_margin_atoms == 0


def test_it_closes_whatever_is_open_when_it_triggers() -> None:
    desk = long_alice(10)
    desk.sell(ALICE, 0, type="stop_market", trigger_ticks=9_970, close_position=True)
    desk.trade(7, 10_000, buyer=ALICE, seller=BOB)
    desk.price(9_900)
    (triggered,) = desk.named("OrderTriggered")
    assert triggered.size_lots == 17
    assert desk.position(ALICE) == 0


def test_it_waits_while_the_market_does_not_match() -> None:
    desk = long_alice(10)
    desk.sell(ALICE, 0, type="stop_market", trigger_ticks=9_970, close_position=True)
    desk.do(SetMarketStatus(market_id=MARKET, status="cancel_only", reason="test"))
    desk.price(9_900)
    assert desk.position(ALICE) == 10
    desk.do(SetMarketStatus(market_id=MARKET, status="normal", reason="test"))
    assert desk.position(ALICE) == 0


def test_it_amends_a_waiting_trigger() -> None:
    desk = long_alice(10)
    order = desk.sell(ALICE, 5, type="stop_market", trigger_ticks=9_970).orders[0]
    amended = desk.amend(ALICE, order.order_id, trigger_ticks=9_960, size_lots=8).orders[0]
    assert (amended.trigger_ticks, amended.size_lots) == (9_960, 8)
    desk.price(9_965)
    assert desk.named("OrderTriggered") == []
    desk.price(9_940)
    assert desk.position(ALICE) == 2


def linked_pair(desk: Desk, **more: Any) -> tuple[int, int]:
    """Place a take-profit and a stop-loss of Alice's ten lots that share a link."""
    profit = desk.sell(ALICE, 10, type="take_profit_market", trigger_ticks=10_100, reduce_only=True, link_id=7, **more)
    loss = desk.sell(ALICE, 10, type="stop_market", trigger_ticks=9_900, reduce_only=True, link_id=7, **more)
    return profit.orders[0].order_id, loss.orders[0].order_id


def ended(desk: Desk) -> dict[int, str]:
    return {event.order_id: event.reason for event in desk.named("OrderCancelled")}


def test_it_cancels_the_other_when_one_of_a_pair_triggers() -> None:
    desk = long_alice(10)
    profit, loss = linked_pair(desk)
    desk.price(9_900)
    assert ended(desk) == {profit: "linked"}
    assert desk.position(ALICE) == 0
    assert desk.order_status(ALICE, loss) == "filled"


def test_it_cancels_the_other_when_one_of_a_pair_is_cancelled() -> None:
    desk = long_alice(10)
    profit, loss = linked_pair(desk)
    desk.cancel(ALICE, profit)
    assert ended(desk) == {profit: "user", loss: "linked"}


def test_it_ends_a_pair_with_its_position() -> None:
    desk = long_alice(10)
    profit, loss = linked_pair(desk)
    desk.sell(ALICE, 10, 9_950)
    assert set(ended(desk)) == {profit, loss}
    assert ended(desk)[profit] == "position_closed"


def test_it_takes_two_orders_a_link_and_frees_it_when_they_end() -> None:
    desk = long_alice(10)
    profit, _ = linked_pair(desk)
    third = desk.sell(ALICE, 10, type="stop_market", trigger_ticks=9_800, reduce_only=True, link_id=7)
    assert third.reject is not None
    assert third.reject.data == {"field": "link_id"}
    desk.cancel(ALICE, profit)
    linked_pair(desk)


def test_it_keeps_two_accounts_links_apart() -> None:
    desk = long_alice(10)
    profit, _ = linked_pair(desk)
    other = desk.buy(BOB, 10, type="take_profit_market", trigger_ticks=9_900, reduce_only=True, link_id=7).orders[0]
    desk.cancel(ALICE, profit)
    assert desk.order_status(BOB, other.order_id) == "untriggered"


def children(desk: Desk, parent: int) -> list[tuple[str, int, int]]:
    orders = desk.account(ALICE).orders
    return [(order.type, order.trigger_ticks, order.size_lots) for order in orders if order.parent_order_id == parent]


def test_it_arms_an_attached_pair_with_the_fills() -> None:
    desk = Desk()
    parent = desk.buy(ALICE, 10, 9_990, take_profit_ticks=10_100, stop_loss_ticks=9_900).orders[0]
    assert children(desk, parent.order_id) == []
    desk.sell(BOB, 4, 9_990)
    assert children(desk, parent.order_id) == [("take_profit_market", 10_100, 4), ("stop_market", 9_900, 4)]
    desk.restart()
    desk.sell(BOB, 5, 9_990)
    assert children(desk, parent.order_id) == [("take_profit_market", 10_100, 9), ("stop_market", 9_900, 9)]
    desk.cancel(ALICE, parent.order_id)
    assert len(children(desk, parent.order_id)) == 2


def test_it_arms_once_for_a_taker_with_several_fills() -> None:
    desk = Desk()
    desk.sell(BOB, 4, 9_990)
    desk.sell(BOB, 6, 9_995)
    desk.buy(ALICE, 10, 10_000, take_profit_ticks=10_100, stop_loss_ticks=9_900)
    accepted = desk.named("OrderAccepted")
    assert [(event.parent_order_id > 0, event.size_lots) for event in accepted] == [(False, 10), (True, 10), (True, 10)]
    assert desk.named("OrderAmended") == []


def test_it_attaches_only_what_was_asked_for() -> None:
    desk = Desk()
    desk.sell(BOB, 10, 9_990)
    parent = desk.buy(ALICE, 10, 9_990, stop_loss_ticks=9_900).orders[0]
    assert children(desk, parent.order_id) == [("stop_market", 9_900, 10)]


def test_it_ends_an_attached_pair_like_any_other() -> None:
    desk = Desk()
    desk.sell(BOB, 10, 9_990)
    desk.buy(ALICE, 10, 9_990, take_profit_ticks=10_100, stop_loss_ticks=9_900)
    desk.buy(CHARLIE, 10, 9_850)
    desk.price(9_890)
    assert desk.position(ALICE) == 0
    assert desk.account(ALICE).orders == ()


def test_it_arms_a_new_pair_when_the_parent_fills_after_the_first_pair_has_ended() -> None:
    desk = Desk()
    parent = desk.buy(ALICE, 10, 9_990, take_profit_ticks=10_100, stop_loss_ticks=9_900).orders[0]
    desk.sell(BOB, 4, 9_990)
    desk.buy(BOB, 4, 9_995)
    desk.sell(ALICE, 4, 9_995)  # closes: the pair dies with the position
    assert children(desk, parent.order_id) == []
    desk.sell(BOB, 6, 9_990)
    assert children(desk, parent.order_id) == [("take_profit_market", 10_100, 6), ("stop_market", 9_900, 6)]


def test_it_arms_nothing_for_a_fill_that_only_reduces() -> None:
    desk = Desk()
    desk.trade(10, 10_000, buyer=BOB, seller=ALICE)
    parent = desk.buy(ALICE, 4, 9_990, take_profit_ticks=10_100, stop_loss_ticks=9_900).orders[0]
    desk.sell(BOB, 4, 9_990)
    assert desk.position(ALICE) == -6
    assert children(desk, parent.order_id) == []
