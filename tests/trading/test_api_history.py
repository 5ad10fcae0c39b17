"""What was traded and paid, from the tables, in the same shapes as from the feed."""

from typing import Any

import msgspec

from accounts.selectors import default_account
from markets.api.pages import Page
from markets.events import OrderFilled
from markets.selectors import market_by_symbol
from tests.support.api import Desk, Person, desk, exact
from tests.support.engine import engine_process, engine_processes
from trading import journal, representations
from trading.api import schemas

__all__ = ["desk", "engine_process", "engine_processes"]


def trade(desk: Desk, *, price: str = "60000.0") -> None:
    order = {"market": "BTC-PERP", "type": "limit", "price": price, "size": "0.0100"}
    assert desk.bob.post("orders/", order | {"side": "sell"}).status == 201
    assert desk.alice.post("orders/", order | {"side": "buy"}).json["status"] == "filled"


def pages(person: Person, path: str, shape: Any) -> list[Any]:
    """Read a list to its end, two rows at a time."""
    found: list[Any] = []
    cursor = ""
    while True:
        page = exact(person.get(f"{path}?limit=2&cursor={cursor}").json, Page[shape])
        found += page.results
        if page.next is None:
            return found
        cursor = page.next


def test_it_serves_fills_as_the_feed_tells_them(desk: Desk) -> None:
    for price in ("60000.0", "60010.0", "60020.0"):
        trade(desk, price=price)
    desk.project()
    market = market_by_symbol("BTC-PERP")
    told: dict[int, list[Any]] = {default_account(who.user).id: [] for who in (desk.alice, desk.bob)}
    for row in journal.read(0, 10_000):
        for event in row.events:
            if isinstance(event, OrderFilled):
                for account, taker in ((event.taker_account_id, True), (event.maker_account_id, False)):
                    fill = representations.fill(event, account, taker=taker, stamp_ms=row.stamp_ms, market=market)
                    told[account].insert(0, fill)
    for who in (desk.alice, desk.bob):
        fills = pages(who, "fills/", schemas.Fill)
        assert msgspec.to_builtins(fills) == told[default_account(who.user).id]
        assert len(fills) == 3
    order_id = fills[0].order_id
    assert [line["order_id"] for line in desk.bob.get(f"fills/?order_id={order_id}").json["results"]] == [order_id]
    assert desk.alice.get(f"fills/?order_id={order_id}").json["results"] == []


def test_it_serves_a_ledger_that_adds_up_to_the_balance(desk: Desk) -> None:
    trade(desk)
    trade(desk, price="60100.0")
    desk.project()
    for who in (desk.alice, desk.bob):
        lines = pages(who, "transfers/", schemas.Transfer)
        assert {line.kind for line in lines} >= {"deposit", "fee"}
        total = sum(round(float(line.amount) * 1_000_000) for line in lines)
        assert total == round(float(who.get("account/").json["balances"]["USDC"]) * 1_000_000)
        assert [int(line.transfer_id) for line in lines] == sorted((int(line.transfer_id) for line in lines), reverse=True)


def test_it_finds_ones_own_order_right_after_its_acknowledgement_or_says_that_it_cannot_yet(desk: Desk) -> None:
    order = {"market": "BTC-PERP", "side": "buy", "type": "limit", "price": "59000.0", "size": "0.0100"}
    placed = desk.alice.post("orders/", order).json
    behind = desk.alice.get("orders/")
    assert (behind.status, behind.error["code"]) == (503, "PROJECTION_BEHIND"), (
        "nothing projects here: it must not answer without the order"
    )
    desk.project()
    assert desk.alice.get("orders/").json["results"] == [placed]


def test_it_pages_through_orders_of_each_state(desk: Desk) -> None:
    order = {"market": "BTC-PERP", "side": "buy", "type": "limit", "price": "59000.0", "size": "0.0100"}
    placed = [desk.alice.post("orders/", order).json["order_id"] for _ in range(5)]
    for order_id in placed[:3]:
        assert desk.alice.delete(f"orders/{order_id}/").status == 200
    desk.project()
    assert [line.order_id for line in pages(desk.alice, "orders/", schemas.Order)] == placed[::-1]
    ended = exact(desk.alice.get("orders/?status=ended").json, Page[schemas.Order]).results
    assert [line.order_id for line in ended] == placed[2::-1]
    first = desk.alice.get("orders/?status=open&limit=1").json
    rest = desk.alice.get(f"orders/?status=open&limit=1&cursor={first['next']}").json
    assert [first["results"][0]["order_id"], rest["results"][0]["order_id"], rest["next"]] == [placed[4], placed[3], None]
    assert desk.alice.get("orders/?status=open&market=ETH-PERP").json == {"results": [], "next": None}
    assert desk.bob.get("orders/").json == {"results": [], "next": None}


def test_it_serves_funding_payments_by_hour_and_market(desk: Desk) -> None:
    from markets.stamps import at
    from risk.models import FundingPayment

    alice = default_account(desk.alice.user).id
    for hour in range(2):
        for market_id in (1, 2):
            FundingPayment.objects.create(account_id=alice, market_id=market_id, due_at=at(hour * 3_600_000), amount_atoms=-market_id)
    desk.project()
    paid = pages(desk.alice, "funding/", schemas.FundingPayment)
    assert [(line.time_ms, line.market, line.amount) for line in paid] == [
        (3_600_000, "ETH-PERP", "-0.000002"),
        (3_600_000, "BTC-PERP", "-0.000001"),
        (0, "ETH-PERP", "-0.000002"),
        (0, "BTC-PERP", "-0.000001"),
    ]
    assert desk.bob.get("funding/").json["results"] == []
