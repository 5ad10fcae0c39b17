"""The trade page: everything that it shows at first is rendered here; scripts only keep it current."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET

from markets import figures, units
from markets.cards import MarketCard, market_card
from markets.gateway import gateway
from markets.models import Candle
from markets.parameters import MarginTier, MarketParameters
from markets.queries import GetBook
from markets.selectors import MarketNotFound, market_by_symbol, market_view, markets
from markets.stamps import ms
from markets.tickers import day_figures
from markets.views import AccountView, BookView, MarketView
from trading.forms import Ticket
from trading.views import history
from trading.views.account import account_context, account_view, leverage_in, mode_in
from trading.views.answers import action, page
from trading.views.book import ROWS, book_rows, groups, spread_text, trade_rows
from trading.views.receipt import NO_RECEIPT
from trading.views.rows import day_time
from trading.views.state import page_state

CANDLES = 50
CANDLE_INTERVAL = "15m"
SKELETON_BARS = 60
SHOWN_INDICATORS = ("MA", "VOL")
INDICATORS = ("MA", "EMA", "BOLL", "VWAP", "VOL", "MACD", "RSI")
DRAWINGS = (
    ("segment", "Trend line"), ("rayLine", "Ray"), ("horizontalStraightLine", "Horizontal line"), ("verticalStraightLine", "Vertical line"),
    ("priceChannelLine", "Channel"), ("fibonacciLine", "Fibonacci"),
)  # fmt: skip
VIEWS = (("chart", "Chart"), ("book", "Book"), ("trades", "Trades"), ("info", "Info"))


@dataclass(kw_only=True, slots=True)
class Tab:
    """A tab of the account panel. A lazy one reads tables, when it is opened."""

    name: str
    label: str
    counted: bool = False
    count: int = 0
    url: str = ""
    template: str = ""
    page: Callable[[HttpRequest, str], history.Page] | None = None


@require_GET
@page
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the first market, or the landing page when there is none."""
    views = markets()
    return redirect("trading:trade", views[0].parameters.symbol) if views else redirect("markets:landing")


@require_GET
@ensure_csrf_cookie
@page
def trade(request: HttpRequest, symbol: str) -> HttpResponse:
    try:
        view = market_view(symbol)
    except MarketNotFound as error:
        raise Http404(f"There is no market {symbol}.") from error
    account = account_view(request)
    book = gateway().query(GetBook(market_id=view.parameters.market_id, depth=2 * ROWS))
    context = _market_context(view, book, account)
    context |= account_context(account) | _account_panel(request, symbol, account) | _ticket(view, account)
    context["page_state"] = page_state(view, book, account)
    context |= {"views": VIEWS, "active_view": _chosen(request.GET.get("view"), [name for name, _ in VIEWS])}
    return render(request, "trading/trade.html", context)


@require_GET
@action
def private(request: HttpRequest, symbol: str) -> HttpResponse:
    """Return the private tables as they are now, for a page whose account has changed."""
    return render(request, "trading/_private.html", account_context(account_view(request)))


@require_GET
@page
def candles(request: HttpRequest, symbol: str) -> HttpResponse:
    """Return the chart as a table."""
    try:
        market = market_by_symbol(symbol)
    except MarketNotFound as error:
        raise Http404(f"There is no market {symbol}.") from error
    newest = Candle.objects.filter(market_id=market.market_id, interval=CANDLE_INTERVAL).order_by("-opened_at")[:CANDLES]
    return render(request, "trading/_candles.html", {"candles": [_candle_row(candle, market) for candle in newest]})


