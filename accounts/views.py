"""Log in, register, and the account's page: demo money and API keys."""

import re

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import limits, services
from accounts.amounts import usdc_atoms
from accounts.forms import ApiKeyForm, DepositForm, RegisterForm
from accounts.models import Account, User
from accounts.selectors import AccountNotFound, account_of, api_keys_of
from markets import figures
from markets.errors import DomainError

BACKEND = "django.contrib.auth.backends.ModelBackend"
NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
TRY_LATER = {429, 503}  # refused for now, not for what was entered


class TooManyRegistrations(DomainError):
    code = "TOO_MANY_REGISTRATIONS"
    status = 429
    message = "Too many accounts were opened from this network address; try again in a few minutes."


log_in = LoginView.as_view(template_name="accounts/login.html", redirect_authenticated_user=True)


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Create a user with a trading account, and log in."""
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    form = RegisterForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            _charge_registration(request)
            user = services.user_register(**form.cleaned_data)
        except DomainError as error:
            _blame(form, error)
            status = error.status if error.status in TRY_LATER else 422
            return _form_page(request, "accounts/register.html", form, {"demo_balance": _demo_balance()}, status)
        else:
            login(request, user, backend=BACKEND)
            return redirect(settings.LOGIN_REDIRECT_URL)
    return _form_page(request, "accounts/register.html", form, {"demo_balance": _demo_balance()})


@never_cache
@login_required
@require_GET
def account(request: HttpRequest) -> HttpResponse:
    return _account_page(request, form=ApiKeyForm())


@sensitive_post_parameters()
@never_cache
@login_required
@require_POST
def api_key_create(request: HttpRequest) -> HttpResponse:
    """Create a key and show its secret, this once: the answer is the page itself, and nothing keeps it."""
    form = ApiKeyForm(request.POST)
    if form.is_valid():
        try:
            key, secret = services.api_key_create(account=_account(request), **form.cleaned_data)
        except DomainError as error:
            _blame(form, error)
        else:
            return _account_page(request, form=ApiKeyForm(), new_key=key, secret=secret)
    return _account_page(request, form=form)


@login_required
@require_POST
def api_key_revoke(request: HttpRequest, key_id: str) -> HttpResponse:
    try:
        services.api_key_revoke(user=_user(request), key_id=key_id)
        messages.success(request, "API key revoked.")
    except DomainError as error:
        messages.error(request, error.message)
    return redirect("accounts:account")


@login_required
@require_POST
def deposit(request: HttpRequest) -> HttpResponse:
    """Take demo money from the faucet, and go back to where the button was."""
    form = DepositForm(request.POST)
    try:
        if not form.is_valid():
            raise DomainError("Enter an amount.")
        services.account_deposit_demo(account=_account(request), amount_atoms=usdc_atoms(form.cleaned_data["amount"]))
        messages.success(request, "Deposit credited.")
    except DomainError as error:
        messages.error(request, error.message)
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = reverse("accounts:account")
    return redirect(target)


def _account(request: HttpRequest) -> Account:
    """Return the account that the form names, which is the one that its page showed, else the active one."""
    named = request.POST.get("account_id", "")
    return account_of(_user(request), int(named) if NUMBER.fullmatch(named) else None)


def _charge_registration(request: HttpRequest) -> None:
    """Limit new users by network address: each gets demo money and rates of its own. Without Redis nobody registers."""
    taken = limits.buckets().take(limits.limit("registrations"), who=str(request.META.get("REMOTE_ADDR", "")))
    if not taken.allowed:
        raise TooManyRegistrations(retry_after_ms=taken.retry_ms)


def _account_page(request: HttpRequest, *, form: Form, **context: object) -> HttpResponse:
    user = _user(request)
    try:
        shown: Account | None = account_of(user, None)
    except AccountNotFound:
        shown = None
    context |= {"shown": shown, "api_keys": api_keys_of(user), "demo": services.has_demo_money()}
    return _form_page(request, "accounts/account.html", form, context)


def _form_page(request: HttpRequest, template: str, form: Form, context: dict[str, object], status: int = 422) -> HttpResponse:
    return render(request, template, {"form": form} | context, status=status if form.errors else 200)


def _blame(form: Form, error: DomainError) -> None:
    field = error.data.get("field")
    form.add_error(field if field in form.fields else None, error.message[:1].upper() + error.message[1:])


def _demo_balance() -> str:
    return figures.dollars(services.DEMO_ATOMS) if services.has_demo_money() else ""


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # login_required
    return request.user
