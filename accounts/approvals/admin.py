"""Requests that need a second person: staff sees the trail, and approves or rejects what others have asked for."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.approvals import services
from accounts.approvals.models import Approval
from accounts.models import User
from markets.errors import DomainError
from markets.read_only_admin import ReadOnlyAdmin, row_link, table


class NoteForm(ActionForm):
    note = forms.CharField(max_length=services.MAX_REASON, required=False, label="Note (required to reject)")


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    list_display = ("id", "kind", "subject", "status", "requested_by", "requested_at", "decided_by", "ready_at", "ended_at")
    fields = (
        "kind", "subject", "values", "reason", "status", "requested_by_link", "requested_at", "decided_by_link", "decided_at", "ready_at",
        "ended_at", "trail",
    )  # fmt: skip
    readonly_fields = ("values", "requested_by_link", "decided_by_link", "trail")
    list_filter = ("status", "kind")
    list_select_related = ("requested_by", "decided_by")
    numbers = ("id",)
    action_form = NoteForm
    actions = ("approve", "reject", "withdraw")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(services.DECIDE)

    @admin.action(description="Approve", permissions=["decide"])
    def approve(self, request: HttpRequest, rows: QuerySet[Approval]) -> None:
        self._each(request, rows, services.approval_approve, "is approved")

    @admin.action(description="Reject", permissions=["decide"])
    def reject(self, request: HttpRequest, rows: QuerySet[Approval]) -> None:
        self._each(request, rows, services.approval_reject, "is rejected")

    @admin.action(description="Withdraw my own request", permissions=["view"])
    def withdraw(self, request: HttpRequest, rows: QuerySet[Approval]) -> None:
        self._each(request, rows, services.approval_withdraw, "is withdrawn")

    def _each(self, request: HttpRequest, rows: QuerySet[Approval], service: Any, done: str) -> None:
        assert isinstance(request.user, User)
        note = request.POST.get("note", "")
        for approval in rows:
            try:
                service(approval_id=approval.id, by=request.user, note=note)
            except DomainError as error:
                self.message_user(request, f"{approval}: {error.message}", messages.ERROR)
            else:
                self.log_change(request, approval, f"{done}. {note}")
                self.message_user(request, f"{approval} {done}.", messages.SUCCESS)

    @admin.display(description="values")
    def values(self, row: Approval) -> Any:
        return table(("Field", "Value"), ((name, json.dumps(value)) for name, value in row.payload.items()))

    @admin.display(description="requested by")
    def requested_by_link(self, row: Approval) -> Any:
        return row_link("accounts.user", row.requested_by_id, row.requested_by)

    @admin.display(description="decided by")
    def decided_by_link(self, row: Approval) -> Any:
        return row_link("accounts.user", row.decided_by_id, row.decided_by)

    @admin.display(description="trail")
    def trail(self, row: Approval) -> Any:
        steps = row.steps.select_related("actor")
        return table(
            ("When", "What", "Who", "Note"), ((step.happened_at, step.action, step.actor or "schedule", step.note) for step in steps)
        )
