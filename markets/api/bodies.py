"""JSON bodies of the public objects."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from markets import units
from markets.models import Candle, Trade
from markets.parameters import MarketParameters
from markets.views import BookView, MarketView

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def text(value: Decimal) -> str:
    return format(value, "f")


def price(ticks: int, market: MarketParameters) -> str:
    return text(units.decimal_from_units(ticks, market.tick_e8))


def size(lots: int, market: MarketParameters) -> str:
    return text(units.decimal_from_units(lots, market.lot_e8))


def atoms(amount: int) -> str:
    return text(units.decimal_from_atoms(amount))


def e8(price_e8: int) -> str:
    return text(Decimal(price_e8).scaleb(-8))


def ppm(rate: int) -> str:
    return text(Decimal(rate).scaleb(-6))


def ppb(rate: int) -> str:
    return text(Decimal(rate).scaleb(-9))


def milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def moment(time_ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=time_ms)


def market(view: MarketView) -> dict[str, Any]:
    rules = view.parameters
    return {
        "market_id": rules.market_id,
        "symbol": rules.symbol,
        "base_asset": rules.base_asset,
        "quote_asset": "USDC",
        "status": view.status,
        "mark_price": price(view.mark_ticks, rules),
        "index_price": e8(view.index_e8),
        "oracle_state": view.oracle_state,
        "tick_size": price(1, rules),
        "lot_size": size(1, rules),
        "min_notional": atoms(rules.min_notional_atoms),
        "max_order_size": size(rules.max_order_lots, rules),
        "max_open_orders": rules.max_open_orders,
        "max_open_interest": size(rules.max_open_interest_lots, rules),
        "max_leverage": max((tier.max_leverage for tier in rules.tiers), default=1),
        "taker_fee": ppm(rules.taker_fee_ppm),
        "maker_fee": ppm(rules.maker_fee_ppm),
        "price_band": ppm(rules.price_band_ppm),
        "market_slippage": ppm(rules.market_slippage_ppm),
        "liquidation_fee": ppm(rules.liquidation_fee_ppm),
        "funding_cap": ppb(rules.funding_cap_ppb),
        "tiers": [
            {
                "notional_from": atoms(tier.notional_from_atoms),
                "maintenance_rate": ppm(tier.maintenance_ppm),
                "deduction": atoms(tier.deduction_atoms),
                "max_leverage": tier.max_leverage,
            }
            for tier in rules.tiers
        ],
    }


def book(view: BookView, rules: MarketParameters) -> dict[str, Any]:
    return {
        "market": rules.symbol,
        "seq": view.seq,
        "bids": [[price(ticks, rules), size(lots, rules)] for ticks, lots in view.bids],
        "asks": [[price(ticks, rules), size(lots, rules)] for ticks, lots in view.asks],
    }


def trade(row: Trade, rules: MarketParameters) -> dict[str, Any]:
    return {
        "trade_id": str(row.id),
        "price": price(row.price_ticks, rules),
        "size": size(row.size_lots, rules),
        "side": row.taker_side,
        "kind": row.kind,
        "time_ms": milliseconds(row.executed_at),
    }


def candle(row: Candle, rules: MarketParameters) -> dict[str, Any]:
    return {
        "opened_ms": milliseconds(row.opened_at),
        "open": price(row.open_ticks, rules),
        "high": price(row.high_ticks, rules),
        "low": price(row.low_ticks, rules),
        "close": price(row.close_ticks, rules),
        "volume": size(row.volume_lots, rules),
        "quote_volume": atoms(row.volume_quote_atoms),
        "trades": row.trades,
    }
