"""Order entry for callers that may wait: convert, submit, and answer with the order or raise why not."""

from typing import NamedTuple

from accounts.selectors import AccountNotFound
from markets.commands import AmendOrder, CancelAll, CancelOrder, PlaceOrder
from markets.errors import DomainError
from markets.gateway import gateway
from markets.parameters import MarketParameters
from markets.queries import PreviewOrder
from markets.selectors import market_by_id, market_by_symbol
from markets.views import OrderView, Preview, Reply
from trading.refusals import refused
from trading.requests import (
    AmendRequest,
    BatchRequest,
    CancelRequest,
    PlaceRequest,
    amend_command,
    batch_command,
    cancel_command,
    place_command,
)
from trading.services import signatures
from trading.services.repeats import OrderArchived, placed_order


class PlacedOrder(NamedTuple):
    """An order as the engine left it, with the market whose units it is in."""

    order: OrderView
    market: MarketParameters


def order_place(*, account_id: int, request: PlaceRequest) -> PlacedOrder:
    """Place an order. Refused says why the engine did not accept it; the same client id again returns the same order."""
    market = market_by_symbol(request.market)
    command = place_command(request, account_id=account_id, market=market)
    signatures.check(command, market)
    return PlacedOrder(placed_order(_accepted(gateway().submit(command), market), command), market)


def order_amend(*, account_id: int, request: AmendRequest) -> PlacedOrder:
    market = market_by_symbol(request.market)
    command = amend_command(request, account_id=account_id, market=market)
    signatures.check(command, market)
    reply = gateway().submit(command)
    return PlacedOrder(_accepted(reply, market).orders[0], market)


def order_cancel(*, account_id: int, request: CancelRequest) -> PlacedOrder:
    reply = gateway().submit(cancel_command(request, account_id=account_id))
    return _with_market(_accepted(reply).orders[0])


def orders_cancel_all(*, account_id: int, market_symbol: str = "") -> list[PlacedOrder]:
    """Cancel an account's orders, triggers included, in one market or all; return those that were cancelled."""
    market_id = market_by_symbol(market_symbol).market_id if market_symbol else 0
    reply = _accepted(gateway().submit(CancelAll(account_id=account_id, market_id=market_id)))
    return [_with_market(order) for order in reply.orders]


def orders_batch(*, account_id: int, request: BatchRequest) -> list[PlacedOrder | DomainError]:
    """Apply up to 20 items in order; each answers with its order or with why it was refused."""
    command = batch_command(request, account_id=account_id, market=market_by_symbol)
    signatures.check_batch(command, market_by_id)
    reply = _accepted(gateway().submit(command))
    markets = [market_by_id(item.market_id) if not isinstance(item, CancelOrder) else None for item in command.items]
    return [
        _batch_order(result, item) if result.reject is None else refused(result.reject, market)
        for result, item, market in zip(reply.results, command.items, markets, strict=True)
    ]


def order_preview(*, account_id: int, request: PlaceRequest) -> tuple[Preview, MarketParameters]:
    """Return what an order would do now, and why it would be refused; nothing is placed."""
    market = market_by_symbol(request.market)
    preview = gateway().query(PreviewOrder(order=place_command(request, account_id=account_id, market=market)))
    if preview is None:
        raise AccountNotFound(account_id=account_id)
    return preview, market


def _batch_order(result: Reply, item: PlaceOrder | AmendOrder | CancelOrder) -> PlacedOrder | DomainError:
    try:
        return _with_market(placed_order(result, item) if isinstance(item, PlaceOrder) else result.orders[0])
    except OrderArchived as error:
        return error


def _with_market(order: OrderView) -> PlacedOrder:
    return PlacedOrder(order, market_by_id(order.market_id))


def _accepted(reply: Reply, market: MarketParameters | None = None) -> Reply:
    if reply.reject is not None:
        raise refused(reply.reject, market)
    return reply
