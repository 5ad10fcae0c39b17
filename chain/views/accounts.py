"""A person's accounts: choose, open, rename, and move money between them."""

import re
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from accounts.selectors import AccountNotFound
from accounts.sub_accounts import MAX_ACCOUNTS, account_open, account_rename, account_select
from chain.deployment import chain_is_on
from chain.views.labels import AccountLabel, labels_of
from markets import figures
from markets.errors import DomainError
from markets.gateway import gateway
from markets.queries import GetAccount
from markets.units import ASSET_DECIMALS
from trading.services.transfers import transfer
from trading.views import words
from trading.views.answers import page

NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    label: AccountLabel
    equity: str
    withdrawable: str
    positions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What a form came back with: which form, which field, why, and what was typed."""

    form: str
    field: str
    text: str
    typed: dict[str, str]


@never_cache
@login_required
@require_GET
@page
def accounts(request: HttpRequest) -> HttpResponse:
    return _accounts_page(request)


@login_required
@require_POST
@page
def account_choose(request: HttpRequest) -> HttpResponse:
    """Make an account the active one, and go back to the page where it was chosen."""
    try:
        account_select(user=_user(request), account_id=_number(request, "account_id"))
    except AccountNotFound as error:
        messages.error(request, error.message)
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = reverse("chain:accounts")
    return redirect(target)


@login_required
@require_POST
@page
def account_create(request: HttpRequest) -> HttpResponse:
    try:
        account = account_open(user=_user(request), name=request.POST.get("name", ""))
    except DomainError as error:
        return _failed(request, "create", error)
    return _done(request, f"Account “{account.name}” opened.")


@login_required
@require_POST
@page
def account_name(request: HttpRequest, account_id: int) -> HttpResponse:
    try:
        account = account_rename(user=_user(request), account_id=account_id, name=request.POST.get("name", ""))
    except DomainError as error:
        return _failed(request, f"rename-{account_id}", error)
    return _done(request, f"The account is called “{account.name}” now.")


@login_required
@require_POST
@page
def account_transfer(request: HttpRequest) -> HttpResponse:
    said = request.POST
    try:
        transfer(
            user=_user(request),
            from_account_id=_number(request, "from_account_id"),
            to_account_id=_number(request, "to_account_id"),
            asset=said.get("asset", ""),
            amount=said.get("amount", "").strip().replace(",", ""),
        )
    except DomainError as error:
        return _failed(request, "transfer", error)
    return _done(request, f"{said['amount']} {said['asset']} moved.")


def _accounts_page(request: HttpRequest, failure: Failure | None = None) -> HttpResponse:
    labels = labels_of(_user(request))
    custodied = [label for label in labels if not label.wallet]
    source = min(custodied, key=lambda label: not label.active, default=None)
    context: dict[str, Any] = {
        "rows": [_row(label) for label in labels],
        "custodied": custodied,
        "source": source.id if source else 0,
        "target": next((label.id for label in labels if label is not source), 0),
        "assets": sorted(ASSET_DECIMALS, key=lambda asset: (asset != "USDC", asset)),
        "may_open": 0 < len(labels) < MAX_ACCOUNTS,
        "failure": failure,
        "wallet_page": chain_is_on(),
    }
    return render(request, "chain/accounts.html", context, status=422 if failure else 200)


def _row(label: AccountLabel) -> AccountRow:
    view = gateway().query(GetAccount(account_id=label.id))
    if view is None:
        return AccountRow(label=label, equity=figures.NONE, withdrawable=figures.NONE, positions=0)
    return AccountRow(
        label=label,
        equity=figures.dollars(view.equity_atoms),
        withdrawable=figures.dollars(view.withdrawable_atoms),
        positions=len(view.positions),
    )


def _failed(request: HttpRequest, form: str, error: DomainError) -> HttpResponse:
    if error.status >= 500:
        raise error
    said = words.refusal(error)
    typed = {name: value for name, value in request.POST.items() if isinstance(value, str)}
    return _accounts_page(request, Failure(form=form, field=said.field, text=said.text, typed=typed))


def _done(request: HttpRequest, text: str) -> HttpResponse:
    messages.success(request, text)
    return redirect("chain:accounts")


def _number(request: HttpRequest, field: str) -> int:
    """Return the account that a form names; what is no number is nobody's."""
    named = request.POST.get(field, "")
    if not NUMBER.fullmatch(named):
        raise AccountNotFound
    return int(named)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User), "login_required lets nobody else in"
    return request.user
