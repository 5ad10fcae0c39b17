from typing import Any

from django.contrib import admin

from markets.commands import Side
from markets.events import FillKind
from markets.models import Trade
from markets.read_only_admin import ReadOnlyAdmin, choices_filter, list_link, period_filter


@admin.register(Trade)
class TradeAdmin(ReadOnlyAdmin):
    list_display = ("id", "market", "price_ticks", "size_lots", "taker_side", "kind", "executed_at", "fills")
    list_filter = ("market", choices_filter("taker_side", Side), choices_filter("kind", FillKind), period_filter("executed_at", "executed"))
    list_select_related = ("market",)
    ordering = ("-id",)

    @admin.display(description="fills")
    def fills(self, row: Trade) -> Any:
        return list_link("trading.fill", "both sides", q=row.id)
