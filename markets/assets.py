"""What defines a collateral asset and the exchange's limits: immutable parameters, replaced as a whole."""

from typing import Final

import msgspec

QUOTE: Final = "USDC"
USDT_INDEX_ID: Final = 1_000_001  # USDT has no market, hence an index id of its own


class CollateralTier(msgspec.Struct, frozen=True, array_like=True):
    """Weights of the slice of an account's holding that is worth more than `value_from_atoms`; they only fall from tier to tier."""

    value_from_atoms: int
    initial_ppm: int
    maintenance_ppm: int


class AssetParameters(msgspec.Struct, frozen=True, kw_only=True):
    """Units are in the names: `*_atoms` of a cap are the asset's own, values and the conversion cap are quote atoms."""

    asset: str
    decimals: int
    index_id: int  # whose price values it; 0 for the quote asset, whose price is 1
    tiers: tuple[CollateralTier, ...]
    exchange_cap_atoms: int  # what all users together may hold
    account_cap_atoms: int
    conversion_haircut_ppm: int = 0  # off the price at which the backstop takes it for a debt
    conversion_cap_atoms: int = 0  # what the backstop holds of it at most, at index


class RiskParameters(msgspec.Struct, frozen=True, kw_only=True):
    """The exchange-wide limits. Amounts in quote atoms, times in milliseconds."""

    debt_limit_atoms: int = 10_000_000_000  # an account owes no more USDC than this before its collateral is converted
    withdrawal_hour_atoms: int = 50_000_000_000_000  # what may leave the exchange within a full hour, by value
    withdrawal_day_atoms: int = 200_000_000_000_000
    withdrawal_notional_ppm: int = 200_000  # of its positions, that an account's equity still is after a withdrawal
    backstop_loss_cap_atoms: int = 1_000_000_000_000  # what the backstop may lose before deleveraging begins
    call_ppm: tuple[int, int] = (800_000, 900_000)  # margin ratios (maintenance / equity) at which an account is called
    call_relief_ppm: int = 100_000  # how far below the ratio must be for the call to be over
    liquidation_buffer_ppm: int = 100_000  # a slice aims at this much equity beyond maintenance
    backstop_ratio_ppm: int = 500_000  # below this share of maintenance a position goes to the backstop
