"""One's liquidations and the report on each: what happened, at which prices, why; and the owner's objection."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from accounts.selectors import AccountNotFound
from markets.errors import DomainError
from risk import disputes
from risk.models import Liquidation
from trading.liquidations import LiquidationNotFound, liquidation_of
from trading.selectors import wait_for_projection
from trading.views import liquidation_rows as rows
from trading.views.account import account_context, account_id_of, account_view
from trading.views.answers import page, signed_in

SHOWN = 100


@require_GET
@signed_in
@page
def liquidations(request: HttpRequest) -> HttpResponse:
    """List the visitor's liquidations."""
    try:
        account_id = account_id_of(request)
    except AccountNotFound:
        return render(request, "risk/liquidations.html", {"rows": []})
    wait_for_projection(account_id)
    found = Liquidation.objects.filter(account_id=account_id).prefetch_related("steps").order_by("-id")[:SHOWN]
    context = {"rows": [rows.liquidation_row(row, list(row.steps.all())) for row in found]}
    return render(request, "risk/liquidations.html", context | account_context(account_view(request)))


@require_GET
@signed_in
@page
def liquidation(request: HttpRequest, liquidation_id: int) -> HttpResponse:
    """Show a liquidation's report to its owner, and to staff who may see liquidations."""
    row = _seen(request, liquidation_id)
    steps = list(row.steps.order_by("step"))
    found = [rows.dispute_row(dispute) for dispute in row.disputes.order_by("-id")]
    context = {
        "row": rows.liquidation_row(row, steps),
        "steps": [rows.step_row(step) for step in steps],
        "disputes": found,
        "may_dispute": row.account.owner_id == request.user.pk and not any(dispute.is_open for dispute in found),
        "max_text": disputes.MAX_TEXT,
    }
    return render(request, "risk/liquidation.html", context | account_context(account_view(request)))


@require_POST
@signed_in
@page
def dispute(request: HttpRequest, liquidation_id: int) -> HttpResponse:
    """Open a dispute on one's own liquidation."""
    row = _seen(request, liquidation_id)
    assert isinstance(request.user, User)
    try:
        disputes.dispute_open(liquidation=row, by=request.user, text=request.POST.get("text", ""))
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Your dispute is open. Staff will look into it.")
    return redirect("risk:liquidation", liquidation_id)


def _seen(request: HttpRequest, liquidation_id: int) -> Liquidation:
    """Return a liquidation that the visitor may see; another's is not there."""
    if request.user.has_perm("risk.view_liquidation"):
        found = Liquidation.objects.filter(id=liquidation_id).first()
        if found is not None:
            return found
        raise Http404
    try:
        return liquidation_of(account_id_of(request), liquidation_id)
    except (AccountNotFound, LiquidationNotFound) as error:
        raise Http404 from error
