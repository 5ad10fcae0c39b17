"""Rows of the tables in the shapes that the engine's views have on the socket."""

from typing import Any

from accounts.models import LedgerTransfer
from markets.api import bodies
from markets.parameters import MarketParameters
from markets.stamps import ms
from markets.views import OrderView, Preview
from risk.models import FundingPayment, FundingRate
from trading import representations
from trading.models import Fill, Order


def order_view(row: Order) -> OrderView:
    """Return the row as the view that it was projected from."""
    same = {name: getattr(row, name) for name in OrderView.__struct_fields__ if name not in ("order_id", "created_ms", "updated_ms")}
    return OrderView(order_id=row.id, created_ms=ms(row.created_at), updated_ms=ms(row.updated_at), **same)


def order(row: Order, market: MarketParameters) -> dict[str, Any]:
    return representations.order(order_view(row), market)


def fill(row: Fill, market: MarketParameters) -> dict[str, Any]:
    return {
        "fill_id": str(row.id),
        "trade_id": str(row.trade_id),
        "order_id": str(row.order_id),
        "account_id": row.account_id,
        "market": market.symbol,
        "side": row.side,
        "liquidity": row.liquidity,
        "price": representations.price_text(row.price_ticks, market),
        "size": representations.size_text(row.size_lots, market),
        "quote": representations.atoms_text(row.quote_atoms),
        "fee": representations.atoms_text(row.fee_atoms),
        "realised_pnl": representations.atoms_text(row.pnl_atoms),
        "kind": row.kind,
        "time_ms": ms(row.executed_at),
    }


def transfer(row: LedgerTransfer, account_id: int) -> dict[str, Any]:
    """Return a ledger transfer as the account sees it: what it paid is negative."""
    sign = 1 if row.credit_account_id == account_id else -1
    return {
        "transfer_id": str(row.id),
        "account_id": account_id,
        "asset": row.asset,
        "amount": representations.atoms_text(sign * row.amount_atoms, row.asset),
        "kind": row.kind,
        "trade_id": str(row.trade_id) if row.trade_id else None,
        "reason": row.reason,
        "time_ms": ms(row.posted_at),
    }


def funding_payment(row: FundingPayment, market: MarketParameters) -> dict[str, Any]:
    return {
        "account_id": row.account_id,
        "market": market.symbol,
        "amount": representations.atoms_text(row.amount_atoms),
        "time_ms": ms(row.due_at),
    }


def funding_rate(row: FundingRate) -> dict[str, Any]:
    return {
        "time_ms": ms(row.due_at),
        "rate": representations.rate_text(row.rate_ppb),
        "index_price": representations.e8_text(row.index_e8),
    }


def preview(view: Preview, market: MarketParameters, reject: dict[str, Any] | None) -> dict[str, Any]:
    """Return what an order would do; `reject` is the error that it would be refused with."""
    return {
        "reject": reject,
        "order_value": representations.atoms_text(view.order_value_atoms),
        "estimated_price": representations.price_text(view.estimated_price_ticks, market),
        "taker_fee": representations.atoms_text(view.fee_taker_atoms),
        "maker_fee": representations.atoms_text(view.fee_maker_atoms),
        "initial_margin_before": representations.atoms_text(view.initial_margin_before_atoms),
        "initial_margin_after": representations.atoms_text(view.initial_margin_after_atoms),
        "available_after": representations.atoms_text(view.available_after_atoms),
        "leverage_before": bodies.ppm(view.leverage_before_ppm),
        "leverage_after": bodies.ppm(view.leverage_after_ppm),
        "liquidation_price_before": _price_or_none(view.liquidation_ticks_before, market),
        "liquidation_price_after": _price_or_none(view.liquidation_ticks_after, market),
        "max_size": representations.size_text(view.max_size_lots, market),
    }


def _price_or_none(ticks: int, market: MarketParameters) -> str | None:
    return representations.price_text(ticks, market) if ticks else None
