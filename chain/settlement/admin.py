"""Settlement for staff: the outbox, batches, comparisons of vault and ledger, challenges. What loosens a stop takes two people."""

import json
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.approvals.models import Approval
from accounts.approvals.services import MAX_REASON
from accounts.models import User
from chain.models import OutboxAttempt, OutboxEntry, OutboxShard
from chain.settlement.decisions import ACCEPT_PERMISSION, RELEASE_PERMISSION, acceptance_request, release_request
from chain.settlement.models import Challenged, Reconciliation, SettlementBatch, SignedOrderRecord
from markets.api.bodies import atoms
from markets.errors import DomainError
from markets.read_only_admin import ReadOnlyAdmin, list_link, period_filter, row_link, table

MAX_ACCOUNTS = 500  # of a batch, on its page
HOLDERS = {True: "platform", False: "owner"}


class ReasonForm(ActionForm):
    reason = forms.CharField(max_length=MAX_REASON, required=False, label="Reason (required)")


class AskingAdmin(ReadOnlyAdmin):
    action_form = ReasonForm

    def ask(self, request: HttpRequest, rows: QuerySet[Any], asked: Callable[[Any, User, str], Approval]) -> None:
        """Ask for each row; a second person agrees on the page of approvals."""
        assert isinstance(request.user, User)
        for row in rows:
            try:
                approval = asked(row, request.user, request.POST.get("reason", ""))
            except DomainError as error:
                self.message_user(request, f"{row}: {error.message}", messages.ERROR)
            else:
                self.log_change(request, row, f"Asked for, approval {approval.pk}.")
                self.message_user(request, f"{row}: approval {approval.pk} waits for a second person.")


@admin.register(OutboxShard)
class OutboxShardAdmin(AskingAdmin):
    list_display = ("name", "last_seq", "unfinished", "halted_at", "halt_reason")
    fields = ("name", "last_seq", "last_digest", "halted_at", "halt_reason", "entries_link")
    readonly_fields = ("last_digest", "entries_link")
    numbers = ()
    texts = ("name",)
    actions = ("ask_for_release",)

    def has_release_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(RELEASE_PERMISSION)

    @admin.action(description="Ask for the selected ones to go on", permissions=["release"])
    def ask_for_release(self, request: HttpRequest, rows: QuerySet[OutboxShard]) -> None:
        self.ask(request, rows, lambda row, by, reason: release_request(shard=row, by=by, reason=reason))

    @admin.display(description="unfinished")
    def unfinished(self, row: OutboxShard) -> int:
        return row.entries.exclude(state=OutboxEntry.State.FINAL).count()

    @admin.display(description="last hash")
    def last_digest(self, row: OutboxShard) -> str:
        return bytes(row.last_hash).hex()

    @admin.display(description="entries")
    def entries_link(self, row: OutboxShard) -> SafeString:
        return list_link("chain.outboxentry", "its entries", shard__name__exact=row.name)


@admin.register(OutboxEntry)
class OutboxEntryAdmin(ReadOnlyAdmin):
    list_display = ("id", "shard", "seq", "state", "created_at", "finalized_at")
    fields = ("shard", "seq", "state", "created_at", "finalized_at", "digest", "tries")
    readonly_fields = ("digest", "tries")
    list_filter = ("state", period_filter("created_at", "queued"))
    numbers = ("id", "seq")
    texts = ("shard_id",)
    ordering = ("-id",)

    @admin.display(description="hash")
    def digest(self, row: OutboxEntry) -> str:
        return bytes(row.hash).hex()

    @admin.display(description="attempts")
    def tries(self, row: OutboxEntry) -> SafeString:
        found = OutboxAttempt.objects.filter(entry=row).order_by("id")
        lines = [(one.signature, one.state, one.sends, one.slot or "-", one.error or "-") for one in found]
        return table(("signature", "state", "sent", "slot", "error"), lines)


