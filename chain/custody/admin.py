"""Custody for staff: what is on its way out, what the chain told, whose wallet is whose. Two people decide large withdrawals here."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.approvals.services import MAX_REASON
from accounts.models import User
from chain.custody.models import ChainAccount, ChainCursor, ChainEvent, Wallet, Withdrawal, WithdrawalAddress
from chain.custody.reviews import PERMISSION, review_request
from markets.api.bodies import atoms
from markets.errors import DomainError
from markets.read_only_admin import ReadOnlyAdmin, list_link, period_filter, row_link, table


class ReasonForm(ActionForm):
    reason = forms.CharField(max_length=MAX_REASON, required=False, label="Reason (required)")


@admin.register(Withdrawal)
class WithdrawalAdmin(ReadOnlyAdmin):
    list_display = ("id", "account_link", "amount", "state", "voucher", "requested_at", "held_until", "expires_at", "ended_at")
    fields = (
        "id", "account_link", "amount", "destination", "state", "reason", "debit_number", "voucher", "settle_number", "paid",
        "grant_signature", "withdraw_signature", "return_signature", "requested_at", "held_until", "granted_at", "expires_at", "ended_at",
        "approvals",
    )  # fmt: skip
    readonly_fields = ("account_link", "amount", "approvals")
    list_filter = ("state", period_filter("requested_at", "requested"))
    numbers = ("id", "account_id")
    texts = ("destination",)
    ordering = ("-id",)
    action_form = ReasonForm
    actions = ("ask_to_pay", "ask_to_return")

    def has_review_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSION)

    @admin.action(description="Ask for the selected ones to be paid", permissions=["review"])
    def ask_to_pay(self, request: HttpRequest, rows: QuerySet[Withdrawal]) -> None:
        self._ask(request, rows, pay=True)

    @admin.action(description="Ask for the selected ones to be returned", permissions=["review"])
    def ask_to_return(self, request: HttpRequest, rows: QuerySet[Withdrawal]) -> None:
        self._ask(request, rows, pay=False)

    def _ask(self, request: HttpRequest, rows: QuerySet[Withdrawal], *, pay: bool) -> None:
        assert isinstance(request.user, User)
        for row in rows:
            try:
                approval = review_request(withdrawal=row, by=request.user, pay=pay, reason=request.POST.get("reason", ""))
            except DomainError as error:
                self.message_user(request, f"{row}: {error.message}", messages.ERROR)
            else:
                self.log_change(request, row, f"Asked for, approval {approval.pk}.")
                self.message_user(request, f"{approval} waits for a second person.", messages.SUCCESS)

    @admin.display(description="account")
    def account_link(self, row: Withdrawal) -> Any:
        return row_link("accounts.account", row.account_id)

    @admin.display(description="amount")
    def amount(self, row: Withdrawal) -> str:
        return f"{atoms(row.amount_atoms, row.asset)} {row.asset}"

    @admin.display(description="approvals")
    def approvals(self, row: Withdrawal) -> Any:
        return list_link("accounts.approval", "withdrawal reviews", kind__exact="withdrawal_review")


@admin.register(ChainEvent)
class ChainEventAdmin(ReadOnlyAdmin):
    list_display = ("number", "kind", "account_address", "state", "error", "slot", "happened_at", "applied_at")
    fields = ("number", "kind", "account_address", "signature", "slot", "happened_at", "state", "applied_at", "error", "told")
    readonly_fields = ("told",)
    list_filter = ("state", "kind")
    numbers = ("number",)
    texts = ("account_address", "signature")
    ordering = ("-number",)

    @admin.display(description="data")
    def told(self, row: ChainEvent) -> Any:
        return table(("Field", "Value"), ((name, json.dumps(value)) for name, value in row.data.items()))


@admin.register(ChainCursor)
class ChainCursorAdmin(ReadOnlyAdmin):
    list_display = ("id", "slot", "read_at", "halt_reason", "genesis_hash")
    fields = ("genesis_hash", "signature", "slot", "read_at", "halt_reason")


@admin.register(ChainAccount)
class ChainAccountAdmin(ReadOnlyAdmin):
    list_display = ("account_link", "address", "owner", "created_at", "exit_requested_at")
    fields = ("account_link", "address", "owner", "sub_account", "created_at", "create_signature", "exit_requested_at")
    readonly_fields = ("account_link",)
    list_filter = (("exit_requested_at", admin.EmptyFieldListFilter),)
    numbers = ("account_id",)
    texts = ("address", "owner")
    ordering = ("-account_id",)

    @admin.display(description="account")
    def account_link(self, row: ChainAccount) -> Any:
        return row_link("accounts.account", row.account_id)


@admin.register(Wallet)
class WalletAdmin(ReadOnlyAdmin):
    list_display = ("address", "user_link", "proven_at")
    fields = ("address", "user_link", "proven_at")
    readonly_fields = ("user_link",)
    list_select_related = ("user",)
    texts = ("address", "user__username")
    ordering = ("-id",)

    @admin.display(description="user")
    def user_link(self, row: Wallet) -> Any:
        return row_link("accounts.user", row.user_id, row.user)


@admin.register(WithdrawalAddress)
class WithdrawalAddressAdmin(ReadOnlyAdmin):
    list_display = ("address", "label", "account", "created_at", "usable_at")
    fields = ("address", "label", "account", "created_at", "usable_at")
    numbers = ("id", "account_id")
    texts = ("address",)
    ordering = ("-id",)
