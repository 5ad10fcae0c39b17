"""The markets of a new exchange.

Margin tiers: maintenance = notional x rate - deduction, as (notional from in USDC, rate in ppm, largest leverage). The
deductions follow from the rates, as the requirement is continuous at every edge.
"""

from markets.parameters import MarginTier, MarketParameters
from markets.units import PPM, QUOTE_ATOMS, tick_lot_atoms

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
