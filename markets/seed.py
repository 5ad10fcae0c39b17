"""The markets and the collateral of a new exchange.

Margin tiers: maintenance = notional x rate - deduction, as (notional from in USDC, rate in ppm, largest leverage). The
deductions follow from the rates, as the requirement is continuous at every edge.
"""

from markets.assets import USDT_INDEX_ID, AssetParameters, CollateralTier
from markets.parameters import MarginTier, MarketParameters
from markets.units import ASSET_DECIMALS, PPM, QUOTE_ATOMS, tick_lot_atoms

Tiers = tuple[tuple[int, int, int], ...]

TIERS: dict[str, Tiers] = {
    "BTC": (
        (0, 4_000, 150),
        (300_000, 5_000, 100),
        (800_000, 6_500, 75),
        (3_000_000, 10_000, 50),
        (12_000_000, 20_000, 25),
        (70_000_000, 25_000, 20),
        (100_000_000, 50_000, 10),
        (230_000_000, 100_000, 5),
        (480_000_000, 125_000, 4),
        (600_000_000, 150_000, 3),
        (800_000_000, 250_000, 2),
        (1_200_000_000, 500_000, 1),
    ),
    "ETH": (
        (0, 4_000, 150),
        (300_000, 5_000, 100),
        (800_000, 6_500, 75),
        (3_000_000, 10_000, 50),
        (12_000_000, 20_000, 25),
        (50_000_000, 25_000, 20),
        (65_000_000, 50_000, 10),
        (150_000_000, 100_000, 5),
        (320_000_000, 125_000, 4),
        (400_000_000, 150_000, 3),
        (530_000_000, 250_000, 2),
        (800_000_000, 500_000, 1),
    ),
    "SOL": (
        (0, 5_000, 100),
        (50_000, 6_500, 75),
        (400_000, 10_000, 50),
        (1_000_000, 20_000, 25),
        (4_000_000, 25_000, 20),
        (8_000_000, 50_000, 10),
        (40_000_000, 100_000, 5),
        (80_000_000, 125_000, 4),
        (100_000_000, 250_000, 2),
        (200_000_000, 500_000, 1),
    ),
    "AVAX": (
        (0, 5_000, 75),
        (25_000, 10_000, 50),
        (80_000, 15_000, 40),
        (160_000, 20_000, 25),
        (800_000, 25_000, 20),
        (1_600_000, 50_000, 10),
        (8_000_000, 100_000, 5),
        (16_000_000, 125_000, 4),
        (20_000_000, 250_000, 2),
        (40_000_000, 500_000, 1),
    ),
    "LINK": (
        (0, 5_000, 75),
        (10_000, 10_000, 50),
        (200_000, 15_000, 40),
        (400_000, 20_000, 25),
        (800_000, 25_000, 20),
        (1_600_000, 50_000, 10),
        (8_000_000, 100_000, 5),
        (16_000_000, 125_000, 4),
        (20_000_000, 250_000, 2),
        (40_000_000, 500_000, 1),
    ),
    "DOGE": (
        (0, 6_500, 75),
        (80_000, 10_000, 50),
        (150_000, 12_500, 40),
        (750_000, 20_000, 25),
        (2_000_000, 25_000, 20),
        (4_000_000, 50_000, 10),
        (20_000_000, 100_000, 5),
        (40_000_000, 125_000, 4),
        (50_000_000, 250_000, 2),
        (100_000_000, 500_000, 1),
    ),
    "XRP": (
        (0, 5_000, 100),
        (40_000, 6_000, 75),
        (80_000, 10_000, 50),
        (150_000, 12_500, 40),
        (400_000, 20_000, 25),
        (1_000_000, 25_000, 20),
        (2_000_000, 50_000, 10),
        (10_000_000, 100_000, 5),
        (20_000_000, 125_000, 4),
        (25_000_000, 250_000, 2),
        (50_000_000, 500_000, 1),
    ),
    "SUI": (
        (0, 10_000, 75),
        (20_000, 15_000, 50),
        (200_000, 20_000, 25),
        (1_000_000, 25_000, 20),
        (2_000_000, 50_000, 10),
        (10_000_000, 100_000, 5),
        (20_000_000, 125_000, 4),
        (25_000_000, 250_000, 2),
        (50_000_000, 500_000, 1),
    ),
}


def margin_tiers(asset: str) -> tuple[MarginTier, ...]:
    """Return an asset's tiers with their deductions."""
    tiers: list[MarginTier] = []
    for notional_usdc, rate_ppm, leverage in TIERS[asset]:
        start_atoms = notional_usdc * QUOTE_ATOMS
        last = tiers[-1] if tiers else MarginTier(0, rate_ppm, 0, leverage)
        deduction_atoms = last.deduction_atoms + start_atoms * (rate_ppm - last.maintenance_ppm) // PPM
        tiers.append(MarginTier(start_atoms, rate_ppm, deduction_atoms, leverage))
    return tuple(tiers)


