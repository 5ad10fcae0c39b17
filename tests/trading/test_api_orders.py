"""Order entry over REST against a running engine."""

from typing import Any

import msgspec

from tests.support.api import Caller, Desk, desk
from tests.support.engine import engine_process, engine_processes
from trading.api import schemas

__all__ = ["desk", "engine_process", "engine_processes"]

ORDER: dict[str, Any] = {"market": "BTC-PERP", "side": "buy", "type": "limit", "size": "0.0100", "price": "59000.0"}


def exact(answer: Any, shape: Any) -> Any:
    """Check an answer against its documented shape: every field there, none besides, each of its type."""
    converted = msgspec.convert(answer, shape)
    assert msgspec.to_builtins(converted) == answer
    return converted


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
