"""The JSON bodies of order entry, the same for REST, the hot lane and the socket, and their exact conversion to commands."""

import re
from base64 import b64decode
from collections.abc import Callable
from typing import Annotated

import msgspec

from markets import commands
from markets.commands import MAX_BATCH, MAX_CLIENT_ORDER_ID, OrderType, PostOnly, SelfTradePrevention, Side, TimeInForce, TriggerBy
from markets.fields import InvalidField, echo
from markets.parameters import MarketParameters
from trading.numbers import price_ticks, size_lots

MAX_SAFE_INTEGER = 2**53 - 1  # what a JavaScript client can say exactly
MAX_ORDER_ID_DIGITS = 18
PRICED = frozenset({"limit", "stop_limit", "take_profit_limit"})
MAX_SIGNED_CHARACTERS = 400
TRIGGERED = frozenset({"stop_market", "stop_limit", "take_profit_market", "take_profit_limit"})

Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_SAFE_INTEGER)]
Signed = Annotated[
    str,
    msgspec.Meta(
        max_length=MAX_SIGNED_CHARACTERS,
        description="Base64 of a signed order, its key and its signature (docs/signed-orders.md).",
    ),
]
Market = Callable[[str], MarketParameters]

_CLIENT_ORDER_ID = re.compile(rf"[A-Za-z0-9._:/-]{{1,{MAX_CLIENT_ORDER_ID}}}", re.ASCII)


