"""An account's page: what it has, holds and owes, in tables that Django's admin cannot register (composite keys)."""

from typing import Any

from django.contrib import admin

from accounts.models import Account
from markets.api.bodies import atoms, price, size
from markets.ledger import FIRST_USER_ACCOUNT
from markets.models import Market
from markets.read_only_admin import ReadOnlyAdmin, links, list_link, row_link, table
from risk.models import FundingPayment
from trading.admin.parameters import parameters
from trading.models import Position
from trading.representations import average_price_text

SHOWN_FUNDING = 50


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ("id", "name", "owner_link", "created_at", "related")
    fields = ("id", "name", "owner_link", "created_at", "related", "balances", "positions", "funding")
    readonly_fields = ("owner_link", "related", "balances", "positions", "funding")
    list_filter = ("created_at",)
    list_select_related = ("owner",)
    date_hierarchy = "created_at"
    texts = ("owner__username",)

    @admin.display(description="owner")
    def owner_link(self, row: Account) -> Any:
        return (
            row_link("accounts.user", row.owner_id, row.owner)
            if row.owner
            else "the exchange"
            if row.id < FIRST_USER_ACCOUNT
            else "nobody yet"
        )

    @admin.display(description="records")
    def related(self, row: Account) -> Any:
        return links(
            list_link("trading.order", "orders", account__id__exact=row.id),
            list_link("trading.fill", "fills", account__id__exact=row.id),
            list_link("accounts.ledgertransfer", "ledger", q=row.id),
            list_link("accounts.apikey", "keys", account__id__exact=row.id),
            list_link("risk.liquidation", "liquidations", account__id__exact=row.id),
        )

    @admin.display(description="balances")
    def balances(self, row: Account) -> Any:
        return table(("Asset", "Amount"), ((balance.asset, atoms(balance.amount_atoms, balance.asset)) for balance in row.balances.all()))

    @admin.display(description="positions")
    def positions(self, row: Account) -> Any:
        held = Position.objects.filter(account_id=row.id).order_by("market_id")
        markets = Market.objects.in_bulk([position.market_id for position in held])
        headings = ("Market", "Size", "Entry price", "Mark price", "Realised", "Funding", "Opened", "Updated")
        return table(headings, (_position(position, markets[position.market_id]) for position in held))

    @admin.display(description="funding")
    def funding(self, row: Account) -> Any:
        payments = (
            FundingPayment.objects.filter(account_id=row.id).select_related("market").order_by("-due_at", "market_id")[:SHOWN_FUNDING]
        )
        rows = (
            (payment.due_at, row_link("markets.market", payment.market_id, payment.market), atoms(payment.amount_atoms))
            for payment in payments
        )
        return table(("Hour", "Market", "Received"), rows)


def _position(position: Position, market: Market) -> tuple[Any, ...]:
    units = parameters(market)
    return (
        row_link("markets.market", market.id, market.symbol),
        size(position.size_lots, units),
        average_price_text(position.cost_atoms, position.size_lots, units),
        price(market.mark_ticks, units),
        atoms(position.realised_atoms),
        atoms(position.funding_atoms),
        position.opened_at,
        position.updated_at,
    )
