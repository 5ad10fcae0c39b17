"""Orders and fills, with prices and sizes in their market's decimals."""

from typing import Any

from django.contrib import admin

from markets.api.bodies import atoms, price, size
from markets.commands import OrderType, Side
from markets.events import FillKind, OrderStatus
from markets.read_only_admin import ReadOnlyAdmin, choices_filter, links, list_link, period_filter, row_link
from trading.admin.parameters import parameters
from trading.models import Fill, Order


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = ("id", "account_link", "market", "side", "type", "order_size", "filled", "order_price", "status", "reason", "created_at")
    fields = (
        "id", "client_order_id", "account_link", "market", "side", "type", "time_in_force", "post_only", "reduce_only", "close_position",
        "self_trade_prevention", "order_size", "filled", "order_price", "trigger", "trigger_by", "good_till_ms", "parent", "link_id", "fee",
        "status", "reason", "created_at", "updated_at", "related",
    )  # fmt: skip
    readonly_fields = ("account_link", "order_size", "filled", "order_price", "trigger", "parent", "fee", "related")
    list_filter = (
        "market", choices_filter("status", OrderStatus), choices_filter("side", Side), choices_filter("type", OrderType),
        period_filter("created_at", "created"),
    )  # fmt: skip
    list_select_related = ("market",)
    numbers = ("id", "account_id")
    texts = ("client_order_id",)
    ordering = ("-id",)

    @admin.display(description="account")
    def account_link(self, row: Order) -> Any:
        return row_link("accounts.account", row.account_id)

    @admin.display(description="size")
    def order_size(self, row: Order) -> str:
        return size(row.size_lots, parameters(row.market))

    @admin.display(description="filled")
    def filled(self, row: Order) -> str:
        return size(row.filled_lots, parameters(row.market))

    @admin.display(description="price")
    def order_price(self, row: Order) -> str:
        return price(row.price_ticks, parameters(row.market))

    @admin.display(description="trigger price")
    def trigger(self, row: Order) -> str:
        return price(row.trigger_ticks, parameters(row.market))

    @admin.display(description="fee, USDC")
    def fee(self, row: Order) -> str:
        return atoms(row.fee_atoms)

    @admin.display(description="parent order")
    def parent(self, row: Order) -> Any:
        return row_link("trading.order", row.parent_order_id)

    @admin.display(description="records")
    def related(self, row: Order) -> Any:
        return links(list_link("trading.fill", "fills", q=row.id), row_link("markets.market", row.market_id, "market"))


@admin.register(Fill)
class FillAdmin(ReadOnlyAdmin):
    list_display = (
        "id", "account_link", "order_link", "trade_link", "market", "side", "liquidity", "fill_price", "fill_size", "fee", "pnl", "kind",
        "executed_at",
    )  # fmt: skip
    fields = list_display
    readonly_fields = ("account_link", "order_link", "trade_link", "fill_price", "fill_size", "fee", "pnl")
    list_filter = ("market", choices_filter("side", Side), choices_filter("kind", FillKind), period_filter("executed_at", "executed"))
    list_select_related = ("market",)
    numbers = ("id", "order_id", "account_id", "trade_id")
    ordering = ("-id",)

    @admin.display(description="account")
    def account_link(self, row: Fill) -> Any:
        return row_link("accounts.account", row.account_id)

    @admin.display(description="order")
    def order_link(self, row: Fill) -> Any:
        return row_link("trading.order", row.order_id)

    @admin.display(description="trade")
    def trade_link(self, row: Fill) -> Any:
        return row_link("markets.trade", row.trade_id)

    @admin.display(description="price")
    def fill_price(self, row: Fill) -> str:
        return price(row.price_ticks, parameters(row.market))

    @admin.display(description="size")
    def fill_size(self, row: Fill) -> str:
        return size(row.size_lots, parameters(row.market))

    @admin.display(description="fee, USDC")
    def fee(self, row: Fill) -> str:
        return atoms(row.fee_atoms)

    @admin.display(description="realised, USDC")
    def pnl(self, row: Fill) -> str:
        return atoms(row.pnl_atoms)
