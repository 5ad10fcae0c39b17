"""Users, their keys and the ledger. Accounts are in trading.admin: their page shows positions and funding, too."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.approvals import admin as approvals_admin  # noqa: F401 - registers its page
from accounts.models import ApiKey, LedgerTransfer, User
from accounts.services import api_key_revoke
from markets.api.bodies import atoms
from markets.events import LedgerKind
from markets.read_only_admin import ReadOnlyAdmin, choices_filter, list_link, period_filter, row_link


@admin.register(User)
class ExchangeUserAdmin(UserAdmin):  # type: ignore[type-arg] # takes none at run time
    """Stock, for staff's own users and permissions; who has traded is made inactive, not deleted."""

    date_hierarchy = "date_joined"
    list_display = ("username", "email", "is_active", "is_staff", "date_joined", "last_login", "accounts_link")
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="accounts")
    def accounts_link(self, row: User) -> Any:
        return list_link("accounts.account", "accounts", owner__id__exact=row.pk)


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """The sealed secret is not shown, not even sealed."""

    list_display = ("key_id", "account_link", "label", "can_trade", "created_at", "last_used_at", "revoked_at")
    fields = ("key_id", "account_link", "label", "can_trade", "created_at", "expires_at", "last_used_at", "revoked_at")
    readonly_fields = ("account_link",)
    list_filter = ("can_trade", ("revoked_at", admin.EmptyFieldListFilter))
    date_hierarchy = "created_at"
    numbers = ("account_id",)
    texts = ("key_id", "label")
    ordering = ("-created_at",)
    actions = ("revoke",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_apikey")

    @admin.action(description="Revoke the selected keys", permissions=["revoke"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        current = keys.filter(revoked_at=None).select_related("account__owner")
        for key in current:
            if key.account.owner:
                api_key_revoke(user=key.account.owner, key_id=key.key_id)
                self.log_change(request, key, "Revoked.")
                self.message_user(request, f"{key.key_id} is revoked.", messages.SUCCESS)

    @admin.display(description="account")
    def account_link(self, row: ApiKey) -> Any:
        return row_link("accounts.account", row.account_id)


@admin.register(LedgerTransfer)
class LedgerTransferAdmin(ReadOnlyAdmin):
    list_display = ("id", "kind", "debit", "credit", "amount", "asset", "trade", "journal_row", "posted_at")
    fields = ("id", "kind", "debit", "credit", "amount", "asset", "trade", "journal_row", "reason", "posted_at")
    readonly_fields = ("debit", "credit", "amount", "trade", "journal_row")
    list_filter = (choices_filter("kind", LedgerKind), period_filter("posted_at", "posted"))
    numbers = ("id", "debit_account_id", "credit_account_id")
    ordering = ("-id",)

    @admin.display(description="debited")
    def debit(self, row: LedgerTransfer) -> Any:
        return row_link("accounts.account", row.debit_account_id)

    @admin.display(description="credited")
    def credit(self, row: LedgerTransfer) -> Any:
        return row_link("accounts.account", row.credit_account_id)

    @admin.display(description="amount")
    def amount(self, row: LedgerTransfer) -> str:
        return atoms(row.amount_atoms, row.asset)

    @admin.display(description="trade")
    def trade(self, row: LedgerTransfer) -> Any:
        return row_link("markets.trade", row.trade_id)

    @admin.display(description="journal row")
    def journal_row(self, row: LedgerTransfer) -> Any:
        return row_link("trading.journal", row.id >> 20)
