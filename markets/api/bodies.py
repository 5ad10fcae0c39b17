"""JSON bodies of the public objects."""

import functools
from decimal import Decimal
from typing import Any

from markets import units
from markets.assets import QUOTE
from markets.models import Trade
from markets.parameters import MarketParameters
from markets.series import Columns, OpenInterest
from markets.stamps import ms
from markets.views import BookView, MarketView


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
        "time_ms": ms(row.executed_at),
    }


def candles(columns: Columns, rules: MarketParameters) -> list[dict[str, Any]]:
    """Return candles' bodies."""
    price_text, size_text = _texts(rules.tick_e8).__getitem__, _texts(rules.lot_e8).__getitem__
    amount_text = _texts(units.E8 // units.QUOTE_ATOMS).__getitem__
    written = zip(
        columns.opened_ms,
        map(price_text, columns.open_ticks),
        map(price_text, columns.high_ticks),
        map(price_text, columns.low_ticks),
        map(price_text, columns.close_ticks),
        map(size_text, columns.volume_lots),
        map(amount_text, columns.volume_quote_atoms),
        columns.trades,
        strict=True,
    )
    return [
        {"opened_ms": opened, "open": o, "high": h, "low": low, "close": c, "volume": lots, "quote_volume": quote, "trades": trades}
        for opened, o, h, low, c, lots, quote, trades in written
    ]


def open_interest(sample: OpenInterest, rules: MarketParameters) -> dict[str, Any]:
    value = sample.lots * sample.mark_ticks * units.tick_lot_atoms(tick_e8=rules.tick_e8, lot_e8=rules.lot_e8)
    return {
        "opened_ms": sample.opened_ms,
        "open_interest": size(sample.lots, rules),
        "value": atoms(value),
        "mark_price": price(sample.mark_ticks, rules),
    }


class _Texts(dict[int, str]):
    """Counts of one unit, none of them negative, as decimals with the unit's number of places.

    Charts ask for 1,500 candles at a time, and all for the same ones: what was written is remembered, up to a limit.
    """

    LIMIT = 50_000

    def __init__(self, unit_e8: int) -> None:
        super().__init__()
        self.places = units.places(unit_e8)
        self.unit = unit_e8 // 10 ** (8 - self.places)

    def __missing__(self, count: int) -> str:
        if len(self) >= self.LIMIT:
            self.clear()
        digits = str(count * self.unit).zfill(self.places + 1)
        text = f"{digits[: -self.places]}.{digits[-self.places :]}" if self.places else digits
        self[count] = text
        return text


@functools.cache
def _texts(unit_e8: int) -> _Texts:
    return _Texts(unit_e8)
