"""A market's page, and the switches of an emergency: each is a journalled command with reason and author."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from markets.api.bodies import atoms, e8, ppb, price, size
from markets.errors import DomainError
from markets.models import Market
from markets.parameters import MarketStatus
from markets.read_only_admin import ReadOnlyAdmin, choices_filter, links, list_link, row_link, table
from markets.units import tick_lot_atoms
from risk.models import FundingRate
from trading.admin.market_parameters import ParametersForm
from trading.admin.parameters import parameters
from trading.models import Position
from trading.services.markets import MAX_REASON, WHOLE_EXCHANGE, market_status_set

SHOWN_FUNDING = 48
SHOWN_QUEUE = 20


class ReasonForm(ActionForm):
    reason = forms.CharField(max_length=MAX_REASON, required=False, label="Reason (required)")


@admin.register(Market)
class MarketAdmin(ReadOnlyAdmin):
    list_display = ("symbol", "status", "status_reason", "mark", "index", "oracle_state", "last", "open_interest", "updated_at")
    fields = (
        "id", "symbol", "base_asset", "status", "status_reason", "mark", "index", "oracle_state", "last", "open_interest", "funding",
        "related", "rules", "updated_at", "funding_rates", "queue",
    )  # fmt: skip
    readonly_fields = ("mark", "index", "last", "open_interest", "funding", "related", "rules", "funding_rates", "queue")
    list_filter = (choices_filter("status", MarketStatus),)
    texts = ("symbol", "base_asset")
    action_form = ReasonForm
    actions = ("resume", "post_only", "cancel_only", "halt", "delist", "exchange_cancel_only", "exchange_halt", "exchange_resume")

    def has_set_status_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("markets.change_market")

    @admin.action(description="Resume: normal trading", permissions=["set_status"])
    def resume(self, request: HttpRequest, rows: QuerySet[Market]) -> None:
        self._set_each(request, rows, "normal")

    @admin.action(description="Pause taking: post-only", permissions=["set_status"])
    def post_only(self, request: HttpRequest, rows: QuerySet[Market]) -> None:
        self._set_each(request, rows, "post_only")

    @admin.action(description="Pause: cancel-only", permissions=["set_status"])
    def cancel_only(self, request: HttpRequest, rows: QuerySet[Market]) -> None:
        self._set_each(request, rows, "cancel_only")

    @admin.action(description="Halt", permissions=["set_status"])
    def halt(self, request: HttpRequest, rows: QuerySet[Market]) -> None:
        self._set_each(request, rows, "halted")

    @admin.action(description="Delist for good: close every position at the mark price", permissions=["set_status"])
    def delist(self, request: HttpRequest, rows: QuerySet[Market]) -> None:
        self._set_each(request, rows, "delisted")

    @admin.action(description="Whole exchange: cancel-only", permissions=["set_status"])
    def exchange_cancel_only(self, request: HttpRequest, rows: QuerySet[Market]) -> None:
        self._set(request, WHOLE_EXCHANGE, "The exchange", "cancel_only")

    @admin.action(description="Whole exchange: halt", permissions=["set_status"])
    def exchange_halt(self, request: HttpRequest, rows: QuerySet[Market]) -> None:
        self._set(request, WHOLE_EXCHANGE, "The exchange", "halted")

    @admin.action(description="Whole exchange: resume", permissions=["set_status"])
    def exchange_resume(self, request: HttpRequest, rows: QuerySet[Market]) -> None:
        self._set(request, WHOLE_EXCHANGE, "The exchange", "normal")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.define_view)
        own = [path("create/", view, name="markets_market_create"), path("<int:market_id>/parameters/", view, name="markets_market_update")]
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may_define = self.has_set_status_permission(request)
        return super().changelist_view(request, (extra_context or {}) | {"may_define": may_define})

    def define_view(self, request: HttpRequest, market_id: int | None = None) -> HttpResponse:
        """Create a market, or replace one's parameters."""
        if not self.has_set_status_permission(request):
            raise PermissionDenied
        market = get_object_or_404(Market, id=market_id) if market_id is not None else None
        form = ParametersForm(request.POST or None, market=market, author=request.user.get_username())
        if form.is_valid() and form.send():
            name = form.cleaned_data["parameters"].symbol
            self.message_user(request, f"{name} has its parameters.", messages.SUCCESS)
            return redirect("admin:markets_market_changelist")
        title = f"Parameters of {market}" if market else "Create a market"
        return render(
            request, "admin/markets/market/parameters.html", self.admin_site.each_context(request) | {"form": form, "title": title}
        )

    def _set_each(self, request: HttpRequest, rows: QuerySet[Market], status: MarketStatus) -> None:
        for market in rows:
            if self._set(request, market.id, market.symbol, status):
                self.log_change(request, market, f"Set to {status}: {request.POST.get('reason', '')}")

    def _set(self, request: HttpRequest, market_id: int, name: str, status: MarketStatus) -> bool:
        reason = request.POST.get("reason", "")
        try:
            market_status_set(market_id=market_id, status=status, reason=reason, author=request.user.get_username())
        except DomainError as error:
            self.message_user(request, f"{name}: {error.message}", messages.ERROR)
            return False
        self.message_user(request, f"{name} is set to {status}.", messages.SUCCESS)
        return True

    @admin.display(description="mark price")
    def mark(self, row: Market) -> str:
        return price(row.mark_ticks, parameters(row))

    @admin.display(description="index price")
    def index(self, row: Market) -> str:
        return e8(row.index_e8)

    @admin.display(description="last price")
    def last(self, row: Market) -> str:
        return price(row.last_ticks, parameters(row))

    @admin.display(description="open interest")
    def open_interest(self, row: Market) -> str:
        return size(row.open_interest_lots, parameters(row))

    @admin.display(description="funding rate, this hour")
    def funding(self, row: Market) -> str:
        return ppb(row.predicted_funding_ppb)

    @admin.display(description="records")
    def related(self, row: Market) -> Any:
        return links(
            format_html('<a href="{}">change parameters</a>', reverse("admin:markets_market_update", args=[row.id])),
            list_link("trading.order", "orders", market__id__exact=row.id),
            list_link("trading.fill", "fills", market__id__exact=row.id),
            list_link("markets.trade", "trades", market__id__exact=row.id),
            list_link("oracle.oracleprice", "prices", market__id__exact=row.id),
        )

    @admin.display(description="parameters")
    def rules(self, row: Market) -> Any:
        return table(("Parameter", "Value"), ((name, value) for name, value in row.parameters.items() if name != "tiers"))

    @admin.display(description="deleveraging queue")
    def queue(self, row: Market) -> Any:
        """Show both sides' most profitable positions with the share that each would bear."""
        market = parameters(row)
        atoms_a_tick = tick_lot_atoms(tick_e8=market.tick_e8, lot_e8=market.lot_e8)
        profit = F("size_lots") * (row.mark_ticks * atoms_a_tick) - F("cost_atoms")
        held = Position.objects.filter(market_id=row.id).annotate(profit=profit).filter(profit__gt=0)
        rows = []
        for side, found in (("Long", held.filter(size_lots__gt=0)), ("Short", held.filter(size_lots__lt=0))):
            whole = found.aggregate(sum=Sum("profit"))["sum"] or 0
            rows += [
                (
                    side,
                    row_link("accounts.account", one.account_id),
                    size(one.size_lots, market),
                    atoms(one.profit),
                    f"{one.profit / whole:.2%}",
                )
                for one in found.order_by("-profit")[:SHOWN_QUEUE]
            ]
        return table(("Side", "Account", "Size", "Unrealised profit, USDC", "Share of the next deleveraging"), rows)

    @admin.display(description="funding")
    def funding_rates(self, row: Market) -> Any:
        rates = FundingRate.objects.filter(market_id=row.id).order_by("-due_at")[:SHOWN_FUNDING]
        return table(("Hour", "Rate", "Index price"), ((rate.due_at, ppb(rate.rate_ppb), e8(rate.index_e8)) for rate in rates))
