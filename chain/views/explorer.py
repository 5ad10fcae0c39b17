"""The localnet's own explorer: where the exchange stands on chain, and single transactions. Other clusters have public ones."""

from collections.abc import Callable
from typing import Any, Final

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET
from solders.signature import Signature

from chain.client import ChainClient
from chain.deployment import ChainOff, Deployment, deployment
from chain.explorer import transactions
from chain.explorer.names import names_of
from chain.explorer.status import latest_batches, read_status
from chain.prices import origin
from markets.parameters import MarketParameters
from markets.selectors import markets
from trading.views.answers import page

PATIENCE_S: Final = 3.0
SHOWN_FOR_S: Final = 2  # everybody may look: the node is asked no more often than this
MAX_SIGNATURE: Final = 88


@never_cache
@require_GET
@page
def chain_page(request: HttpRequest) -> HttpResponse:
    return _answer(request, "chain/chain.html", _status)


@never_cache
@require_GET
@page
def chain_state(request: HttpRequest) -> HttpResponse:
    """Return what changes by itself."""
    return _answer(request, "chain/_chain_state.html", _status)


@never_cache
@require_GET
@page
def transaction(request: HttpRequest, signature: str) -> HttpResponse:
    return _answer(request, "chain/transaction.html", lambda chain: _transaction(chain, signature))


@never_cache
@require_GET
@page
def transaction_state(request: HttpRequest, signature: str) -> HttpResponse:
    """Return the transaction again, while it is not final."""
    return _answer(request, "chain/_transaction.html", lambda chain: {**_transaction(chain, signature), "status_code": 200})


def _answer(request: HttpRequest, template: str, context_of: Callable[[Deployment], dict[str, Any]]) -> HttpResponse:
    try:
        chain = deployment()
    except ChainOff as off:
        return render(request, "chain/off.html", {"reason": off.message}, status=off.status)
    if not chain.is_localnet:
        raise Http404("Other clusters have public explorers.")
    context = context_of(chain)
    return render(request, template, context, status=context.get("status_code", 200))


def _status(chain: Deployment) -> dict[str, Any]:
    def read() -> dict[str, Any]:
        views = markets()
        parameters = [view.parameters for view in views]
        with _client(chain) as client:
            status = read_status(chain, client, parameters)
        return {"status": status, "prices": origin(views), "batches": latest_batches(chain.transaction_url, final_epoch=status.final_epoch)}

    facts = cache.get_or_set(f"chain-status-{chain.record.genesis_hash}", read, SHOWN_FOR_S)
    return {**(facts or read()), "chain": chain.record}


def _transaction(chain: Deployment, signature: str) -> dict[str, Any]:
    if len(signature) > MAX_SIGNATURE or not _is_signature(signature):
        raise Http404("No signature of a transaction.")
    with _client(chain) as client:
        found = client.transaction(signature, "finalized")
        final = found is not None
        found = found or client.transaction(signature, "confirmed")
    if found is None:
        return {"signature": signature, "transaction": None, "status_code": 404}
    return {"signature": signature, "transaction": transactions.read(found, names_of(chain, _parameters())), "final": final}


def _parameters() -> list[MarketParameters]:
    return [view.parameters for view in markets()]


def _client(chain: Deployment) -> ChainClient:
    return ChainClient(chain.rpc_url, timeout_s=PATIENCE_S, retry_after_s=())


def _is_signature(text: str) -> bool:
    try:
        Signature.from_string(text)
    except ValueError:
        return False
    return True
