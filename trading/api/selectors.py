"""Reads of the tables for the API. Each waits until the tables show what the account's caller was told."""

import heapq
from itertools import islice
from typing import Any

from django.db.models import Q

from accounts.models import LedgerTransfer
from accounts.selectors import AccountNotFound
from markets.api.pages import before_cursor, page, page_of, read_cursor
from markets.api.schemas import MAX_MS
from markets.errors import DomainError
from markets.fields import InvalidField, echo
from markets.gateway import gateway
from markets.queries import GetAccount, GetOrder
from markets.selectors import market_by_id, market_by_symbol
from markets.stamps import at, ms
from markets.views import AccountView, OrderView
from risk.models import FundingPayment, FundingRate
from trading import representations
from trading.api import rows, schemas
from trading.models import Fill, Order
from trading.requests import parse_order_id
from trading.selectors import order_by_client_id, wait_for_projection

Json = dict[str, Any]
LIVE = ("open", "untriggered")
MAX_MARKET_ID = 2**31 - 1


class OrderNotFound(DomainError):
    code = "ORDER_NOT_FOUND"
    status = 404
    message = "There is no such order."


def account_view(account_id: int) -> AccountView:
    """Return the account as the engine has it."""
    view = gateway().query(GetAccount(account_id=account_id))
    if view is None:
        raise AccountNotFound(account_id=account_id)
    return view


def order_view(account_id: int, *, order_id: int = 0, client_order_id: str = "") -> OrderView:
    """Return one of the account's orders: the engine knows the open and the recent ones, the tables the rest."""
    try:
        return live_order_view(account_id, order_id=order_id, client_order_id=client_order_id)
    except OrderNotFound:
        return _projected_order(account_id, order_id=order_id, client_order_id=client_order_id)


def live_order_view(account_id: int, *, order_id: int = 0, client_order_id: str = "") -> OrderView:
    """Return an order as the engine has it: open, waiting or recently ended."""
    view = gateway().query(GetOrder(account_id=account_id, order_id=order_id, client_order_id=client_order_id))
    if view is None:
        raise OrderNotFound
    return view


def _projected_order(account_id: int, *, order_id: int, client_order_id: str) -> OrderView:
    wait_for_projection(account_id)
    own = Order.objects.filter(account_id=account_id)
    row = own.filter(id=order_id).first() if order_id else order_by_client_id(account_id, client_order_id)
    if row is None:
        raise OrderNotFound
    return rows.order_view(row)


def open_orders(account_id: int, asked: schemas.OrdersQuery) -> Json:
    """Return a page of the open and waiting orders, from the engine's state."""
    before = read_cursor(asked.cursor) if asked.cursor else None
    market_id = market_by_symbol(asked.market).market_id if asked.market else 0
    live = [
        order
        for order in sorted(account_view(account_id).orders, key=lambda order: order.order_id, reverse=True)
        if (not market_id or order.market_id == market_id) and (before is None or order.order_id < before)
    ]
    return page_of(
        live[: asked.limit + 1],
        limit=asked.limit,
        body=lambda order: representations.order(order, market_by_id(order.market_id)),
        cursor=lambda order: str(order.order_id),
    )


def orders(account_id: int, asked: schemas.OrdersQuery) -> Json:
    """Return a page of the order history."""
    found = Order.objects.filter(account_id=account_id)
    if asked.status == "ended":
        found = found.exclude(status__in=LIVE)
    if asked.market:
        found = found.filter(market_id=market_by_symbol(asked.market).market_id)
    found = before_cursor(found, asked.cursor)
    wait_for_projection(account_id)
    return page(found, limit=asked.limit, body=lambda row: rows.order(row, market_by_id(row.market_id)))


def fills(account_id: int, asked: schemas.FillsQuery) -> Json:
    found = Fill.objects.filter(account_id=account_id)
    if asked.market:
        found = found.filter(market_id=market_by_symbol(asked.market).market_id)
    if asked.order_id:
        found = found.filter(order_id=parse_order_id(asked.order_id))
    found = before_cursor(found, asked.cursor)
    wait_for_projection(account_id)
    return page(found, limit=asked.limit, body=lambda row: rows.fill(row, market_by_id(row.market_id)))


def transfers(account_id: int, asked: schemas.TransfersQuery) -> Json:
    """Return a page of the account's ledger. Both sides have an index of their own: each is read in order and merged."""
    sides = [LedgerTransfer.objects.filter(debit_account_id=account_id), LedgerTransfer.objects.filter(credit_account_id=account_id)]
    sides = [before_cursor(side, asked.cursor) for side in sides]
    wait_for_projection(account_id)
    newest = [list(side[: asked.limit + 1]) for side in sides]
    merged = list(islice(heapq.merge(*newest, key=lambda row: row.id, reverse=True), asked.limit + 1))
    return page_of(merged, limit=asked.limit, body=lambda row: rows.transfer(row, account_id), cursor=lambda row: str(row.id))


def funding_payments(account_id: int, asked: schemas.FundingPaymentsQuery) -> Json:
    """Return a page of funding payments; a cursor names the hour and the market, as the rows have no number."""
    found = FundingPayment.objects.filter(account_id=account_id).order_by("-due_at", "-market_id")
    if asked.cursor:
        due_ms, market_id = _read_pair(asked.cursor)
        due_at = at(due_ms)
        found = found.filter(Q(due_at__lt=due_at) | Q(due_at=due_at, market_id__lt=market_id))
    wait_for_projection(account_id)
    return page_of(
        list(found[: asked.limit + 1]),
        limit=asked.limit,
        body=lambda row: rows.funding_payment(row, market_by_id(row.market_id)),
        cursor=lambda row: f"{ms(row.due_at)}-{row.market_id}",
    )


def funding_rates(market_id: int, *, cursor: str, limit: int, from_ms: int | None = None, to_ms: int | None = None) -> Json:
    """Return a page of the funding that was due from `from_ms` on and before `to_ms`."""
    found = FundingRate.objects.filter(market_id=market_id).order_by("-due_at")
    if from_ms is not None:
        found = found.filter(due_at__gte=at(from_ms))
    if to_ms is not None:
        found = found.filter(due_at__lt=at(to_ms))
    if cursor:
        found = found.filter(due_at__lt=at(min(read_cursor(cursor), MAX_MS)))
    return page_of(list(found[: limit + 1]), limit=limit, body=rows.funding_rate, cursor=lambda row: str(ms(row.due_at)))


def _read_pair(cursor: str) -> tuple[int, int]:
    due, point, market = cursor.partition("-")
    if not point:
        raise InvalidField("INVALID_CURSOR", "cursor must be the next of an earlier page.", field="cursor", value=echo(cursor))
    return min(read_cursor(due), MAX_MS), min(read_cursor(market), MAX_MARKET_ID)
