"""What happens by itself as time passes, before the commands of the batch that finds it due."""

import pytest

from markets.commands import SetDeadMansSwitch
from tests.engine.desk import ALICE, BOB, MARKET, START_MS, Desk


def test_it_never_lets_the_stamp_go_back() -> None:
    desk = Desk()
    with pytest.raises(AssertionError, match="never goes back"):
        desk.engine.begin(START_MS - 1)


def test_it_expires_a_gtd_order_before_the_batch_that_would_match_it() -> None:
    desk = Desk()
    order = desk.buy(ALICE, 10, 9_990, time_in_force="gtd", good_till_ms=desk.now_ms + 1_000).orders[0]
    desk.now_ms += 1_000
    desk.sell(BOB, 10, 9_990)
    (cancelled,) = desk.named("OrderCancelled")
    assert (cancelled.order_id, cancelled.reason) == (order.order_id, "expired")
    assert desk.order_status(ALICE, order.order_id) == "expired"
    assert desk.fills() == []


def test_it_keeps_a_gtd_order_until_its_time() -> None:
    desk = Desk()
    desk.buy(ALICE, 10, 9_990, time_in_force="gtd", good_till_ms=desk.now_ms + 1_000)
    desk.now_ms += 999
    desk.restart()
    desk.sell(BOB, 10, 9_990)
    assert len(desk.fills()) == 1


def test_it_forgets_expiries_of_orders_that_ended_early() -> None:
    desk = Desk(oracle_max_age_ms=10**9)
    for _ in range(1_200):
        order = desk.order(ALICE, "buy", 10, 9_990, time_in_force="gtd", good_till_ms=desk.now_ms + 10**9)
        desk.engine.begin(desk.now_ms)
        placed = desk.engine.apply(order).orders[0]
        desk.engine.finish()
        desk.cancel(ALICE, placed.order_id)
        desk.now_ms += 2_000  # ended orders are remembered for ten minutes, hence 300 of them
    assert len(desk.engine.state.expiries) < 1_100 + 2 * len(desk.engine.state.orders)


def test_it_cancels_everything_when_the_dead_mans_switch_is_not_renewed() -> None:
    desk = Desk()
    desk.buy(ALICE, 10, 9_990)
    desk.sell(ALICE, 10, type="stop_market", trigger_ticks=9_000)
    desk.buy(BOB, 10, 9_980)
    desk.do(SetDeadMansSwitch(account_id=ALICE, timeout_ms=5_000))
    desk.wait(4_000)
    desk.do(SetDeadMansSwitch(account_id=ALICE, timeout_ms=5_000))
    desk.wait(4_999)
    assert len(desk.account(ALICE).orders) == 2
    desk.restart()
    desk.wait(1)
    assert {event.reason for event in desk.named("OrderCancelled")} == {"dead_mans_switch"}
    assert desk.account(ALICE).orders == ()
    assert desk.account(ALICE).dead_mans_switch_ms == 0
    assert len(desk.account(BOB).orders) == 1


def test_it_switches_the_dead_mans_switch_off() -> None:
    desk = Desk()
    desk.buy(ALICE, 10, 9_990)
    desk.do(SetDeadMansSwitch(account_id=ALICE, timeout_ms=5_000))
    desk.do(SetDeadMansSwitch(account_id=ALICE, timeout_ms=0))
    desk.wait(10_000)
    assert len(desk.account(ALICE).orders) == 1


def test_it_knows_throughout_a_batch_what_it_knew_before() -> None:
    """An id is forgotten at a batch's end: who looked for unknown ids before the batch has missed none."""
    desk = Desk()
    order = desk.order(ALICE, "buy", 10, 9_990, client_order_id="mine")
    first = desk.do(order).orders[0]
    desk.cancel(ALICE, first.order_id)
    desk.now_ms += 700_000
    assert desk.do(order).orders[0].order_id == first.order_id
    assert "mine" not in desk.engine.state.accounts[ALICE].client_ids


def test_it_lets_prices_go_stale_in_time() -> None:
    desk = Desk()
    desk.now_ms += 59_998  # the price of this market is two milliseconds old
    desk.batch()
    assert desk.named("MarkChanged") == []
    desk.now_ms += 2
    desk.batch()
    assert [(event.market_id, event.state) for event in desk.named("MarkChanged")] == [(MARKET, "stale")]
    reply = desk.buy(ALICE, 10, 9_990)
    assert reply.reject is not None
    assert reply.reject.code == "PRICE_STALE"


def test_it_matches_again_after_a_restart_when_its_own_index_is_fresh() -> None:
    desk = Desk()
    desk.now_ms += 3_600_000
    desk.restart()
    refused = desk.buy(ALICE, 10, 9_990)
    assert refused.reject is not None
    assert refused.reject.code == "PRICE_STALE"
    desk.price(10_000)
    assert desk.buy(ALICE, 10, 9_990).reject is None
