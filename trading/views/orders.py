"""Orders from the page: place, preview, cancel. Each view parses, makes one service call and renders."""

from dataclasses import replace
from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from markets import figures
from markets.cards import market_card
from markets.errors import DomainError, GatewayError
from markets.fields import InvalidField
from markets.parameters import MarketParameters
from markets.selectors import market_view
from markets.views import MarketView, OrderView
from trading.forms import Ticket, new_client_order_id, place_request, ticket_from
from trading.representations import average_price_text
from trading.requests import CancelRequest
from trading.services import orders
from trading.views import words
from trading.views.account import account_id_of, account_view, leverage_in, mode_in
from trading.views.answers import Toast, action, done, is_htmx, unprocessable
from trading.views.receipt import NO_RECEIPT, receipt_of


@require_POST
@action
def place(request: HttpRequest, symbol: str) -> HttpResponse:
    """Place the ticket's order; an error comes back beside its field, with what was typed."""
    view = market_view(symbol)
    account = account_view(request)
    ticket = ticket_from(request.POST, leverage=leverage_in(account, view.parameters))
    ticket.margin_mode = mode_in(account, view.parameters).capitalize()
    try:
        wanted = place_request(ticket, market=view.parameters, mark_ticks=view.mark_ticks)
        placed = orders.order_place(account_id=account_id_of(request), request=wanted)
    except DomainError as error:
        if not is_htmx(request):
            raise
        return _refused(request, view, ticket, error, self_custody=account is not None and account.self_custody)
    context = _ticket_context(view, ticket.fresh()) | {"self_custody": account is not None and account.self_custody}
    answer = done(request, symbol, placed_toast(placed), partials="trading/_ticket_partial.html", **context)
    answer["HX-Trigger"] = "ticket:fresh"  # whatever preview was on its way is of the order before
    return answer


@require_POST
@action
def preview(request: HttpRequest, symbol: str) -> HttpResponse:
    """Return the receipt of the ticket as it stands; an unfinished ticket has an empty one."""
    view = market_view(symbol)
    ticket = ticket_from(request.POST, leverage=1)
    ticket.signed = ""  # of an order before
    try:
        wanted = place_request(ticket, market=view.parameters, mark_ticks=view.mark_ticks)
        receipt = receipt_of(*orders.order_preview(account_id=account_id_of(request), request=wanted))
    except InvalidField as error:
        # A field that is still empty is no error yet; one that is wrong is told beside the button.
        reason = words.refusal(error).text if error.code != "FIELD_REQUIRED" else ""
        receipt = replace(NO_RECEIPT, reject_code=error.code, reason=reason)
    return render(request, "trading/_receipt.html", {"receipt": receipt})


@require_POST
@action
def cancel(request: HttpRequest, symbol: str, order_id: int) -> HttpResponse:
    placed = orders.order_cancel(account_id=account_id_of(request), request=CancelRequest(order_id=str(order_id)))
    return done(request, symbol, Toast("Order cancelled", described(placed.order, placed.market)))


@require_POST
@action
def cancel_all(request: HttpRequest, symbol: str) -> HttpResponse:
    count = len(orders.orders_cancel_all(account_id=account_id_of(request)))
    return done(request, symbol, Toast(f"{count} order{'' if count == 1 else 's'} cancelled" if count else "There were no open orders"))


def placed_toast(placed: orders.PlacedOrder) -> Toast:
    """Tell what became of a placed order; its key lets the feed's news of the same order replace the toast."""
    return Toast(*outcome(placed.order, placed.market), f"order-{placed.order.order_id}")


def outcome(order: OrderView, market: MarketParameters) -> tuple[str, str]:
    """Return what became of an order: a title and the facts."""
    verb = "Bought" if order.side == "buy" else "Sold"
    filled = f"{figures.size(order.filled_lots, market)} {market.base_asset}"
    if order.status == "filled":
        average = Decimal(average_price_text(order.filled_quote_atoms, order.filled_lots, market))
        return f"{verb} {filled}", f"{market.symbol} at {figures.number(average)}"
    if order.status == "cancelled":
        why = f"cancelled: {(order.reason or '').replace('_', ' ')}"
        return (f"{verb} {filled}", f"The rest was {why}") if order.filled_lots else ("Nothing was filled", f"The order was {why}")
    if order.filled_lots:
        return f"{verb} {filled}", f"{figures.size(order.size_lots - order.filled_lots, market)} rest in the book"
    return "Order placed", described(order, market)


def described(order: OrderView, market: MarketParameters) -> str:
    size = f"{figures.size(order.size_lots, market)} {market.base_asset}" if order.size_lots else "position"
    at = figures.price(order.trigger_ticks or order.price_ticks, market)
    return f"{order.side.capitalize()} {size} at {at}"


def _refused(request: HttpRequest, view: MarketView, ticket: Ticket, error: DomainError, *, self_custody: bool) -> HttpResponse:
    refusal = words.refusal(error)
    ticket.blame(refusal.field, refusal.text)
    if not isinstance(error, GatewayError):
        ticket.client_order_id = new_client_order_id()  # the engine remembers refused ids; one whose outcome is unknown is kept
    context = _ticket_context(view, ticket) | {"account": True, "self_custody": self_custody}
    return render(request, "trading/_ticket_partial.html", context, status=unprocessable(error))


def _ticket_context(view: MarketView, ticket: Ticket) -> dict[str, object]:
    return {"ticket": ticket, "market": market_card(view, None, now_ms=0), "receipt": NO_RECEIPT}
