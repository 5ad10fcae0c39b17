"""What defines a market: immutable parameters, replaced as a whole by UpdateMarket."""

from typing import Literal

import msgspec

MarketStatus = Literal["normal", "post_only", "cancel_only", "halted", "delisted"]


class MarginTier(msgspec.Struct, frozen=True, array_like=True):
    """Maintenance = notional x rate - deduction from `notional_from_atoms` on; continuous at the edges."""

    notional_from_atoms: int
    maintenance_ppm: int
    deduction_atoms: int
    max_leverage: int


class MarketParameters(msgspec.Struct, frozen=True, kw_only=True):
    """Units are in the names; rates in parts per million (ppm) or per billion (ppb)."""

    market_id: int
    symbol: str  # BTC-PERP
    base_asset: str  # BTC
    tick_e8: int
    lot_e8: int
    tiers: tuple[MarginTier, ...]
    taker_fee_ppm: int = 450
    maker_fee_ppm: int = 150  # negative is a rebate; never below minus the taker fee
    min_notional_atoms: int = 10_000_000
    max_order_lots: int = 10**12
    max_open_orders: int = 200  # an account's limit in this market, triggers included
    price_band_ppm: int = 100_000  # a limit price further from mark than this is refused
    market_slippage_ppm: int = 50_000  # a market order's worst price from mark, unless it states one
    mark_clamp_ppm: int = 50_000  # mark stays within this of index
    max_open_interest_lots: int = 10**15
    liquidation_fee_ppm: int = 5_000
    liquidation_slippage_ppm: int = 20_000  # worst price of a liquidation against the book, from mark
    impact_notional_atoms: int = 10_000_000_000
    interest_ppb: int = 100_000  # eight-hour interest rate: 0.01 %
    premium_clamp_ppb: int = 500_000  # +-0.05 %
    funding_cap_ppb: int = 40_000_000  # cap of the eight-hour rate: 4 %
    oracle_max_age_ms: int = 60_000
    margin_rises_from_lots: int = 0  # open interest from which initial margin rises, to the whole notional at the cap; 0 never
    max_position_lots: int = 0  # of one account; 0 for no limit
    concentration_from_lots: int = 0  # what a position has beyond this needs `concentration_ppm` more initial margin; 0 never
    concentration_ppm: int = 0
    liquidation_share_ppm: int = 200_000  # of a position, that one step of a liquidation closes at most
    liquidation_min_notional_atoms: int = 1_000_000_000  # what a step closes at least
    liquidation_full_notional_atoms: int = 5_000_000_000  # a position worth no more is closed in one step
    liquidation_cooldown_ms: int = 5_000  # between two steps against the book
    settlement_window_ms: int = 1_800_000  # over which a delisted market's index is averaged
