from typing import Any

from django.contrib import admin

from markets.api.bodies import atoms
from markets.read_only_admin import ReadOnlyAdmin, links, list_link, row_link
from risk import report_admin as report_admin  # noqa: PLC0414 - registers its pages
from risk.models import Liquidation
from risk.waterfall_admin import dispute_links, step_table


@admin.register(Liquidation)
class LiquidationAdmin(ReadOnlyAdmin):
    list_display = ("id", "account_link", "equity", "maintenance", "closed", "insurance_paid", "started_at", "ended_at")
    fields = (
        "id", "account_link", "equity", "maintenance", "closed", "fee", "insurance_paid", "equity_after", "taken_over", "deleveraged",
        "started_at", "ended_at", "related", "step_rows",
    )  # fmt: skip
    readonly_fields = ("account_link", "equity", "maintenance", "closed", "fee", "insurance_paid", "equity_after", "related", "step_rows")
    date_hierarchy = "started_at"
    numbers = ("id", "account_id")
    ordering = ("-id",)

    @admin.display(description="records")
    def related(self, row: Liquidation) -> Any:
        return links(dispute_links(row), list_link("risk.deleveraging", "deleveraging", q=row.id))

    @admin.display(description="steps")
    def step_rows(self, row: Liquidation) -> Any:
        return step_table(row)

    @admin.display(description="account")
    def account_link(self, row: Liquidation) -> Any:
        return row_link("accounts.account", row.account_id)

    @admin.display(description="equity, USDC")
    def equity(self, row: Liquidation) -> str:
        return atoms(row.equity_atoms)

    @admin.display(description="maintenance, USDC")
    def maintenance(self, row: Liquidation) -> str:
        return atoms(row.maintenance_atoms)

    @admin.display(description="closed, USDC")
    def closed(self, row: Liquidation) -> str:
        return atoms(row.closed_quote_atoms)

    @admin.display(description="fee, USDC")
    def fee(self, row: Liquidation) -> str:
        return atoms(row.fee_atoms)

    @admin.display(description="insurance paid, USDC")
    def insurance_paid(self, row: Liquidation) -> str:
        return atoms(row.insurance_paid_atoms)

    @admin.display(description="equity after, USDC")
    def equity_after(self, row: Liquidation) -> str:
        return "-" if row.equity_after_atoms is None else atoms(row.equity_after_atoms)