class Request(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """A body: an unknown field is refused, never ignored."""


class PlaceRequest(Request, kw_only=True, frozen=True):
    """An order. Sizes and prices are decimal strings; an empty one is not given."""

    market: str
    side: Side
    type: OrderType
    size: str = ""
    price: str = ""
    client_order_id: str = ""
    time_in_force: TimeInForce = "gtc"
    good_till_ms: Count = 0
    post_only: PostOnly = "none"
    reduce_only: bool = False
    close_position: bool = False
    self_trade_prevention: SelfTradePrevention = "expire_maker"
    trigger_price: str = ""
    trigger_by: TriggerBy = "mark"
    take_profit: str = ""
    stop_loss: str = ""
    link_id: Count = 0
    valid_until_ms: Count = 0
    signed: Signed = ""


class AmendRequest(Request, kw_only=True, frozen=True):
    """A change of an order named by one of its ids; what is empty stays. `size` is the new total, filled included."""

    market: str
    order_id: str = ""
    client_order_id: str = ""
    price: str = ""
    size: str = ""
    trigger_price: str = ""
    valid_until_ms: Count = 0
    signed: Signed = ""


class CancelRequest(Request, kw_only=True, frozen=True):
    """An order named by one of its ids."""

    order_id: str = ""
    client_order_id: str = ""


class PlaceItem(PlaceRequest, kw_only=True, frozen=True, tag_field="op", tag="place"):
    pass


class AmendItem(AmendRequest, kw_only=True, frozen=True, tag_field="op", tag="amend"):
    pass


class CancelItem(CancelRequest, kw_only=True, frozen=True, tag_field="op", tag="cancel"):
    pass


class BatchRequest(Request, kw_only=True, frozen=True):
    """Items applied in order; each succeeds or fails on its own, but a malformed one refuses the whole batch."""

    items: Annotated[list[PlaceItem | AmendItem | CancelItem], msgspec.Meta(min_length=1, max_length=MAX_BATCH)]


def place_command(request: PlaceRequest, *, account_id: int, market: MarketParameters, session_id: int = 0) -> commands.PlaceOrder:
    """Return the command; InvalidField names the field, what was given and the nearest valid value."""
    _check_combination(request)
    if request.client_order_id:
        check_client_order_id(request.client_order_id)
    return commands.PlaceOrder(
        account_id=account_id,
        market_id=market.market_id,
        side=request.side,
        type=request.type,
        size_lots=size_lots(request.size, field="size", market=market) if request.size else 0,
        price_ticks=_optional_ticks(request.price, "price", market),
        client_order_id=request.client_order_id,
        time_in_force=request.time_in_force,
        good_till_ms=request.good_till_ms,
        post_only=request.post_only,
        reduce_only=request.reduce_only,
        close_position=request.close_position,
        self_trade_prevention=request.self_trade_prevention,
        trigger_ticks=_optional_ticks(request.trigger_price, "trigger_price", market),
        trigger_by=request.trigger_by,
        take_profit_ticks=_optional_ticks(request.take_profit, "take_profit", market),
        stop_loss_ticks=_optional_ticks(request.stop_loss, "stop_loss", market),
        link_id=request.link_id,
        session_id=session_id,
        valid_until_ms=request.valid_until_ms,
        signed=_signed_bytes(request.signed),
    )


def amend_command(request: AmendRequest, *, account_id: int, market: MarketParameters) -> commands.AmendOrder:
    return commands.AmendOrder(
        account_id=account_id,
        market_id=market.market_id,
        order_id=_named_order(request),
        client_order_id=request.client_order_id,
        price_ticks=_optional_ticks(request.price, "price", market),
        size_lots=size_lots(request.size, field="size", market=market) if request.size else 0,
        trigger_ticks=_optional_ticks(request.trigger_price, "trigger_price", market),
        valid_until_ms=request.valid_until_ms,
        signed=_signed_bytes(request.signed),
    )


def cancel_command(request: CancelRequest, *, account_id: int) -> commands.CancelOrder:
    return commands.CancelOrder(account_id=account_id, order_id=_named_order(request), client_order_id=request.client_order_id)


def batch_command(request: BatchRequest, *, account_id: int, market: Market, session_id: int = 0) -> commands.PlaceBatch:
    """Return the command; `market` finds a market by its symbol. InvalidField names the item too: items[3].price."""
    items = []
    for place, item in enumerate(request.items):
        try:
            items.append(_item_command(item, account_id=account_id, market=market, session_id=session_id))
        except InvalidField as refusal:
            raise refusal.under(f"items[{place}]") from refusal
    return commands.PlaceBatch(account_id=account_id, items=tuple(items))


def parse_order_id(text: str, *, field: str = "order_id") -> int:
    if len(text) <= MAX_ORDER_ID_DIGITS and text.isascii() and text.isdigit() and text.strip("0"):
        return int(text)
    raise InvalidField("INVALID_ID", f"{field} must be the number of an order.", field=field, value=echo(text))


def check_client_order_id(text: str, *, field: str = "client_order_id") -> None:
    if not _CLIENT_ORDER_ID.fullmatch(text):
        message = f"{field} has 1 to {MAX_CLIENT_ORDER_ID} characters of A-Z a-z 0-9 . _ : / -"
        raise InvalidField("INVALID_ID", message, field=field, value=echo(text))


def _item_command(
    item: PlaceItem | AmendItem | CancelItem, *, account_id: int, market: Market, session_id: int
) -> commands.PlaceOrder | commands.AmendOrder | commands.CancelOrder:
    if isinstance(item, PlaceItem):
        return place_command(item, account_id=account_id, market=market(item.market), session_id=session_id)
    if isinstance(item, AmendItem):
        return amend_command(item, account_id=account_id, market=market(item.market))
    return cancel_command(item, account_id=account_id)


def _optional_ticks(text: str, field: str, market: MarketParameters) -> int:
    return price_ticks(text, field=field, market=market) if text else 0


def _signed_bytes(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise InvalidField("SIGNED_ORDER_MALFORMED", "signed is not base64.", field="signed", rule="Base64") from error


def _named_order(request: AmendRequest | CancelRequest) -> int:
    """Return the order's number, or 0 when its client id names it."""
    if request.order_id and request.client_order_id:
        raise _excluded("client_order_id", "order_id names the order already")
    if request.client_order_id:
        check_client_order_id(request.client_order_id)
        return 0
    if not request.order_id:
        raise _required("order_id", "an order is named by order_id or client_order_id")
    return parse_order_id(request.order_id)


def _check_combination(request: PlaceRequest) -> None:
    """Refuse what is missing for the order's type, and what would silently have no effect."""
    if not request.size and not request.close_position:
        raise _required("size", "only an order that closes a position has none")
    if request.size and request.close_position:
        raise _excluded("size", "close_position closes whatever is open")
    if request.type in PRICED and not request.price:
        raise _required("price", f"a {request.type} order has one")
    if request.type in TRIGGERED and not request.trigger_price:
        raise _required("trigger_price", f"a {request.type} order has one")
    if request.trigger_price and request.type not in TRIGGERED:
        raise _excluded("trigger_price", f"a {request.type} order has none")
    if request.time_in_force == "gtd" and not request.good_till_ms:
        raise _required("good_till_ms", "time_in_force is gtd")
    if request.good_till_ms and request.time_in_force != "gtd":
        raise _excluded("good_till_ms", "time_in_force is not gtd")


def _required(field: str, why: str) -> InvalidField:
    return InvalidField("FIELD_REQUIRED", f"{field} is required: {why}.", field=field)


def _excluded(field: str, why: str) -> InvalidField:
    return InvalidField("INVALID_COMBINATION", f"{field} cannot be given: {why}.", field=field)
