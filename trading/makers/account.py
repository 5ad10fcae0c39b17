"""A bot's own account, as the private channel tells it."""

from typing import Any

from trading.makers.ladder import Resting
from trading.makers.terms import Terms

Json = dict[str, Any]


class OwnAccount:
    """Open orders and positions by market."""

    def __init__(self, terms: dict[str, Terms]) -> None:
        self._terms = terms
        self.orders: dict[str, dict[str, Resting]] = {}
        self.position_lots: dict[str, int] = {}
        self.known = False  # a snapshot has come

    def hear(self, message: Json) -> None:
        """Take a message of the account channel."""
        if message["type"] == "snapshot":
            self.orders.clear()
            self.position_lots.clear()
            self.known = True
        for order in message["orders"]:
            self.take_order(order)
        for position in message["positions"]:
            self.position_lots[position["market"]] = self._terms[position["market"]].lots(position["size"])

    def take_order(self, order: Json) -> None:
        orders = self.orders.setdefault(order["market"], {})
        if order["status"] != "open":
            orders.pop(order["order_id"], None)
            return
        terms = self._terms[order["market"]]
        orders[order["order_id"]] = Resting(
            order["order_id"], order["side"], terms.ticks(order["price"]), terms.lots(order["size"]), terms.lots(order["filled"])
        )

    def resting(self, symbol: str) -> list[Resting]:
        return list(self.orders.get(symbol, {}).values())
