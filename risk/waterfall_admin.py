"""Staff's pages of what liquidations did: steps, funds, deleveraging; and of the disputes over them."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User
from markets.api.bodies import atoms, price, size, text
from markets.errors import DomainError
from markets.events import LedgerKind
from markets.parameters import MarketParameters
from markets.read_only_admin import ReadOnlyAdmin, choices_filter, list_link, period_filter, row_link, table
from markets.selectors import market_by_id
from markets.units import ASSET_DECIMALS, QUOTE_ATOMS, decimal_from_atoms
from risk import disputes
from risk.models import Deleveraging, Dispute, FundMovement, Liquidation


def step_table(row: Liquidation) -> Any:
    """Return a liquidation's steps with the numbers that decided them."""
    headings = (
        "Step", "Stage", "Market", "Position", "Wanted", "Closed", "Mark", "Limit", "Bankruptcy", "Quote", "Realised", "Fee",
        "Equity", "Maintenance", "Equity after", "Maintenance after", "At",
    )  # fmt: skip
    return table(headings, (_step(step, market_by_id(step.market_id)) for step in row.steps.order_by("step")))


def _step(step: Any, market: MarketParameters) -> tuple[Any, ...]:
    lots = (step.position_lots, step.wanted_lots, step.closed_lots)
    prices = (step.mark_ticks, step.limit_ticks, step.bankruptcy_ticks)
    amounts = (
        step.quote_atoms, step.realised_atoms, step.fee_atoms, step.equity_atoms, step.maintenance_atoms, step.equity_after_atoms,
        step.maintenance_after_atoms,
    )  # fmt: skip
    return (
        step.step,
        step.stage,
        row_link("markets.market", market.market_id, market.symbol),
        *(size(count, market) for count in lots),
        *(price(ticks, market) for ticks in prices),
        *(atoms(amount) for amount in amounts),
        step.taken_at,
    )


