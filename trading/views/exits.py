"""The dialog that sets a position's take-profit and stop-loss."""

import json
from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from markets import figures
from markets.errors import DomainError
from markets.parameters import MarketParameters
from markets.selectors import market_by_symbol
from markets.views import AccountView, PositionView
from trading.forms import plain
from trading.representations import price_text
from trading.services.exits import EXITS, Exit, exit_set, exits_of
from trading.views import words
from trading.views.account import account_view
from trading.views.answers import Toast, action, done, is_htmx, unprocessable
from trading.views.positions import PositionChanged
from trading.views.signing import ExitsUnsigned

DIALOG = "exits-dialog"
LABELS: dict[Exit, str] = {"take_profit": "Take profit", "stop_loss": "Stop loss"}


@require_http_methods(["GET", "POST"])
@action
def exits(request: HttpRequest, symbol: str) -> HttpResponse:
    """Show the exits of an open position, and place, move or cancel them."""
    market = market_by_symbol(symbol)
    account, position = _position(request, market)
    if request.method == "GET":
        return _form(request, market, account, position, errors={})
    errors, changed = _set_all(request, market, account, position)
    if errors:
        return _form(request, market, account, position, errors=errors, status=422)
    toast = Toast(f"{symbol} exits are set" if changed else "Nothing has changed", _described(request))
    answer = done(request, symbol, toast)
    answer["HX-Trigger"] = json.dumps({"dialog:close": {"id": DIALOG}})
    return answer


def _set_all(request: HttpRequest, market: MarketParameters, account: AccountView, position: PositionView) -> tuple[dict[str, str], bool]:
    """Set both exits; one that is refused does not keep the other from being set. Returns errors, and whether anything changed."""
    errors: dict[str, str] = {}
    changed = False
    for exit_, present in zip(EXITS, exits_of(account, position), strict=True):
        price = plain(request.POST.get(exit_, "").strip())
        try:
            changed |= exit_set(account_id=account.account_id, market=market, position=position, present=present, exit_=exit_, price=price)
        except DomainError as error:
            if unprocessable(error) >= 500:
                raise
            errors[exit_] = words.refusal(error).text
    return errors, changed


def _position(request: HttpRequest, market: MarketParameters) -> tuple[AccountView, PositionView]:
    account = account_view(request)
    found = [position for position in account.positions if position.market_id == market.market_id] if account else []
    if account is None or not found:
        raise PositionChanged("There is no open position in this market any more.")
    if account.self_custody:
        raise ExitsUnsigned
    return account, found[0]


def _form(
    request: HttpRequest, market: MarketParameters, account: AccountView, position: PositionView, *, errors: dict[str, str],
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    present = zip(EXITS, exits_of(account, position), strict=True)
    fields = [
        {
            "name": exit_,
            "label": LABELS[exit_],
            "value": request.POST.get(exit_, price_text(order.trigger_ticks, market) if order else ""),
        }
        for exit_, order in present
    ]
    is_long = position.size_lots > 0
    context = {
        "symbol": market.symbol,
        "fields": fields,
        "errors": errors,
        "side": "Long" if is_long else "Short",
        "size": figures.size(abs(position.size_lots), market),
        "base": market.base_asset,
        "mark": figures.price(position.mark_ticks, market),
        "liquidation": figures.price(position.liquidation_ticks, market),
        "above": "above" if is_long else "below",
        "below": "below" if is_long else "above",
    }
    answer = render(request, "trading/_exits.html" if is_htmx(request) else "trading/exits.html", context, status=status)
    answer["HX-Trigger"] = json.dumps({"dialog:open": {"id": DIALOG}})
    return answer


def _described(request: HttpRequest) -> str:
    typed = {exit_: plain(request.POST.get(exit_, "").strip()) for exit_ in EXITS}
    set_ = [f"{LABELS[exit_]} {figures.number(Decimal(price))}" for exit_, price in typed.items() if price]
    return ", ".join(set_) or "No take profit and no stop loss"