def _market_context(view: MarketView, book: BookView | None, account: AccountView | None) -> dict[str, Any]:
    market = view.parameters
    cards = _cards()
    orders = account.orders if account else ()
    asks, bids = book_rows(book, market, own_ticks=frozenset(o.price_ticks for o in orders if o.market_id == market.market_id))
    return {
        "markets": list(cards.values()),
        "market": cards.get(market.symbol) or market_card(view, None, now_ms=_now_ms()),
        "details": _details(market),
        "asks": asks,
        "bids": bids,
        "spread": spread_text(view),
        "groups": groups(market),
        "trades": trade_rows(market),
        "periods": tuple(Candle.INTERVALS_MS),
        "indicators": INDICATORS,
        "shown_indicators": SHOWN_INDICATORS,
        "drawings": DRAWINGS,
        "skeleton": range(SKELETON_BARS),
    }


def _cards() -> dict[str, MarketCard]:
    days, now_ms = day_figures(), _now_ms()
    return {
        view.parameters.symbol: market_card(view, days.get(view.parameters.market_id), now_ms=now_ms)
        for view in markets()
        if view.status != "delisted"
    }


def _ticket(view: MarketView, account: AccountView | None) -> dict[str, Any]:
    price = figures.price(view.best_ask_ticks or view.mark_ticks, view.parameters).replace(",", "").replace(figures.NONE, "")
    market = view.parameters
    mode = mode_in(account, market).capitalize()
    return {"ticket": Ticket(leverage=leverage_in(account, market), margin_mode=mode, price=price), "receipt": NO_RECEIPT}


def _account_panel(request: HttpRequest, symbol: str, account: AccountView | None) -> dict[str, Any]:
    tabs = [
        Tab(name="positions", label="Positions", counted=True, count=len(account.positions) if account else 0),
        Tab(name="orders", label="Orders", counted=True, count=len(account.orders) if account else 0),
        _lazy_tab("history", symbol, history.order_page),
        _lazy_tab("fills", symbol, history.fill_page),
        _lazy_tab("funding", symbol, history.funding_page),
        Tab(name="balances", label="Balances"),
    ]
    active = _chosen(request.GET.get("tab"), [tab.name for tab in tabs])
    lazy = [tab for tab in tabs if tab.page]
    opened = [tab.page(request, symbol) for tab in lazy if tab.page and tab.name == active] if account else []
    return {"tabs": tabs, "active_tab": active, "lazy_tabs": lazy, "page": opened[0] if opened else None}


def _lazy_tab(name: str, symbol: str, page: Callable[[HttpRequest, str], history.Page]) -> Tab:
    url = reverse(f"trading:{name}", args=[symbol])
    return Tab(name=name, label=name.capitalize(), url=url, template=f"trading/_{name}.html", page=page)


def _details(market: MarketParameters) -> dict[str, Any]:
    return {
        "min_notional": figures.dollars(market.min_notional_atoms),
        "fees": f"{_ppm(market.maker_fee_ppm, 3)} / {_ppm(market.taker_fee_ppm, 3)}",
        "slippage": _ppm(market.market_slippage_ppm, 1),
        "band": _ppm(market.price_band_ppm, 1),
        "funding_cap": figures.percent(Decimal(market.funding_cap_ppb).scaleb(-9), 1),
        "tiers": [_tier(tier) for tier in market.tiers],
    }


def _tier(tier: MarginTier) -> tuple[str, int, str]:
    notional = units.decimal_from_atoms(tier.notional_from_atoms)
    return "$" + figures.compact(notional), tier.max_leverage, _ppm(tier.maintenance_ppm, 2)


def _candle_row(candle: Candle, market: MarketParameters) -> dict[str, str | int]:
    opened_ms = ms(candle.opened_at)
    return {
        "opened_ms": opened_ms,
        "opened": day_time(opened_ms),
        "open": figures.price(candle.open_ticks, market),
        "high": figures.price(candle.high_ticks, market),
        "low": figures.price(candle.low_ticks, market),
        "close": figures.price(candle.close_ticks, market),
        "volume": figures.size(candle.volume_lots, market),
    }


def _ppm(rate_ppm: int, places: int) -> str:
    return figures.percent(Decimal(rate_ppm).scaleb(-6), places)


def _chosen(value: str | None, names: list[str]) -> str:
    return value if value in names else names[0]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
