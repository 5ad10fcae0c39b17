"""The proof page of a trade: the facts as the exchange has them; everything else is verified in the browser."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.models import User
from chain.deployment import ChainOff, Deployment, deployment
from chain.views.labels import labels_of
from markets import figures
from markets.parameters import MarketParameters
from markets.selectors import parameters_by_id
from markets.stamps import ms
from markets.units import tick_lot_atoms
from trading.models import Fill
from trading.views.answers import page
from trading.views.rows import day_time


@never_cache
@login_required
@require_GET
@page
def proof(request: HttpRequest, trade_id: int) -> HttpResponse:
    try:
        chain = deployment()
    except ChainOff as off:
        return render(request, "chain/off.html", {"reason": off.message}, status=off.status)
    fill = _fill(request, trade_id)
    if fill is None:
        raise Http404("This trade is not one of yours.")
    assert isinstance(request.user, User)
    market = parameters_by_id()[fill.market_id]
    label = next(label for label in labels_of(request.user) if label.id == fill.account_id)
    context = {"trade_id": trade_id, "label": label, "facts": _facts(fill, market), "proof_state": _state(fill, market, chain)}
    return render(request, "chain/proof.html", context)


def _fill(request: HttpRequest, trade_id: int) -> Fill | None:
    """Return the visitor's side of a trade; of two that are both his, that of the account in use."""
    assert isinstance(request.user, User)
    own = Fill.objects.filter(id__in=(2 * trade_id, 2 * trade_id + 1), account__owner=request.user)
    active = request.user.active_account_id
    return min(own, key=lambda fill: fill.account_id != active, default=None)


def _facts(fill: Fill, market: MarketParameters) -> dict[str, Any]:
    moment_ms = ms(fill.executed_at)
    return {
        "symbol": market.symbol,
        "side": fill.side.capitalize(),
        "direction": "up" if fill.side == "buy" else "down",
        "size": f"{figures.size(fill.size_lots, market)} {market.base_asset}",
        "price": figures.price(fill.price_ticks, market),
        "value": figures.dollars(fill.quote_atoms),
        "fee": figures.dollars(fill.fee_atoms),
        "time_ms": moment_ms,
        "time": day_time(moment_ms),
    }


def _state(fill: Fill, market: MarketParameters, chain: Deployment) -> dict[str, Any]:
    """Return what the browser compares the proof with. Whole numbers are texts: those of JavaScript end at 53 bits."""
    return {
        "account_id": fill.account_id,
        "trade_id": str(fill.trade_id),
        "market_id": fill.market_id,
        "base": market.base_asset,
        "tick_lot_atoms": str(tick_lot_atoms(tick_e8=market.tick_e8, lot_e8=market.lot_e8)),
        "tick_e8": str(market.tick_e8),
        "lot_e8": str(market.lot_e8),
        "side": fill.side,
        "size_lots": str(fill.size_lots),
        "price_ticks": str(fill.price_ticks),
        "fee_atoms": str(fill.fee_atoms),
        "time_ms": str(ms(fill.executed_at)),
        "genesis_hash": chain.genesis_hash.hex(),
        "program": bytes(chain.dex.program.id).hex(),
        "explorer": chain.transaction_url("SIGNATURE"),
    }