@admin.register(SettlementBatch)
class SettlementBatchAdmin(ReadOnlyAdmin):
    list_display = ("seq", "accounts", "journal_seq", "is_on_chain", "created_at", "entry_link")
    fields = (
        "seq", "entry_link", "journal_seq", "journal_place", "begin_ms", "end_ms", "accounts", "last_trade_id", "funding", "created_at",
        "chain_events", "epoch", "deadline", "terms", "digests", "changes",
    )  # fmt: skip
    readonly_fields = ("entry_link", "digests", "changes")
    list_filter = (period_filter("created_at", "made"),)
    numbers = ("seq", "journal_seq")
    ordering = ("-seq",)

    @admin.display(boolean=True, description="on chain")
    def is_on_chain(self, row: SettlementBatch) -> bool:
        return row.hash is not None

    @admin.display(description="outbox")
    def entry_link(self, row: SettlementBatch) -> Any:
        return row_link("chain.outboxentry", row.entry_id)

    @admin.display(description="hash and root")
    def digests(self, row: SettlementBatch) -> str:
        return "not on chain yet" if row.hash is None else f"{bytes(row.hash).hex()}, {bytes(row.root or b'').hex()}"

    @admin.display(description="accounts")
    def changes(self, row: SettlementBatch) -> SafeString:
        found = row.account_changes.order_by("place")[:MAX_ACCOUNTS]
        lines = [
            (
                one.place,
                row_link("accounts.account", one.account_id),
                one.address,
                "platform" if one.custodied else "owner",
                len(one.leaves),
            )
            for one in found
        ]
        return table(("place", "account", "address", "held by", "leaves"), lines)


@admin.register(Reconciliation)
class ReconciliationAdmin(AskingAdmin):
    list_display = ("id", "checked_at", "ok", "phase", "batch_seq", "vault", "surplus", "accounts", "compared", "accepted_at")
    fields = (
        "checked_at", "slot", "phase", "state", "batch_seq", "ok", "vault", "total", "users", "accounts", "compared", "found",
        "accepted_by", "accepted_at",
    )  # fmt: skip
    readonly_fields = ("state", "vault", "total", "users", "found")
    list_filter = ("ok", period_filter("checked_at", "checked"))
    ordering = ("-id",)
    actions = ("ask_for_acceptance",)

    def has_accept_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ACCEPT_PERMISSION)

    @admin.action(description="Ask for the differences to be accepted", permissions=["accept"])
    def ask_for_acceptance(self, request: HttpRequest, rows: QuerySet[Reconciliation]) -> None:
        self.ask(request, rows, lambda row, by, reason: acceptance_request(reconciliation=row, by=by, reason=reason))

    @admin.display(description="the exchange on chain")
    def state(self, row: Reconciliation) -> SafeString:
        """Frozen, its accounts are valued one by one, and escapes open with what is payable against all claims."""
        return table(("what", "value"), [(name.replace("_", " "), value) for name, value in row.exchange.items()])

    @admin.display(description="in the vault, USDC")
    def vault(self, row: Reconciliation) -> Any:
        return atoms(row.vault_atoms)

    @admin.display(description="more than accounted for")
    def surplus(self, row: Reconciliation) -> Any:
        return atoms(row.vault_atoms - row.total_atoms)

    @admin.display(description="the program's total")
    def total(self, row: Reconciliation) -> Any:
        return atoms(row.total_atoms)

    @admin.display(description="all final balances")
    def users(self, row: Reconciliation) -> Any:
        return atoms(row.users_atoms)

    @admin.display(description="differences")
    def found(self, row: Reconciliation) -> SafeString:
        lines = [(one["what"], json.dumps(one["expected"]), json.dumps(one["found"])) for one in row.differences]
        return table(("what", "expected", "found"), lines)


@admin.register(Challenged)
class ChallengedAdmin(ReadOnlyAdmin):
    list_display = ("address", "batch_link", "account_address", "progress", "deadline", "error", "first_seen_at")
    fields = (
        "address", "batch_link", "account_address", "challenger", "proven", "answered", "progress", "deadline", "first_seen_at", "error",
    )  # fmt: skip
    readonly_fields = ("batch_link", "progress")
    list_filter = ("answered", "proven")
    numbers = ("batch_seq",)
    texts = ("address", "account_address", "challenger")
    ordering = ("-first_seen_at",)

    @admin.display(description="batch")
    def batch_link(self, row: Challenged) -> Any:
        return row_link("chain.settlementbatch", row.batch_seq)

    @admin.display(description="leaves shown")
    def progress(self, row: Challenged) -> str:
        return f"{row.shown} of {row.leaves}"


@admin.register(SignedOrderRecord)
class SignedOrderAdmin(ReadOnlyAdmin):
    list_display = ("digest", "account_link", "order_id", "size_lots", "filled_lots")
    fields = ("digest", "account_link", "order_id", "size_lots", "filled_lots", "expiry_ms", "bytes_signed")
    readonly_fields = ("account_link", "bytes_signed")
    numbers = ("order_id", "account_id")
    texts = ("digest",)
    ordering = ("-order_id",)

    @admin.display(description="account")
    def account_link(self, row: SignedOrderRecord) -> Any:
        return row_link("accounts.account", row.account_id)

    @admin.display(description="order, key and signature")
    def bytes_signed(self, row: SignedOrderRecord) -> SafeString:
        return format_html("<code>{}</code>", bytes(row.signed).hex())
