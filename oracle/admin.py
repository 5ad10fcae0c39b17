from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path

from markets.errors import DomainError
from markets.read_only_admin import ReadOnlyAdmin, period_filter
from oracle import selectors, services
from oracle.api.views import body
from oracle.models import OraclePrice


@admin.register(OraclePrice)
class OraclePriceAdmin(ReadOnlyAdmin):
    """What prices were; `indices/` has what they are, with the switch that stops the use of one."""

    list_display = ("id", "market", "mark_ticks", "index_e8", "confidence_e8", "state", "observed_at")
    list_filter = ("market", period_filter("observed_at", "observed"))
    list_select_related = ("market",)
    ordering = ("-id",)

    def get_urls(self) -> list[URLPattern]:
        return [path("indices/", self.admin_site.admin_view(self.indices_view), name="oracle_indices"), *super().get_urls()]

    def indices_view(self, request: HttpRequest) -> HttpResponse:
        """Show every price as it is, and halt or release one."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        may_halt = request.user.has_perm("markets.change_market")
        if request.method == "POST":
            if not may_halt:
                raise PermissionDenied
            self._set(request)
            return redirect("admin:oracle_indices")
        rows = [body(named) | {"index_id": named.view.index_id} for named in selectors.indices()]
        context = {"title": "Indices", "rows": rows, "feed": selectors.feed_status(), "may_halt": may_halt}
        return render(request, "admin/oracle/indices.html", self.admin_site.each_context(request) | context)

    def _set(self, request: HttpRequest) -> None:
        author, reason = request.user.get_username(), request.POST.get("reason", "")
        symbol = request.POST.get("symbol", "")
        try:
            index_id = selectors.index(symbol).view.index_id
            if request.POST.get("action") == "release":
                services.index_release(index_id=index_id, author=author)
            else:
                services.index_halt(index_id=index_id, reason=reason, author=author)
        except DomainError as error:
            self.message_user(request, f"{symbol[:64]}: {error.message}", messages.ERROR)
            return
        self.message_user(request, f"{symbol} is {'released' if request.POST.get('action') == 'release' else 'halted'}.", messages.SUCCESS)
