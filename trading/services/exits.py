"""A position's take-profit and stop-loss: one trigger order each, that closes whatever is open when it fires."""

from typing import Literal, NamedTuple

from markets.parameters import MarketParameters
from markets.views import AccountView, OrderView, PositionView
from trading.numbers import price_ticks
from trading.requests import AmendRequest, CancelRequest, PlaceRequest
from trading.services import orders

Exit = Literal["take_profit", "stop_loss"]
EXITS: tuple[Exit, ...] = ("take_profit", "stop_loss")
KINDS: dict[Exit, Literal["take_profit_market", "stop_market"]] = {"take_profit": "take_profit_market", "stop_loss": "stop_market"}


class Exits(NamedTuple):
    """The newest waiting order of each kind that would close a position."""

    take_profit: OrderView | None
    stop_loss: OrderView | None


def exits_of(account: AccountView, position: PositionView) -> Exits:
    side = "sell" if position.size_lots > 0 else "buy"
    found: dict[Exit, OrderView] = {}
    for order in account.orders:
        exit_ = next((name for name in EXITS if order.type == KINDS[name]), None)
        closes = order.reduce_only or order.close_position
        if exit_ and closes and order.market_id == position.market_id and order.side == side and order.status == "untriggered":
            found[exit_] = order
    return Exits(found.get("take_profit"), found.get("stop_loss"))


def exit_set(
    *, account_id: int, market: MarketParameters, position: PositionView, present: OrderView | None, exit_: Exit, price: str
) -> bool:
    """Bring an exit to a trigger price: place it, move it, or cancel it when the price is empty. Returns whether anything changed.

    One that exists is amended: the position is never without it in between.
    """
    if not price:
        if present is not None:
            orders.order_cancel(account_id=account_id, request=CancelRequest(order_id=str(present.order_id)))
        return present is not None
    if present is not None and present.trigger_ticks == price_ticks(price, field=exit_, market=market):
        return False
    if present is not None:
        wanted = AmendRequest(market=market.symbol, order_id=str(present.order_id), trigger_price=price)
        orders.order_amend(account_id=account_id, request=wanted)
        return True
    side: Literal["buy", "sell"] = "sell" if position.size_lots > 0 else "buy"
    placed = PlaceRequest(market=market.symbol, side=side, type=KINDS[exit_], trigger_price=price, close_position=True)
    orders.order_place(account_id=account_id, request=placed)
    return True
