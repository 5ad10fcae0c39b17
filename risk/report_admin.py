"""The risk sweep's reports and alerts for staff."""

from typing import Any

from django.contrib import admin

from markets.api.bodies import atoms
from markets.read_only_admin import ReadOnlyAdmin, period_filter, row_link, table
from risk.models import RiskAlert, RiskSnapshot


@admin.register(RiskSnapshot)
class RiskSnapshotAdmin(ReadOnlyAdmin):
    list_display = ("period_at", "pools", "equity", "notional", "insurance", "value_at_risk", "at_20")
    fields = ("period_at", "pools", "equity", "notional", "maintenance", "insurance", "value_at_risk", "shortfall", "all_falls", "caps")
    readonly_fields = ("equity", "notional", "maintenance", "insurance", "value_at_risk", "shortfall", "all_falls", "caps")
    numbers = ()
    list_filter = (period_filter("period_at", "period"),)

    @admin.display(description="equity, USDC")
    def equity(self, row: RiskSnapshot) -> str:
        return atoms(row.equity_atoms)

    @admin.display(description="notional, USDC")
    def notional(self, row: RiskSnapshot) -> str:
        return atoms(row.notional_atoms)

    @admin.display(description="maintenance margin, USDC")
    def maintenance(self, row: RiskSnapshot) -> str:
        return atoms(row.maintenance_atoms)

    @admin.display(description="insurance fund, USDC")
    def insurance(self, row: RiskSnapshot) -> str:
        return atoms(row.insurance_atoms)

    @admin.display(description="insurance at risk, one day, 99 %, USDC")
    def value_at_risk(self, row: RiskSnapshot) -> str:
        return atoms(row.value_at_risk_atoms)

    @admin.display(description="expected shortfall, USDC")
    def shortfall(self, row: RiskSnapshot) -> str:
        return atoms(row.expected_shortfall_atoms)

    @admin.display(description="insurance would pay at \N{MINUS SIGN}20 %, USDC")
    def at_20(self, row: RiskSnapshot) -> str:
        return next((atoms(fall["deficit_atoms"]) for fall in row.falls if fall["move"] == -0.2), "-")

    @admin.display(description="if all prices fall")
    def all_falls(self, row: RiskSnapshot) -> Any:
        rows = [(f"{fall['move']:+.0%}", fall["pools"], atoms(fall["deficit_atoms"])) for fall in row.falls]
        return table(("Move", "Pools below maintenance", "Insurance would pay, USDC"), rows)

    @admin.display(description="open interest, share of the cap")
    def caps(self, row: RiskSnapshot) -> Any:
        return table(("Market", "Share"), [(symbol, f"{share:.2%}") for symbol, share in row.open_interest.items()])


@admin.register(RiskAlert)
class RiskAlertAdmin(ReadOnlyAdmin):
    list_display = ("raised_at", "level", "kind", "account_link", "market", "text")
    fields = ("raised_at", "period_at", "level", "kind", "account_link", "market", "text")
    readonly_fields = ("account_link",)
    list_filter = ("kind", "level", period_filter("raised_at", "period"))
    list_select_related = ("market",)
    numbers = ("id", "account_id")

    @admin.display(description="account")
    def account_link(self, row: RiskAlert) -> Any:
        return row_link("accounts.account", row.account_id)
