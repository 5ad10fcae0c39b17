"""What is over: past orders, fills and funding of the visitor's account, newest first, a page at a time."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from markets import figures
from markets.fields import whole_number
from markets.selectors import parameters_by_id
from markets.stamps import ms
from risk.models import FundingPayment
from trading.forms import TYPE_NAMES
from trading.models import Fill, Order
from trading.representations import average_price_text
from trading.selectors import fills_of, orders_of, wait_for_projection
from trading.views.account import account_id_of
from trading.views.answers import action
from trading.views.rows import Markets, day_time

PAGE_ROWS = 50
ENDED = ("filled", "cancelled", "expired")

Row = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and what the next page's come before; 0 on the last one."""

    rows: list[Row]
    url: str
    before: int


@require_GET
@action
def order_history(request: HttpRequest, symbol: str) -> HttpResponse:
    return render(request, "trading/_history.html", {"page": order_page(request, symbol)})


@require_GET
@action
def fills(request: HttpRequest, symbol: str) -> HttpResponse:
    return render(request, "trading/_fills.html", {"page": fill_page(request, symbol)})


@require_GET
@action
def funding(request: HttpRequest, symbol: str) -> HttpResponse:
    return render(request, "trading/_funding.html", {"page": funding_page(request, symbol)})


def order_page(request: HttpRequest, symbol: str) -> Page:
    found = orders_of(_current_account(request)).filter(status__in=ENDED)
    before, markets = _before(request), parameters_by_id()
    orders = list((found.filter(id__lt=before) if before else found)[:PAGE_ROWS])
    rows = [_order_row(order, markets) for order in orders]
    return Page(rows, reverse("trading:history", args=[symbol]), orders[-1].id if len(orders) == PAGE_ROWS else 0)


def fill_page(request: HttpRequest, symbol: str) -> Page:
    found = fills_of(_current_account(request))
    before, markets = _before(request), parameters_by_id()
    own = list((found.filter(id__lt=before) if before else found)[:PAGE_ROWS])
    rows = [_fill_row(fill, markets) for fill in own]
    return Page(rows, reverse("trading:fills", args=[symbol]), own[-1].id if len(own) == PAGE_ROWS else 0)


def funding_page(request: HttpRequest, symbol: str) -> Page:
    """Return a page of whole hours: markets pay at the same time, and none of them may fall between two pages."""
    found = FundingPayment.objects.filter(account_id=_current_account(request)).order_by("-due_at", "market_id")
    before, markets = _before(request), parameters_by_id()
    if before:
        found = found.filter(due_at__lt=datetime.fromtimestamp(min(before, 10**11), UTC))
    payments = list(found[:PAGE_ROWS])
    last_hour = payments[-1].due_at if len(payments) == PAGE_ROWS else None
    if last_hour:
        payments = list(found.filter(due_at__gte=last_hour))
    rows = [_funding_row(payment, markets) for payment in payments]
    return Page(rows, reverse("trading:funding", args=[symbol]), int(last_hour.timestamp()) if last_hour else 0)


def _current_account(request: HttpRequest) -> int:
    """Return the visitor's account once the tables hold all that the engine has told it."""
    account_id = account_id_of(request)
    wait_for_projection(account_id)
    return account_id


def _before(request: HttpRequest) -> int:
    return whole_number(request.GET.get("before", "")) or 0


def _order_row(order: Order, markets: Markets) -> Row:
    market = markets[order.market_id]
    moment_ms = ms(order.updated_at)
    status = order.status if not order.reason else f"{order.status}: {order.reason}"
    return {
        "id": order.id,
        "symbol": market.symbol,
        "side": order.side.capitalize(),
        "direction": "up" if order.side == "buy" else "down",
        "type": TYPE_NAMES.get(order.type, order.type),
        "price": figures.price(order.price_ticks, market),
        "average": average_price_text(order.filled_quote_atoms, order.filled_lots, market) if order.filled_lots else figures.NONE,
        "filled": figures.size(order.filled_lots, market),
        "size": figures.size(order.size_lots, market),
        "fee": figures.dollars(order.fee_atoms),
        "status": status.replace("_", " ").capitalize(),
        "time_ms": moment_ms,
        "time": day_time(moment_ms),
    }


def _fill_row(fill: Fill, markets: Markets) -> Row:
    market = markets[fill.market_id]
    moment_ms = ms(fill.executed_at)
    return {
        "id": fill.id,
        "trade_id": fill.trade_id,
        "symbol": market.symbol,
        "side": fill.side.capitalize(),
        "direction": "up" if fill.side == "buy" else "down",
        "price": figures.price(fill.price_ticks, market),
        "size": figures.size(fill.size_lots, market),
        "value": figures.dollars(fill.quote_atoms),
        "fee": figures.dollars(fill.fee_atoms),
        "pnl": figures.dollars_signed(fill.pnl_atoms) if fill.pnl_atoms else figures.NONE,
        "pnl_direction": figures.direction(fill.pnl_atoms),
        "role": fill.liquidity.capitalize() if fill.kind == "trade" else fill.kind.capitalize(),
        "time_ms": moment_ms,
        "time": day_time(moment_ms),
    }


def _funding_row(payment: FundingPayment, markets: Markets) -> Row:
    moment_ms = ms(payment.due_at)
    return {
        "symbol": markets[payment.market_id].symbol,
        "amount": figures.dollars_signed(payment.amount_atoms),
        "direction": figures.direction(payment.amount_atoms),
        "time_ms": moment_ms,
        "time": day_time(moment_ms),
    }
