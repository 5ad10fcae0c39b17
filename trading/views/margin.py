"""The margin dialogs of the trade page: a market's mode and leverage, and an isolated position's own margin."""

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from markets import figures
from markets.errors import DomainError
from markets.fields import InvalidField
from markets.parameters import MarketParameters
from markets.selectors import market_by_symbol, parameters_by_id
from markets.views import AccountView, MarginExplanation, PoolTerms, PositionView
from trading.forms import plain
from trading.services.accounts import leverage_set
from trading.services.margin import isolated_margin_move, margin_mode_set, margin_preview
from trading.views import risk_rows, words
from trading.views.account import account_id_of, account_view, mode_in
from trading.views.answers import Toast, action, done, is_htmx, unprocessable

MAX_LEVERAGE_DIGITS = 4
MODES = ("cross", "isolated")
CENT_ATOMS = 10_000
ISOLATED_DIALOG = "isolated-dialog"


class NotIsolated(DomainError):
    code = "NOT_ISOLATED"
    status = 409
    message = "There is no isolated position in this market."


@require_POST
@action
def leverage(request: HttpRequest, symbol: str) -> HttpResponse:
    """Set a market's margin mode, if the form has one, and its leverage."""
    try:
        wanted = _leverage(request)
        _set_mode(request, symbol)
        leverage_set(account_id=account_id_of(request), market_symbol=symbol, leverage=wanted)
    except DomainError as error:
        if not is_htmx(request):
            raise
        context = {"error": words.refusal(error).text}
        return render(request, "trading/_leverage_error.html", context, status=unprocessable(error))
    mode = mode_in(account_view(request), market_by_symbol(symbol))
    toast = Toast(f"{symbol} leverage is {wanted}\N{MULTIPLICATION SIGN}", f"{mode.capitalize()} margin")
    answer = done(request, symbol, toast, partials="trading/_leverage_partial.html", leverage=wanted, margin_mode=mode.capitalize())
    answer["HX-Trigger"] = json.dumps({"dialog:close": {"id": "leverage-dialog"}})
    return answer


@require_POST
@action
def leverage_preview(request: HttpRequest, symbol: str) -> HttpResponse:
    """Return what another leverage would change; a leverage that cannot be says so when it is sent."""
    try:
        tried = margin_preview(account_id=account_id_of(request), leverage={symbol: _leverage(request)})
    except InvalidField:
        return render(request, "risk/_changes.html", {"changes": []})
    return render(request, "risk/_changes.html", {"changes": _changes(tried.preview.before, tried.preview.after, symbol)})


@require_http_methods(["GET", "POST"])
@action
def isolated(request: HttpRequest, symbol: str) -> HttpResponse:
    """Show how much an isolated position has, and add or remove some."""
    market = market_by_symbol(symbol)
    position = isolated_position(account_view(request), market)
    if request.method == "GET":
        return _isolated_form(request, market, position)
    try:
        moved = isolated_margin_move(account_id=account_id_of(request), market_symbol=symbol, amount=_amount(request))
    except DomainError as error:
        return _isolated_form(request, market, position, error=words.refusal(error).text, status=unprocessable(error))
    verb = "added to" if moved > 0 else "removed from"
    answer = done(request, symbol, Toast(f"{figures.dollars(abs(moved))} {verb} {symbol}"))
    answer["HX-Trigger"] = json.dumps({"dialog:close": {"id": ISOLATED_DIALOG}})
    return answer


@require_POST
@action
def isolated_preview(request: HttpRequest, symbol: str) -> HttpResponse:
    """Return what more or less margin would change, or the most that can be moved when that is too much."""
    try:
        tried = margin_preview(account_id=account_id_of(request), isolated_margin={symbol: _amount(request)}).preview
    except InvalidField:
        return render(request, "trading/_isolated_changes.html", {"changes": []})
    reason = _too_much(tried.before, _pool_margin(tried.after, symbol) - _pool_margin(tried.before, symbol), symbol)
    changes = [] if reason else _changes(tried.before, tried.after, symbol)
    return render(request, "trading/_isolated_changes.html", {"changes": changes, "reason": reason})


