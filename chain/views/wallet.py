"""The wallet page: what a person's wallet owns here, and everything that it signs."""

from typing import Any, Final

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET
from solders.pubkey import Pubkey

from accounts.models import User
from accounts.shown import shown_account_id
from accounts.trading_keys import trading_keys_of
from chain.client import ChainClient
from chain.custody.addresses import HOLD
from chain.custody.errors import NoWallet
from chain.custody.models import ChainAccount, WithdrawalAddress
from chain.custody.selectors import ChainSide, chain_side
from chain.custody.wallets import chain_account_of, wallet_of
from chain.deployment import ChainOff, Deployment, deployment
from chain.errors import ChainError
from chain.views import wallet_rows
from markets.gateway import gateway
from markets.queries import GetAccount
from markets.selectors import markets
from trading.views.answers import page
from trading.views.rows import account_card

PATIENCE_S: Final = 2.0


@never_cache
@login_required
@require_GET
@ensure_csrf_cookie
@page
def wallet(request: HttpRequest) -> HttpResponse:
    try:
        chain = deployment()
    except ChainOff as off:
        return render(request, "chain/off.html", {"reason": off.message}, status=off.status)
    context: dict[str, Any] = {
        "cluster": chain.cluster,
        "test_money": chain.is_localnet,
        "explorer": chain.transaction_url("SIGNATURE"),
        "faucet": chain.is_localnet,
    }
    try:
        context |= {"wallet": wallet_of(_user(request))} | _cards(request) | _state(request, chain)
    except NoWallet:
        context["wallet"] = None
    return render(request, "chain/wallet.html", context)


@never_cache
@login_required
@require_GET
@page
def wallet_state(request: HttpRequest) -> HttpResponse:
    """Return what changes by itself; nothing where there is no wallet."""
    try:
        chain = deployment()
        context = _state(request, chain) | {"test_money": chain.is_localnet}
    except (ChainOff, NoWallet):
        return HttpResponse(status=204)
    return render(request, "chain/_wallet_state.html", context)


def _cards(request: HttpRequest) -> dict[str, Any]:
    """Return what changes by the person's own doing only."""
    place = chain_account_of(_user(request))
    now = timezone.now()
    entries = WithdrawalAddress.objects.filter(account_id=place.account_id)
    return {
        "place": place.account,
        "held_here": place.account_id == (_user(request).active_account_id or 0),
        "addresses": [
            {"label": entry.label, "address": entry.address, "usable": entry.usable_at <= now, "usable_at": entry.usable_at}
            for entry in entries
        ],
        "address_hold": f"{int(HOLD.total_seconds() // 3600)} hours" if settings.PRODUCTION else "",
        "markets": [view.parameters.symbol for view in markets() if view.status != "delisted"],
    }


def _state(request: HttpRequest, chain: Deployment) -> dict[str, Any]:
    place = chain_account_of(_user(request))
    view = gateway().query(GetAccount(account_id=place.account_id))
    assert view is not None, "the account was opened when the wallet was linked"
    shown = shown_account_id(request) or _user(request).active_account_id
    held, chain_error = _held(chain, place)
    return {
        "figures": wallet_rows.wallet_figures(view, held),
        "limits": wallet_rows.withdraw_limits(view),
        "limits_text": wallet_rows.limits_text(view, held),
        "history": wallet_rows.history_rows(place, chain.transaction_url),
        "keys": wallet_rows.key_rows(trading_keys_of(place.account_id)),
        "exit_at": place.exit_requested_at,
        "exit_due": held.exit_due_at if held else None,
        "exit_served": held is not None and held.exit_paid,
        "account": account_card(view) if place.account_id == shown else None,
        "chain_error": chain_error,
    }


def _held(chain: Deployment, place: ChainAccount) -> tuple[ChainSide | None, str]:
    """Return what the chain says, or why it says nothing: the rest of the page is good without it."""
    try:
        with ChainClient(chain.rpc_url, timeout_s=PATIENCE_S, retry_after_s=()) as client:
            return chain_side(client=client, chain=chain, owner=Pubkey.from_string(place.owner)), ""
    except ChainError as error:
        return None, error.message


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User), "login_required lets nobody else in"
    return request.user
