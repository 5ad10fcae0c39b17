"""JSON of liquidations, funds and deleveraging, from the tables' rows."""

from decimal import Decimal
from typing import Any

from markets import units
from markets.parameters import MarketParameters
from markets.selectors import market_by_id
from markets.stamps import ms
from markets.views import DeleveragingPlace
from risk.models import Deleveraging, Dispute, FundMovement, Liquidation, LiquidationStep
from trading import representations

Json = dict[str, Any]
PPM_PLACES = 6


def liquidation(row: Liquidation) -> Json:
    return {
        "liquidation_id": str(row.id),
        "account_id": row.account_id,
        "margin": market_by_id(row.pool_market_id).symbol if row.pool_market_id else "cross",
        "started_ms": ms(row.started_at),
        "ended_ms": ms(row.ended_at) if row.ended_at else None,
        "equity": representations.atoms_text(row.equity_atoms),
        "maintenance_margin": representations.atoms_text(row.maintenance_atoms),
        "equity_after": None if row.equity_after_atoms is None else representations.atoms_text(row.equity_after_atoms),
        "closed_quote": representations.atoms_text(row.closed_quote_atoms),
        "fee": representations.atoms_text(row.fee_atoms),
        "insurance_paid": representations.atoms_text(row.insurance_paid_atoms),
        "steps_taken": row.steps_taken,
        "backstop": [_handover(market_id, size, price=price) for market_id, size, price in row.taken_over],
        "deleveraged": [_handover(market_id, size, quote=quote) for market_id, size, quote in row.deleveraged],
    }


def _handover(market_id: int, size_lots: int, *, price: int = 0, quote: int = 0) -> Json:
    market = market_by_id(market_id)
    return {
        "market": market.symbol,
        "side": side(size_lots),
        "size": representations.size_text(abs(size_lots), market),
        "price": representations.price_text(price, market) if price else average_text(quote, size_lots, market),
    }


def side(size_lots: int) -> str:
    return "buy" if size_lots > 0 else "sell"


def average_text(quote_atoms: int, size_lots: int, market: MarketParameters) -> str:
    """Return the price of an exact value, to two more decimals than a tick has."""
    atoms = units.tick_lot_atoms(tick_e8=market.tick_e8, lot_e8=market.lot_e8)
    ticks_e2 = (200 * quote_atoms + abs(size_lots) * atoms) // (2 * abs(size_lots) * atoms)
    tick = Decimal(market.tick_e8).scaleb(-8).normalize()
    return representations.decimal_text(Decimal(ticks_e2).scaleb(-2) * tick)


def step(row: LiquidationStep) -> Json:
    market = market_by_id(row.market_id)
    return {
        "step": row.step,
        "time_ms": ms(row.taken_at),
        "stage": row.stage,
        "market": market.symbol,
        "side": side(row.position_lots),
        "position": representations.size_text(abs(row.position_lots), market),
        "wanted": representations.size_text(abs(row.wanted_lots), market),
        "closed": representations.size_text(abs(row.closed_lots), market),
        "price": average_text(row.quote_atoms, row.closed_lots, market) if row.closed_lots else None,
        "mark_price": representations.price_text(row.mark_ticks, market),
        "limit_price": representations.price_text(row.limit_ticks, market),
        "bankruptcy_price": representations.price_text(row.bankruptcy_ticks, market),
        "quote": representations.atoms_text(row.quote_atoms),
        "realised_pnl": representations.atoms_text(row.realised_atoms),
        "fee": representations.atoms_text(row.fee_atoms),
        "equity": representations.atoms_text(row.equity_atoms),
        "maintenance_margin": representations.atoms_text(row.maintenance_atoms),
        "equity_after": representations.atoms_text(row.equity_after_atoms),
        "maintenance_margin_after": representations.atoms_text(row.maintenance_after_atoms),
    }


def dispute(row: Dispute) -> Json:
    return {
        "status": row.status,
        "opened_ms": ms(row.opened_at),
        "text": row.text,
        "resolution": row.resolution,
        "compensation": representations.atoms_text(row.amount_atoms),
        "resolved_ms": ms(row.resolved_at) if row.resolved_at else None,
    }


def movement(row: FundMovement, balance_atoms: int) -> Json:
    return {
        "movement_id": str(row.id),
        "time_ms": ms(row.moved_at),
        "asset": row.asset,
        "amount": representations.atoms_text(row.amount_atoms, row.asset),
        "balance": representations.atoms_text(balance_atoms, row.asset),
        "kind": row.kind,
    }


def place(view: DeleveragingPlace) -> Json:
    market = market_by_id(view.market_id)
    return {
        "market": market.symbol,
        "side": side(view.size_lots),
        "size": representations.size_text(abs(view.size_lots), market),
        "profit": representations.atoms_text(view.profit_atoms),
        "share": share_text(view.share_ppm),
        "place": view.place,
        "places": view.places,
    }


def deleveraging(row: Deleveraging) -> Json:
    market = market_by_id(row.market_id)
    return {
        "deleveraging_id": str(row.id),
        "time_ms": ms(row.closed_at),
        "account_id": row.account_id,
        "market": market.symbol,
        "side": side(row.position_lots),
        "position": representations.size_text(abs(row.position_lots), market),
        "closed": representations.size_text(abs(row.closed_lots), market),
        "price": average_text(row.quote_atoms, row.closed_lots, market),
        "mark_price": representations.price_text(row.mark_ticks, market),
        "quote": representations.atoms_text(row.quote_atoms),
        "realised_pnl": representations.atoms_text(row.realised_atoms),
        "share": share_text(row.profit_atoms * 10**PPM_PLACES // row.side_profit_atoms if row.side_profit_atoms else 0),
    }


def share_text(share_ppm: int) -> str:
    return representations.decimal_text(Decimal(share_ppm).scaleb(-PPM_PLACES))