def isolated_position(account: AccountView | None, market: MarketParameters) -> PositionView:
    found = [row for row in account.positions if row.market_id == market.market_id and row.margin_mode == "isolated"] if account else []
    if not found:
        raise NotIsolated
    return found[0]


def _isolated_form(
    request: HttpRequest, market: MarketParameters, position: PositionView, *, error: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "symbol": market.symbol,
        "margin": figures.dollars(position.margin_atoms),
        "amount": request.POST.get("amount", ""),
        "direction": request.POST.get("direction", "add"),
        "error": error,
    }
    template = "trading/_isolated.html" if is_htmx(request) else "trading/isolated.html"
    answer = render(request, template, context, status=status)
    answer["HX-Trigger"] = json.dumps({"dialog:open": {"id": ISOLATED_DIALOG}})
    return answer


def _leverage(request: HttpRequest) -> int:
    typed = request.POST.get("leverage", "").strip()
    if not (typed.isascii() and typed.isdigit() and len(typed) <= MAX_LEVERAGE_DIGITS):
        raise InvalidField("INVALID_LEVERAGE", "Leverage is a whole number.", field="leverage")
    return int(typed)


def _set_mode(request: HttpRequest, symbol: str) -> None:
    """Change the margin mode to the one that was chosen; a form without it leaves it."""
    chosen = request.POST.get("margin_mode", "")
    if chosen not in MODES or chosen == mode_in(account_view(request), market_by_symbol(symbol)):
        return
    margin_mode_set(account_id=account_id_of(request), market_symbol=symbol, mode="isolated" if chosen == "isolated" else "cross")


def _amount(request: HttpRequest) -> str:
    """Return the typed amount, negative when it is to be removed."""
    typed = plain(request.POST.get("amount", "").strip())
    if typed[:1] in ("-", "+"):
        raise InvalidField("NUMBER_SIGNED", "Amount is written without a sign: choose to add or to remove.", field="amount")
    return f"-{typed}" if request.POST.get("direction") == "remove" else typed


def _changes(before: MarginExplanation, after: MarginExplanation, symbol: str) -> list[risk_rows.Change]:
    """Return what changes for one market: the account's margin, and the market's own liquidation price."""
    rows = risk_rows.changes(before, after, parameters_by_id())
    shown = {"Initial margin", "Free margin", f"{symbol} liquidation"}
    margins = [_pool_margin(terms, symbol) for terms in (before, after)]
    isolated_rows = [risk_rows.Change("Position margin", *(figures.dollars(value) for value in margins))] if any(margins) else []
    return isolated_rows + [row for row in rows if row.name in shown]


def _too_much(terms: MarginExplanation, moved_atoms: int, symbol: str) -> str:
    """Return why the engine would not move so much, "" when it would: removing leaves what a withdrawal leaves."""
    if moved_atoms < 0:
        most, verb, none = _removable(terms, symbol), "removed", "the position needs all of its margin"
    else:
        most, verb, none = _addable(terms.pools[0]), "added", "the cross margin needs all that it has"
    if abs(moved_atoms) <= most:
        return ""
    whole_cents = most // CENT_ATOMS * CENT_ATOMS
    return f"At most {figures.dollars(whole_cents)} can be {verb} now." if whole_cents else f"Nothing can be {verb} now: {none}."


def _removable(terms: MarginExplanation, symbol: str) -> int:
    market_id = market_by_symbol(symbol).market_id
    return next((pool.withdrawable_atoms for pool in terms.pools if pool.market_id == market_id), 0)


def _addable(cross: PoolTerms) -> int:
    """Return the USDC that initial margin and unrealised losses leave; unrealised profit cannot be moved."""
    usdc, *others = cross.collateral
    own = usdc.amount_atoms + min(0, cross.unrealised_atoms)
    return max(0, min(own, own + sum(term.initial_value_atoms for term in others) - cross.initial_margin_atoms))


def _pool_margin(terms: MarginExplanation, symbol: str) -> int:
    market_id = market_by_symbol(symbol).market_id
    return next((term.amount_atoms for pool in terms.pools if pool.market_id == market_id for term in pool.collateral), 0)
