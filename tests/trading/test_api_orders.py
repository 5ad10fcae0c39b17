"""Order entry over REST against a running engine."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from accounts import limits
from accounts.limits import LimiterUnavailable
from accounts.selectors import default_account
from markets.gateway import gateway
from tests.support.api import Answer, Caller, Desk, desk, exact
from tests.support.engine import engine_process, engine_processes
from trading.api import schemas

__all__ = ["desk", "engine_process", "engine_processes"]

ORDER: dict[str, Any] = {"market": "BTC-PERP", "side": "buy", "type": "limit", "size": "0.0100", "price": "59000.0"}


def test_it_places_finds_amends_and_cancels_an_order(desk: Desk) -> None:
    placed = desk.alice.post("orders/", ORDER | {"client_order_id": "first"})
    assert placed.status == 201, placed
    order = exact(placed.json, schemas.Order)
    assert (order.status, order.price, order.size, order.filled) == ("open", "59000.0", "0.0100", "0.0000")

    assert desk.alice.get(f"orders/{order.order_id}/").json == placed.json
    assert desk.alice.get("orders/by-client-id/first/").json == placed.json
    assert desk.alice.get("orders/?status=open").json == {"results": [placed.json], "next": None}

    amended = desk.alice.patch(f"orders/{order.order_id}/", {"size": "0.0050"})
    assert (amended.status, amended.json["size"], amended.json["price"]) == (200, "0.0050", "59000.0"), amended
    cancelled = desk.alice.delete(f"orders/{order.order_id}/")
    assert (cancelled.status, cancelled.json["status"], cancelled.json["reason"]) == (200, "cancelled", "user"), cancelled
    again = desk.alice.delete(f"orders/{order.order_id}/")
    assert (again.status, again.error["code"]) == (404, "ORDER_NOT_FOUND"), again

    desk.project()
    assert desk.alice.get("orders/").json["results"] == [cancelled.json]


def place(caller: Caller, **fields: Any) -> Any:
    answer = caller.post("orders/", ORDER | fields)
    assert answer.status == 201, answer
    return exact(answer.json, schemas.Order)


def test_it_answers_a_repeated_order_with_the_first_one(desk: Desk) -> None:
    first = desk.alice.post("orders/", ORDER, Idempotency_Key="once-1")
    assert first.json["client_order_id"] == "once-1"
    for _ in range(2):
        again = desk.alice.post("orders/", ORDER, Idempotency_Key="once-1")
        assert (again.status, again.json["order_id"]) == (201, first.json["order_id"])
    same = desk.alice.post("orders/", ORDER | {"client_order_id": "once-1"}, Idempotency_Key="once-1")
    assert same.json["order_id"] == first.json["order_id"]
    other = desk.alice.post("orders/", ORDER | {"size": "0.0200"}, Idempotency_Key="once-1")
    assert (other.status, other.error["code"], other.error["data"]["field"]) == (409, "DUPLICATE_ID", "client_order_id")
    differ = desk.alice.post("orders/", ORDER | {"client_order_id": "mine"}, Idempotency_Key="once-1")
    assert (differ.status, differ.error["code"]) == (400, "INVALID_COMBINATION")
    assert len(desk.alice.get("orders/?status=open").json["results"]) == 1
    assert place(desk.bob, client_order_id="once-1").order_id != first.json["order_id"], "ids are an account's own"


def test_it_places_one_order_for_many_requests_at_once(desk: Desk) -> None:
    bots = [desk.program_of(desk.alice) for _ in range(4)]

    def send(turn: int) -> Answer:
        try:
            return bots[turn % 4].post("orders/", ORDER, Idempotency_Key="race")
        finally:
            connection.close()  # each thread has links of its own
            gateway().close()

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, range(16)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.json["order_id"] for answer in answers}) == 1


def test_it_trades_and_both_sides_see_it_at_once(desk: Desk) -> None:
    resting = place(desk.bob, side="sell", price="60000.0", size="0.0100")
    taken = place(desk.alice, side="buy", type="market", price="", size="0.0040")
    assert (taken.status, taken.filled, taken.average_price) == ("filled", "0.0040", "60000.000")
    assert float(taken.fee) > 0
    alice = exact(desk.alice.get("account/").json, schemas.Account)
    assert [(p.market, p.side, p.size, p.entry_price) for p in alice.positions] == [("BTC-PERP", "buy", "0.0040", "60000.000")]
    bob = exact(desk.bob.get("account/").json, schemas.Account)
    assert [(p.side, p.size) for p in bob.positions] == [("sell", "-0.0040")]
    assert [(o.order_id, o.filled) for o in bob.orders] == [(resting.order_id, "0.0040")]


def test_it_cancels_all_orders_of_one_market_or_of_all(desk: Desk) -> None:
    for market, price in (("BTC-PERP", "59000.0"), ("BTC-PERP", "58000.0"), ("ETH-PERP", "2900.00")):
        place(desk.alice, market=market, price=price, size="0.1000" if market == "BTC-PERP" else "0.100")
    some = desk.alice.delete("orders/?market=BTC-PERP")
    cancelled = exact(some.json, schemas.OrderList).results
    assert [(order.market, order.status) for order in cancelled] == [("BTC-PERP", "cancelled")] * 2
    rest = desk.alice.delete("orders/")
    assert [order["market"] for order in rest.json["results"]] == ["ETH-PERP"]
    assert desk.alice.delete("orders/").json == {"results": []}


def test_it_applies_a_batch_item_by_item(desk: Desk) -> None:
    first = place(desk.alice, client_order_id="one")
    items = [
        {"op": "place", **ORDER, "client_order_id": "two"},
        {"op": "amend", "market": "BTC-PERP", "client_order_id": "one", "size": "0.0050"},
        {"op": "cancel", "order_id": first.order_id},
        {"op": "cancel", "order_id": "999999"},
        {"op": "place", **ORDER, "price": "1.0"},
    ]
    answer = desk.alice.post("orders/batch/", {"items": items})
    assert answer.status == 200, answer
    results = exact(answer.json, schemas.BatchResults).results
    assert [result.ok for result in results] == [True, True, True, False, False]
    assert [result.order.status for result in results[:3] if result.order] == ["open", "open", "cancelled"]
    assert [result.error.code for result in results[3:] if result.error] == ["ORDER_NOT_FOUND", "PRICE_OUT_OF_BAND"]
    assert answer.json["results"][4]["error"]["data"]["field"] == "price"
    assert float(answer.json["results"][4]["error"]["data"]["min"]) > 50_000


def test_it_does_nothing_of_a_batch_with_a_malformed_item(desk: Desk) -> None:
    items = [{"op": "place", **ORDER}, {"op": "place", **ORDER, "size": "0.00001"}]
    answer = desk.alice.post("orders/batch/", {"items": items})
    assert (answer.status, answer.error["code"], answer.error["data"]["field"]) == (400, "TOO_MANY_DECIMALS", "items[1].size")
    assert desk.alice.get("orders/?status=open").json["results"] == []


def test_it_previews_without_placing(desk: Desk) -> None:
    place(desk.bob, side="sell", price="60000.0", size="0.0100")
    answer = desk.alice.post("orders/preview/", ORDER | {"type": "market", "price": ""})
    preview = exact(answer.json, schemas.Preview)
    assert (preview.reject, preview.estimated_price) == (None, "60000.0")
    assert 0 < float(preview.initial_margin_after) < float(preview.available_after)
    too_much = desk.alice.post("orders/preview/", ORDER | {"size": "50.0000"}).json
    assert too_much["reject"]["code"] == "INSUFFICIENT_MARGIN"
    assert desk.alice.get("orders/?status=open").json["results"] == []


def test_it_waits_with_a_trigger_order_and_finds_it_among_the_open_ones(desk: Desk) -> None:
    place(desk.bob, side="sell", price="60000.0", size="0.0100")
    place(desk.alice, type="market", price="", size="0.0100")
    stop = place(desk.alice, side="sell", type="stop_market", price="", trigger_price="55000.0", reduce_only=True)
    assert (stop.status, stop.trigger_price, stop.trigger_by) == ("untriggered", "55000.0", "mark")
    assert [order["order_id"] for order in desk.alice.get("orders/?status=open").json["results"]] == [stop.order_id]
    assert desk.alice.delete(f"orders/{stop.order_id}/").json["status"] == "cancelled"


def test_it_sets_leverage_and_the_dead_mans_switch(desk: Desk) -> None:
    assert desk.alice.put("leverage/", {"market": "BTC-PERP", "leverage": 7}).json == {"market": "BTC-PERP", "leverage": 7}
    assert desk.alice.get("account/").json["leverage"]["BTC-PERP"] == 7
    too_high = desk.alice.put("leverage/", {"market": "BTC-PERP", "leverage": 999})
    assert (too_high.status, too_high.error["code"], too_high.error["data"]["field"]) == (422, "INVALID_LEVERAGE", "leverage")
    due = desk.alice.put("dead-mans-switch/", {"timeout_ms": 60_000}).json["due_ms"]
    assert due > desk.alice.get("time/").json["time_ms"] + 50_000
    assert desk.alice.put("dead-mans-switch/", {"timeout_ms": 0}).json == {"due_ms": 0}
    wrong = desk.alice.put("dead-mans-switch/", {"timeout_ms": 5})
    assert (wrong.status, wrong.error["data"]) == (400, {"field": "timeout_ms", "value": "5", "nearest": "1000"})


def test_it_says_in_decimals_why_the_engine_refused(desk: Desk) -> None:
    answer = desk.alice.post("orders/", ORDER | {"price": "50.0"})
    assert (answer.status, answer.error["code"], answer.error["data"]["field"]) == (422, "PRICE_OUT_OF_BAND", "price")
    assert set(answer.error["data"]) == {"field", "min", "max"}


def test_it_limits_orders_but_never_cancels(desk: Desk, settings: Any) -> None:
    settings.RATE_LIMITS = {"orders": (3, 1), "reads": (1_000, 100), "address": (1_000, 100)}
    placed = [desk.alice.post("orders/", ORDER) for _ in range(5)]
    assert [answer.status for answer in placed][:3] == [201, 201, 201]
    refused = placed[4]
    assert (refused.status, refused.error["code"]) == (429, "RATE_LIMITED")
    assert int(refused.headers["Retry-After"]) >= 1
    for answer in placed:
        assert {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} <= set(answer.headers)
    assert placed[0].headers["X-RateLimit-Limit"] == "3"
    batch = desk.alice.post("orders/batch/", {"items": [{"op": "cancel", "order_id": placed[0].json["order_id"]}]})
    assert batch.json["results"][0]["ok"], "a batch of cancels is no order"
    for _ in range(10):
        assert desk.alice.delete(f"orders/{placed[1].json['order_id']}/").status in (200, 404)
    assert desk.alice.delete("orders/").status == 200
    assert desk.bob.post("orders/", ORDER).status == 201, "a bucket is an account's own"


def test_it_tells_the_rate_on_every_reply(desk: Desk) -> None:
    for caller, path in ((desk.anonymous, "time/"), (desk.anonymous, "account/"), (desk.anonymous, "nothing/"), (desk.alice, "account/")):
        assert "X-RateLimit-Remaining" in caller.get(path).headers, path
    assert "X-RateLimit-Remaining" in desk.anonymous.post("orders/", b"{").headers


def test_it_cuts_off_who_guesses(desk: Desk, settings: Any) -> None:
    settings.RATE_LIMITS = {"orders": (9, 9), "reads": (9, 9), "address": (4, 1)}
    assert [desk.anonymous.get("account/").status for _ in range(6)] == [401, 401, 401, 401, 429, 429]
    assert desk.alice.get("account/").status == 200


def test_it_cancels_and_reads_without_redis_and_refuses_new_orders(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    order = place(desk.alice)

    def away(*args: Any, **kwargs: Any) -> None:
        raise LimiterUnavailable

    monkeypatch.setattr(limits.Buckets, "take", away)
    refused = desk.alice.post("orders/", ORDER)
    assert (refused.status, refused.error["code"]) == (503, "RATE_LIMITER_UNAVAILABLE")
    assert desk.alice.get("account/").status == 200
    assert desk.anonymous.get("markets/").status == 200
    assert desk.alice.delete(f"orders/{order.order_id}/").status == 200


def test_it_says_so_when_the_engine_is_away_and_cancels_again_when_it_is_back(desk: Desk) -> None:
    order = place(desk.alice)
    desk.engine.kill()
    for answer in (desk.alice.post("orders/", ORDER), desk.alice.delete("orders/"), desk.alice.get("account/")):
        assert (answer.status, answer.error["code"]) in ((503, "ENGINE_UNAVAILABLE"), (504, "UNKNOWN")), answer
    assert desk.anonymous.get("markets/BTC-PERP/candles/").status == 200, "the tables still answer"
    desk.engine.start()
    assert desk.alice.delete(f"orders/{order.order_id}/").json["status"] == "cancelled"


def test_it_serves_each_of_a_persons_accounts(desk: Desk) -> None:
    first = default_account(desk.alice.user)
    assert desk.alice.get(f"account/?account_id={first.id}").json["account_id"] == first.id
    assert desk.bob.get(f"account/?account_id={first.id}").error["code"] == "ACCOUNT_NOT_FOUND"
