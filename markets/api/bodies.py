"""JSON bodies of the public objects."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from markets import units
from markets.assets import QUOTE
from markets.candles import Candle
from markets.models import Trade
from markets.parameters import MarketParameters
from markets.series import OpenInterest
from markets.views import BookView, MarketView

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def text(value: Decimal) -> str:
    return format(value, "f")


def price(ticks: int, market: MarketParameters) -> str:
    return text(units.decimal_from_units(ticks, market.tick_e8))


def size(lots: int, market: MarketParameters) -> str:
    return text(units.decimal_from_units(lots, market.lot_e8))


def atoms(amount: int, asset: str = QUOTE) -> str:
    return text(units.decimal_from_atoms(amount, units.ASSET_DECIMALS[asset]))


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
        "max_position": size(rules.max_position_lots, rules) if rules.max_position_lots else None,
        "margin_rises_from": size(rules.margin_rises_from_lots, rules) if rules.margin_rises_from_lots else None,
        "concentration_from": size(rules.concentration_from_lots, rules) if rules.concentration_ppm else None,
        "concentration_rate": ppm(rules.concentration_ppm),
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


def candles(rows: list[Candle], rules: MarketParameters) -> list[dict[str, Any]]:
    """Return candles' bodies. There are up to 1,500 a page: numbers are written a column at a time, equal prices once."""
    prices = {ticks for row in rows for ticks in (row.open_ticks, row.high_ticks, row.low_ticks, row.close_ticks)}
    price_text = _texts(prices, unit_e8=rules.tick_e8)
    size_text = _texts({row.volume_lots for row in rows}, unit_e8=rules.lot_e8)
    amount_text = _texts({row.volume_quote_atoms for row in rows}, unit_e8=units.E8 // units.QUOTE_ATOMS)
    return [
        {
            "opened_ms": row.opened_ms,
            "open": price_text[row.open_ticks],
            "high": price_text[row.high_ticks],
            "low": price_text[row.low_ticks],
            "close": price_text[row.close_ticks],
            "volume": size_text[row.volume_lots],
            "quote_volume": amount_text[row.volume_quote_atoms],
            "trades": row.trades,
        }
        for row in rows
    ]


def open_interest(sample: OpenInterest, rules: MarketParameters) -> dict[str, Any]:
    value = sample.lots * sample.mark_ticks * units.tick_lot_atoms(tick_e8=rules.tick_e8, lot_e8=rules.lot_e8)
    return {
        "opened_ms": sample.opened_ms,
        "open_interest": size(sample.lots, rules),
        "value": atoms(value),
        "mark_price": price(sample.mark_ticks, rules),
    }


def _texts(counts: set[int], *, unit_e8: int) -> dict[int, str]:
    """Return counts of one unit, none of them negative, as decimals with the unit's own number of places."""
    places = units.places(unit_e8)
    unit = unit_e8 // 10 ** (8 - places)
    if not places:
        return {count: str(count * unit) for count in counts}
    digits = [(count, str(count * unit).zfill(places + 1)) for count in counts]
    return {count: f"{text[:-places]}.{text[-places:]}" for count, text in digits}
