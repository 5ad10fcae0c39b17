"""A position's ends: close it, or turn it round."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from markets import figures
from markets.errors import DomainError
from markets.parameters import MarketParameters
from markets.selectors import market_by_symbol
from markets.views import PositionView
from trading.forms import new_client_order_id
from trading.requests import MAX_SIGNED_CHARACTERS, PlaceRequest
from trading.services import orders
from trading.views.account import account_id_of, account_view
from trading.views.answers import action, done
from trading.views.orders import placed_toast


class PositionChanged(DomainError):
    code = "POSITION_CHANGED"
    status = 409
    message = "The position has changed since this page showed it. Look again."


@require_POST
@action
def close(request: HttpRequest, symbol: str) -> HttpResponse:
    """Close what is open now, as long as it is on the side that was shown."""
    return _exit(request, symbol, times=1)


@require_POST
@action
def reverse(request: HttpRequest, symbol: str) -> HttpResponse:
    """Sell or buy twice the position, as long as it is the one that was shown."""
    return _exit(request, symbol, times=2)


def _exit(request: HttpRequest, symbol: str, *, times: int) -> HttpResponse:
    market = market_by_symbol(symbol)
    position = _shown_position(request, market, exactly=times > 1)
    wanted = PlaceRequest(
        market=symbol,
        side="sell" if position.size_lots > 0 else "buy",
        type="market",
        size=figures.plain_size(position.size_lots * times, market),
        reduce_only=times == 1,
        client_order_id=new_client_order_id(),
        signed=request.POST.get("signed", "")[:MAX_SIGNED_CHARACTERS],
    )
    placed = orders.order_place(account_id=account_id_of(request), request=wanted)
    return done(request, symbol, placed_toast(placed))


def _shown_position(request: HttpRequest, market: MarketParameters, *, exactly: bool) -> PositionView:
    """Return the open position; PositionChanged when it is not the one whose button was pressed."""
    account = account_view(request)
    found = [position for position in account.positions if position.market_id == market.market_id] if account else []
    if not found:
        raise PositionChanged("There is no open position in this market any more.")
    side = "buy" if found[0].size_lots > 0 else "sell"
    size = figures.plain_size(found[0].size_lots, market)
    if side != request.POST.get("side") or (exactly and size != request.POST.get("size")):
        raise PositionChanged
    return found[0]
