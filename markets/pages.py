"""The landing page with live markets, the markets page, and the visitor's display settings."""

import time

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from markets import listing
from markets.cards import MarketCard, market_card
from markets.errors import GatewayError
from markets.selectors import markets
from markets.templatetags.site import THEMES, UPDOWNS, chosen
from markets.tickers import day_curves, day_figures

COLUMNS = (
    ("market", "Market"),
    ("last", "Last"),
    ("change", "24h change"),
    ("volume", "24h volume"),
    ("open_interest", "Open interest"),
    ("funding", "Funding / 1h"),
)
YEAR_SECONDS = 365 * 24 * 3600


@require_GET
def landing(request: HttpRequest) -> HttpResponse:
    cards = _cards()
    simulated = any(card.price_source == "simulated" for card in cards)
    return render(request, "markets/landing.html", {"markets": cards, "simulated": simulated})


@require_GET
def market_list(request: HttpRequest) -> HttpResponse:
    """Show all markets, sorted, filtered and starred as the address and the visitor's cookie say: no script is needed for it."""
    order, choice = listing.order_of(request.GET), listing.choice_of(request.GET)
    found = _rows(listing.favourites_of(request.COOKIES), choice)
    context = {
        "rows": listing.ordered(found, order),
        "order": order,
        "columns": [(sort, name, order.other(sort)) for sort, name in COLUMNS],
        "choice": choice,
        "none_shown": all(row.hidden for row in found),
        "totals": listing.totals(found),
        "simulated": any(row.card.price_source != "live" for row in found),
    }
    return render(request, "markets/markets.html", context)


@require_POST
def display(request: HttpRequest) -> HttpResponse:
    """Keep theme and direction colours in cookies, so that the first paint is right."""
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = "/"
    response = redirect(target)
    for name, choices in (("theme", THEMES), ("updown", UPDOWNS)):
        response.set_cookie(f"qd_{name}", chosen(request.POST.get(name), choices), max_age=YEAR_SECONDS, samesite="Lax")
    return response


def _cards() -> list[MarketCard]:
    """Return all markets' cards; none while the engine is away: the page says so and comes up all the same."""
    try:
        days = day_figures()
        now_ms = time.time_ns() // 1_000_000
        return [market_card(view, days.get(view.parameters.market_id), now_ms=now_ms) for view in markets()]
    except GatewayError:
        return []


def _rows(favourites: frozenset[str], choice: listing.Choice) -> list[listing.Row]:
    try:
        views = markets()
    except GatewayError:
        return []
    now_ms = time.time_ns() // 1_000_000
    return listing.rows(views, days=day_figures(), curves=day_curves(), favourites=favourites, choice=choice, now_ms=now_ms)