def market(
    market_id: int, asset: str, *, tick_e8: int, lot_e8: int, max_order: int, max_open_interest: int, band_ppm: int
) -> MarketParameters:
    """Return a market's parameters; `max_order` and `max_open_interest` are in whole units of the asset."""
    tick_lot_atoms(tick_e8=tick_e8, lot_e8=lot_e8)  # refuses a pair whose product is no whole number of atoms
    return MarketParameters(
        market_id=market_id,
        symbol=f"{asset}-PERP",
        base_asset=asset,
        tick_e8=tick_e8,
        lot_e8=lot_e8,
        tiers=margin_tiers(asset),
        max_order_lots=max_order * 10**8 // lot_e8,
        max_open_interest_lots=max_open_interest * 10**8 // lot_e8,
        margin_rises_from_lots=max_open_interest * 10**8 // lot_e8 // 2,
        max_position_lots=max_open_interest * 10**8 // lot_e8 // 10,
        concentration_from_lots=max_open_interest * 10**8 // lot_e8 // 40,
        concentration_ppm=20_000,
        price_band_ppm=band_ppm,
        market_slippage_ppm=band_ppm // 2,
    )


MARKETS: tuple[MarketParameters, ...] = (
    market(1, "BTC", tick_e8=10_000_000, lot_e8=10_000, max_order=200, max_open_interest=20_000, band_ppm=100_000),
    market(2, "ETH", tick_e8=1_000_000, lot_e8=100_000, max_order=5_000, max_open_interest=400_000, band_ppm=100_000),
    market(3, "SOL", tick_e8=1_000_000, lot_e8=1_000_000, max_order=50_000, max_open_interest=4_000_000, band_ppm=100_000),
    market(4, "AVAX", tick_e8=100_000, lot_e8=10_000_000, max_order=100_000, max_open_interest=5_000_000, band_ppm=150_000),
    market(5, "LINK", tick_e8=100_000, lot_e8=10_000_000, max_order=100_000, max_open_interest=5_000_000, band_ppm=150_000),
    market(6, "DOGE", tick_e8=1_000, lot_e8=100_000_000, max_order=10_000_000, max_open_interest=500_000_000, band_ppm=150_000),
    market(7, "XRP", tick_e8=10_000, lot_e8=10_000_000, max_order=1_000_000, max_open_interest=50_000_000, band_ppm=150_000),
    market(8, "SUI", tick_e8=10_000, lot_e8=10_000_000, max_order=500_000, max_open_interest=20_000_000, band_ppm=150_000),
)


def collateral(
    asset: str, index_id: int, *, weights: Tiers, exchange_cap: int, account_cap: int, haircut_ppm: int, conversion_cap_usdc: int
) -> AssetParameters:
    """Return an asset's parameters; weights as (value from in USDC, initial ppm, maintenance ppm), caps in whole units of the asset."""
    unit = 10 ** ASSET_DECIMALS[asset]
    return AssetParameters(
        asset=asset,
        decimals=ASSET_DECIMALS[asset],
        index_id=index_id,
        tiers=tuple(CollateralTier(start * QUOTE_ATOMS, initial, maintenance) for start, initial, maintenance in weights),
        exchange_cap_atoms=exchange_cap * unit,
        account_cap_atoms=account_cap * unit,
        conversion_haircut_ppm=haircut_ppm,
        conversion_cap_atoms=conversion_cap_usdc * QUOTE_ATOMS,
    )


ASSETS: tuple[AssetParameters, ...] = (
    collateral(
        "USDT",
        USDT_INDEX_ID,
        weights=((0, 980_000, 990_000), (5_000_000, 950_000, 970_000)),
        exchange_cap=50_000_000,
        account_cap=10_000_000,
        haircut_ppm=5_000,
        conversion_cap_usdc=2_000_000,
    ),
    collateral(
        "BTC",
        1,
        weights=((0, 900_000, 950_000), (2_000_000, 850_000, 900_000), (10_000_000, 700_000, 800_000)),
        exchange_cap=1_000,
        account_cap=200,
        haircut_ppm=25_000,
        conversion_cap_usdc=2_000_000,
    ),
    collateral(
        "ETH",
        2,
        weights=((0, 900_000, 950_000), (1_000_000, 850_000, 900_000), (5_000_000, 700_000, 800_000)),
        exchange_cap=20_000,
        account_cap=4_000,
        haircut_ppm=25_000,
        conversion_cap_usdc=2_000_000,
    ),
    collateral(
        "SOL",
        3,
        weights=((0, 800_000, 880_000), (500_000, 700_000, 800_000), (2_000_000, 500_000, 600_000)),
        exchange_cap=200_000,
        account_cap=40_000,
        haircut_ppm=40_000,
        conversion_cap_usdc=1_000_000,
    ),
)
