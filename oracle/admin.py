from django.contrib import admin

from markets.read_only_admin import ReadOnlyAdmin, period_filter
from oracle.models import OraclePrice


@admin.register(OraclePrice)
class OraclePriceAdmin(ReadOnlyAdmin):
    list_display = ("id", "market", "mark_ticks", "index_e8", "state", "observed_at")
    list_filter = ("market", period_filter("observed_at", "observed"))
    list_select_related = ("market",)
    ordering = ("-id",)
