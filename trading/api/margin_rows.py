"""Margin explanations in the API's shapes."""

from typing import Any

from markets.api import bodies
from markets.parameters import MarketParameters
from markets.units import PPM
from markets.views import CollateralTerm, HoldingTerms, LiquidationTerms, MarginExplanation, PoolTerms
from trading.representations import atoms_text, average_price_text, e8_text, price_text, size_text

Markets = dict[int, MarketParameters]


def explanation(view: MarginExplanation, markets: Markets) -> dict[str, Any]:
    return {"account_id": view.account_id, "seq": view.seq, "pools": [pool(terms, markets) for terms in view.pools]}


def pool(terms: PoolTerms, markets: Markets) -> dict[str, Any]:
    return {
        "margin_mode": "isolated" if terms.market_id else "cross",
        "market": markets[terms.market_id].symbol if terms.market_id else None,
        "collateral": [collateral(term) for term in terms.collateral],
        "positions": [holding(held, markets[held.market_id]) for held in terms.holdings],
        "unrealised_pnl": atoms_text(terms.unrealised_atoms),
        "equity": atoms_text(terms.equity_atoms),
        "initial_equity": atoms_text(terms.initial_equity_atoms),
        "initial_margin": atoms_text(terms.initial_margin_atoms),
        "maintenance_margin": atoms_text(terms.maintenance_margin_atoms),
        "available": atoms_text(terms.available_atoms),
        "withdrawable": atoms_text(terms.withdrawable_atoms),
    }


def collateral(term: CollateralTerm) -> dict[str, Any]:
    return {
        "asset": term.asset,
        "amount": atoms_text(term.amount_atoms, term.asset),
        "index_price": e8_text(term.index_e8),
        "confidence": e8_text(term.confidence_e8),
        "stable_price": e8_text(term.stable_e8),
        "oracle_state": term.state,
        "full_value": atoms_text(term.full_atoms),
        "weight": _weight(term.value_atoms, term.full_atoms),
        "value": atoms_text(term.value_atoms),
        "initial_weight": _weight(term.initial_value_atoms, term.full_atoms),
        "initial_value": atoms_text(term.initial_value_atoms),
    }


def holding(terms: HoldingTerms, market: MarketParameters) -> dict[str, Any]:
    return {
        "market": market.symbol,
        "size": size_text(terms.size_lots, market),
        "entry_price": average_price_text(terms.cost_atoms, terms.size_lots, market),
        "mark_price": price_text(terms.mark_ticks, market),
        "notional": atoms_text(terms.notional_atoms),
        "unrealised_pnl": atoms_text(terms.unrealised_atoms),
        "leverage": terms.leverage,
        "initial_margin": _initial(terms),
        "maintenance_margin": {
            "notional": atoms_text(terms.notional_atoms),
            "rate": bodies.ppm(terms.maintenance_ppm),
            "deduction": atoms_text(terms.deduction_atoms),
            "total": atoms_text(terms.maintenance_margin_atoms),
        },
        "liquidation_below": _liquidation(terms.liquidation_below, market),
        "liquidation_above": _liquidation(terms.liquidation_above, market),
    }


def _initial(terms: HoldingTerms) -> dict[str, Any]:
    tiers = [
        {
            "notional_from": atoms_text(part.from_atoms),
            "notional": atoms_text(part.notional_atoms),
            "max_leverage": part.max_leverage,
            "initial_margin": atoms_text(part.initial_atoms),
        }
        for part in terms.tiers
    ]
    return {
        "worst_notional": atoms_text(terms.worst_notional_atoms),
        "by_leverage": atoms_text(terms.by_leverage_atoms),
        "by_tiers": atoms_text(terms.by_tiers_atoms),
        "tiers": tiers,
        "open_interest": atoms_text(terms.open_interest_atoms),
        "concentration": atoms_text(terms.concentration_atoms),
        "total": atoms_text(terms.initial_margin_atoms),
    }


def _liquidation(terms: LiquidationTerms | None, market: MarketParameters) -> dict[str, Any] | None:
    if terms is None:
        return None
    return {
        "price": price_text(terms.ticks, market),
        "unrealised_pnl": atoms_text(terms.unrealised_atoms),
        "equity": atoms_text(terms.equity_atoms),
        "own_maintenance": atoms_text(terms.own_maintenance_atoms),
        "other_maintenance": atoms_text(terms.maintenance_atoms - terms.own_maintenance_atoms),
        "maintenance": atoms_text(terms.maintenance_atoms),
    }


def _weight(value_atoms: int, full_atoms: int) -> str | None:
    """Return what share of its full value an asset counts for; None of nothing."""
    return bodies.ppm(value_atoms * PPM // full_atoms) if full_atoms else None
