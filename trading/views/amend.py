"""An open order's form in a dialog, and its change of price, size or trigger."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from markets import figures
from markets.errors import DomainError
from markets.fields import convert
from markets.gateway import gateway
from markets.parameters import MarketParameters
from markets.queries import GetAccount, GetOrder
from markets.selectors import market_by_symbol
from markets.views import OrderView
from trading.forms import plain
from trading.representations import price_text
from trading.requests import AmendRequest
from trading.services import orders
from trading.views import words
from trading.views.account import account_id_of
from trading.views.answers import Toast, action, done, is_htmx, unprocessable
from trading.views.orders import described

DIALOG = "amend-dialog"


class OrderNotFound(DomainError):
    code = "ORDER_NOT_FOUND"
    status = 404
    message = "This order is no longer open."


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    name: str
    label: str
    unit: str
    value: str


@require_http_methods(["GET", "POST"])
@action
def amend(request: HttpRequest, symbol: str, order_id: int) -> HttpResponse:
    market = market_by_symbol(symbol)
    account_id = account_id_of(request)
    order = gateway().query(GetOrder(account_id=account_id, order_id=order_id))
    if order is None or order.market_id != market.market_id:
        raise OrderNotFound
    if request.method == "GET":
        return _form(request, market, order, errors={})
    typed = {field.name: plain(field.value) for field in _fields(market, order, request.POST)}
    try:
        wanted = convert(typed | {"market": symbol, "order_id": str(order_id), "signed": request.POST.get("signed", "")}, AmendRequest)
        placed = orders.order_amend(account_id=account_id, request=wanted)
    except DomainError as error:
        refusal = words.refusal(error)
        field = refusal.field if refusal.field in typed else "form"
        return _form(request, market, order, errors={field: refusal.text}, status=unprocessable(error))
    answer = done(request, symbol, Toast("Order amended", described(placed.order, placed.market)))
    answer["HX-Trigger"] = json.dumps({"dialog:close": {"id": DIALOG}})
    return answer


def _form(request: HttpRequest, market: MarketParameters, order: OrderView, *, errors: dict[str, str], status: int = 200) -> HttpResponse:
    context = {
        "order": order,
        "market": market,
        "filled_lots": order.filled_lots,
        "self_custody": _is_self_custodied(order.account_id),
        "symbol": market.symbol,
        "description": described(order, market),
        "fields": _fields(market, order, request.POST),
        "errors": errors,
    }
    answer = render(request, "trading/_amend.html" if is_htmx(request) else "trading/amend.html", context, status=status)
    answer["HX-Trigger"] = json.dumps({"dialog:open": {"id": DIALOG}})
    return answer


def _is_self_custodied(account_id: int) -> bool:
    account = gateway().query(GetAccount(account_id=account_id))
    return account is not None and account.self_custody


def _fields(market: MarketParameters, order: OrderView, typed: Mapping[str, str]) -> list[Field]:
    """Return the fields that an order of this type can change, as typed or as they are."""
    found = []
    if order.status == "untriggered":
        found.append(("trigger_price", "Trigger price", "USDC", price_text(order.trigger_ticks, market)))
    if order.price_ticks:
        found.append(("price", "Price", "USDC", price_text(order.price_ticks, market)))
    if order.size_lots:
        found.append(("size", "Size, filled included", market.base_asset, figures.plain_size(order.size_lots, market)))
    return [Field(name=name, label=label, unit=unit, value=typed.get(name, value)) for name, label, unit, value in found]