@admin.register(FundMovement)
class FundMovementAdmin(ReadOnlyAdmin):
    list_display = ("moved_at", "fund_link", "amount", "asset", "kind", "other_link", "reason")
    fields = ("id", "moved_at", "fund_link", "amount", "asset", "kind", "other_link", "reason")
    readonly_fields = ("fund_link", "amount", "other_link")
    list_filter = ("fund", choices_filter("kind", LedgerKind), period_filter("moved_at", "moved"))
    list_select_related = ("fund", "other")
    numbers = ("id", "other_id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[FundMovement]:
        found: QuerySet[FundMovement] = super().get_queryset(request)
        return found.select_related("fund", "other")

    @admin.display(description="fund")
    def fund_link(self, row: FundMovement) -> Any:
        return row_link("accounts.account", row.fund_id, row.fund.name)

    @admin.display(description="from or to")
    def other_link(self, row: FundMovement) -> Any:
        return row_link("accounts.account", row.other_id, row.other)

    @admin.display(description="amount")
    def amount(self, row: FundMovement) -> str:
        return text(decimal_from_atoms(row.amount_atoms, ASSET_DECIMALS[row.asset]))


@admin.register(Deleveraging)
class DeleveragingAdmin(ReadOnlyAdmin):
    """Whose positions were closed against bankrupt ones, and by which share of their side's profit."""

    list_display = ("closed_at", "market", "account_link", "closed", "quote", "realised", "share", "bankrupt_link", "liquidation_link")
    fields = (
        "id", "closed_at", "market", "account_link", "position", "closed", "mark", "quote", "realised", "profit", "share", "bankrupt_link",
        "liquidation_link",
    )  # fmt: skip
    readonly_fields = (
        "account_link", "position", "closed", "mark", "quote", "realised", "profit", "share", "bankrupt_link", "liquidation_link",
    )  # fmt: skip
    list_filter = (period_filter("closed_at", "closed"),)
    list_select_related = ("market",)
    numbers = ("id", "account_id", "bankrupt_account_id", "liquidation_id")

    @admin.display(description="account")
    def account_link(self, row: Deleveraging) -> Any:
        return row_link("accounts.account", row.account_id)

    @admin.display(description="bankrupt")
    def bankrupt_link(self, row: Deleveraging) -> Any:
        return row_link("accounts.account", row.bankrupt_account_id)

    @admin.display(description="liquidation")
    def liquidation_link(self, row: Deleveraging) -> Any:
        return row_link("risk.liquidation", row.liquidation_id)

    @admin.display(description="position")
    def position(self, row: Deleveraging) -> str:
        return size(row.position_lots, market_by_id(row.market_id))

    @admin.display(description="closed")
    def closed(self, row: Deleveraging) -> str:
        return size(row.closed_lots, market_by_id(row.market_id))

    @admin.display(description="mark price")
    def mark(self, row: Deleveraging) -> str:
        return price(row.mark_ticks, market_by_id(row.market_id))

    @admin.display(description="quote, USDC")
    def quote(self, row: Deleveraging) -> str:
        return atoms(row.quote_atoms)

    @admin.display(description="realised, USDC")
    def realised(self, row: Deleveraging) -> str:
        return atoms(row.realised_atoms)

    @admin.display(description="unrealised profit before, USDC")
    def profit(self, row: Deleveraging) -> str:
        return atoms(row.profit_atoms)

    @admin.display(description="share of its side's profit")
    def share(self, row: Deleveraging) -> str:
        return f"{row.profit_atoms / row.side_profit_atoms:.2%}" if row.side_profit_atoms else "-"


class ResolutionForm(ActionForm):
    words = forms.CharField(max_length=disputes.MAX_TEXT, required=False, label="Note, reason or answer (required)")
    amount = forms.DecimalField(required=False, min_value=Decimal("0.000001"), max_digits=16, decimal_places=6, label="Compensation, USDC")


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    """Staff opens a dispute here by a liquidation's number, annotates it and resolves it; each step is kept with its author."""

    list_display = ("id", "liquidation_link", "account_link", "status", "opened_by", "opened_at", "approval_link", "resolved_at")
    fields = ("liquidation", "text")
    list_filter = ("status",)
    list_select_related = ("liquidation", "opened_by")
    numbers = ("id", "liquidation_id", "liquidation__account_id")
    raw_id_fields = ("liquidation",)
    action_form = ResolutionForm
    actions = ("annotate", "reject", "compensate")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(disputes.RESOLVE)

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(disputes.RESOLVE)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        if obj is None:
            return ("liquidation", "text")
        return (
            "liquidation_link", "account_link", "text", "status", "opened_by", "opened_at", "resolution", "amount", "approval_link",
            "resolved_at", "trail",
        )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else ("liquidation_link", "account_link", "amount", "approval_link", "trail")

    def save_model(self, request: HttpRequest, obj: Dispute, form: Any, change: bool) -> None:
        """Open it by the service; what that refuses is said, and nothing is saved."""
        assert isinstance(request.user, User)
        opened = disputes.dispute_open(liquidation=obj.liquidation, by=request.user, text=obj.text)
        obj.pk, obj.opened_by = opened.pk, opened.opened_by

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, **(kwargs if obj else kwargs | {"form": OpenDisputeForm}))

    @admin.action(description="Add a note", permissions=["resolve"])
    def annotate(self, request: HttpRequest, rows: QuerySet[Dispute]) -> None:
        words = request.POST.get("words", "")
        self._each(request, rows, "has a note", lambda dispute, by: disputes.dispute_annotate(dispute=dispute, by=by, text=words))

    @admin.action(description="Reject, with an answer", permissions=["resolve"])
    def reject(self, request: HttpRequest, rows: QuerySet[Dispute]) -> None:
        words = request.POST.get("words", "")
        self._each(request, rows, "is rejected", lambda dispute, by: disputes.dispute_reject(dispute=dispute, by=by, text=words))

    @admin.action(description="Ask for a compensation from the insurance fund", permissions=["resolve"])
    def compensate(self, request: HttpRequest, rows: QuerySet[Dispute]) -> None:
        try:
            amount = ResolutionForm.base_fields["amount"].clean(request.POST.get("amount", ""))
        except ValidationError as error:
            self.message_user(request, error.messages[0], messages.ERROR)
            return
        words = request.POST.get("words", "")
        amount_atoms = int(amount * QUOTE_ATOMS) if amount else 0
        self._each(
            request,
            rows,
            "waits for a second person's approval",
            lambda dispute, by: disputes.dispute_compensate(dispute=dispute, by=by, amount_atoms=amount_atoms, text=words),
        )

    def _each(self, request: HttpRequest, rows: QuerySet[Dispute], done: str, act: Any) -> None:
        assert isinstance(request.user, User)
        for dispute in rows.select_related("liquidation"):
            try:
                act(dispute, request.user)
            except DomainError as error:
                self.message_user(request, f"{dispute}: {error.message}", messages.ERROR)
            else:
                self.log_change(request, dispute, done)
                self.message_user(request, f"{dispute} {done}.", messages.SUCCESS)

    @admin.display(description="liquidation")
    def liquidation_link(self, row: Dispute) -> Any:
        return row_link("risk.liquidation", row.liquidation_id)

    @admin.display(description="account")
    def account_link(self, row: Dispute) -> Any:
        return row_link("accounts.account", row.liquidation.account_id)

    @admin.display(description="approval")
    def approval_link(self, row: Dispute) -> Any:
        return row_link("accounts.approval", row.approval_id)

    @admin.display(description="compensation, USDC")
    def amount(self, row: Dispute) -> str:
        return atoms(row.amount_atoms)

    @admin.display(description="trail")
    def trail(self, row: Dispute) -> Any:
        notes = row.notes.select_related("author")
        return table(("When", "Who", "What"), ((note.written_at, note.author or "schedule", note.text) for note in notes))


class OpenDisputeForm(forms.ModelForm):  # type: ignore[type-arg] # takes none at run time
    class Meta:
        model = Dispute
        fields = ("liquidation", "text")

    def clean_liquidation(self) -> Liquidation:
        liquidation: Liquidation = self.cleaned_data["liquidation"]
        if liquidation.disputes.filter(status__in=("open", "compensating")).exists():
            raise forms.ValidationError("This liquidation has an open dispute.")
        return liquidation


def dispute_links(row: Liquidation) -> Any:
    return list_link("risk.dispute", "disputes", q=row.id)
