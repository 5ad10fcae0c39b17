"""The risk page: margin as a waterfall, distance to liquidation, stress, and what would change if."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from accounts.selectors import AccountNotFound
from markets import figures as amounts
from markets.errors import DomainError
from markets.fields import convert
from markets.selectors import markets as market_views
from markets.selectors import parameters_by_id
from markets.stamps import ms
from risk import portfolio, reports
from risk.book import RiskBook, insurance_atoms, read_account, read_book
from risk.models import RiskAlert, RiskSnapshot
from risk.returns import returns_of
from trading.forms import plain
from trading.requests import PlaceRequest
from trading.services import margin
from trading.views import risk_rows, words
from trading.views.account import account_context, account_id_of, account_view
from trading.views.answers import is_htmx, page, signed_in, unprocessable

MAX_ALERTS = 20
MAX_SNAPSHOTS = 24
FIRST = 20
MOVE = "move_"


@require_GET
@signed_in
@page
def risk(request: HttpRequest) -> HttpResponse:
    """Show an account's risk; without an account or a position, what to do next."""
    context = _account_risk(request) | account_context(account_view(request))
    context |= {"symbols": [view.parameters.symbol for view in market_views() if view.status != "delisted"]}
    return render(request, "risk/risk.html", context)


@require_GET
@signed_in
@page
def figures(request: HttpRequest) -> HttpResponse:
    """Return the page's figures as they are now."""
    return render(request, "risk/_figures.html", _account_risk(request))


@require_POST
@signed_in
def what_if(request: HttpRequest) -> HttpResponse:
    """Return an account's figures before and after an order and price moves; nothing is done."""
    context: dict[str, Any]
    try:
        tried = margin.margin_preview(account_id=account_id_of(request), order=_order(request.POST), moves=_moves(request.POST))
        reason = words.preview_text(tried.preview.reject, tried.market) if tried.market else ""
        rows = risk_rows.changes(tried.preview.before, tried.preview.after, parameters_by_id())
        context, status = {"changes": rows, "reason": reason}, 200
    except DomainError as error:
        context, status = {"error": words.refusal(error).text}, unprocessable(error)
    if is_htmx(request):
        return render(request, "risk/_what_if.html", context, status=status)
    return render(request, "risk/what_if.html", context, status=status)


@require_GET
@signed_in
@page
def book(request: HttpRequest) -> HttpResponse:
    """Show staff the whole book: who falls first, and what the insurance fund would pay."""
    if not request.user.is_staff:
        raise PermissionDenied
    return render(request, "risk/book.html", _book_context())


def _account_risk(request: HttpRequest) -> dict[str, Any]:
    try:
        account_id = account_id_of(request)
    except AccountNotFound:
        return {"terms": None}
    terms, own, known = margin.margin_explain(account_id=account_id), read_account(account_id), parameters_by_id()
    returns = returns_of(own.assets)
    return {
        "terms": terms,
        "pools": risk_rows.pool_cards(terms, known),
        "rows": risk_rows.distance_rows(terms, known),
        "alerts": RiskAlert.objects.filter(account_id=account_id)[:MAX_ALERTS],
        "at_risk": bool(own.assets),
        "risk_figures": risk_rows.risk_figures(reports.day_risk(own, returns), float(own.pools.equity.sum())),
        "returns_source": returns.source,
        "volatilities": [f"{multiple:.0f}\N{MULTIPLICATION SIGN}" for multiple in reports.VOLATILITIES],
        "grid": risk_rows.grid_rows(reports.stress_grid(own, returns)),
        "days": risk_rows.shock_rows(reports.historical_shocks(own)),
        "shocks": risk_rows.shock_rows(reports.market_shocks(own)),
        "shares": risk_rows.shares(own.assets, reports.concentration(own).shares.tolist()),
        "assets": own.assets,
        "stand_ins": returns.stands_in,
        "correlations": risk_rows.correlation_rows(own.assets, portfolio.correlation(returns.changes).tolist()),
    }


def _book_context() -> dict[str, Any]:
    whole, insurance = read_book(), insurance_atoms()
    returns = returns_of(whole.assets)
    falling = reports.first_to_fall(whole, FIRST)
    return {
        "pool_count": len(whole.account_ids),
        "insurance": amounts.dollars(insurance),
        "falls": risk_rows.fall_cards(reports.fall_rows(whole), insurance),
        "first": [_first_row(whole, row, move) for row, move in falling],
        "risk_figures": risk_rows.fund_figures(reports.insurance_risk(whole, returns), insurance),
        "returns_source": returns.source,
        "days": risk_rows.fall_cards(reports.historical_falls(whole), insurance),
        "shares": risk_rows.shares(whole.assets, reports.concentration(whole).shares.tolist()),
        "assets": whole.assets,
        "stand_ins": returns.stands_in,
        "correlations": risk_rows.correlation_rows(whole.assets, portfolio.correlation(returns.changes).tolist()),
        "snapshots": [_snapshot_row(row) for row in RiskSnapshot.objects.all()[:MAX_SNAPSHOTS]],
        "alerts": RiskAlert.objects.select_related("market")[:MAX_ALERTS],
    }


def _snapshot_row(row: RiskSnapshot) -> dict[str, Any]:
    return {
        "time_ms": ms(row.period_at),
        "taken": row.period_at,
        "pools": f"{row.pools:,}",
        "equity": amounts.dollars(row.equity_atoms),
        "insurance": amounts.dollars(row.insurance_atoms),
        "value_at_risk": amounts.dollars(row.value_at_risk_atoms),
    }


def _first_row(whole: RiskBook, row: int, move: float) -> dict[str, Any]:
    known = parameters_by_id()
    market_id = whole.market_ids[row]
    return {
        "account_id": whole.account_ids[row],
        "pool": known[market_id].symbol if market_id in known else "Cross",
        "equity": risk_rows.usd(float(whole.pools.equity[row])),
        "notional": risk_rows.usd(float(whole.notional[row].sum())),
        "maintenance": risk_rows.usd(float(whole.pools.maintenance[row])),
        "move": f"{move:+.2%}".replace("-", amounts.MINUS) if move else "Now",
    }


def _order(data: Mapping[str, str]) -> PlaceRequest | None:
    """Return the order that was typed; None without a size. Without a price it is a market order."""
    size, price = plain(data.get("size", "").strip()), plain(data.get("price", "").strip())
    if not size:
        return None
    values = {"market": data.get("market", ""), "side": data.get("side", ""), "size": size}
    return convert(values | {"type": "limit" if price else "market", "price": price}, PlaceRequest)


def _moves(data: Mapping[str, str]) -> dict[str, str]:
    """Return the moves that were typed, in per cent by symbol: the one for all, and those that are set apart."""
    every = _typed_move(data.get("move_all", ""))
    moves = {view.parameters.symbol: every for view in market_views()} if every else {}
    for name, text in data.items():
        typed = _typed_move(text)
        if name.startswith(MOVE) and name != "move_all" and typed:
            moves[name.removeprefix(MOVE)] = typed
    return {symbol: move for symbol, move in moves.items() if move.strip("-0.")}


def _typed_move(text: str) -> str:
    return text.strip().removesuffix("%").strip().removeprefix("+").replace(amounts.MINUS, "-")
