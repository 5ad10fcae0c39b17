import json
from pathlib import Path

import pytest

from markets.seed import MARKETS, TIERS
from markets.units import PPM, QUOTE_ATOMS, tick_lot_atoms

VENUE_TIERS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "margin_tiers.json"


def test_it_seeds_eight_markets_with_their_own_numbers() -> None:
    assert [market.market_id for market in MARKETS] == list(range(1, 9))
    assert [market.symbol for market in MARKETS][:3] == ["BTC-PERP", "ETH-PERP", "SOL-PERP"]
    assert len({market.symbol for market in MARKETS}) == 8


@pytest.mark.parametrize("market", MARKETS, ids=lambda market: market.symbol)
def test_it_seeds_consistent_markets(market: object) -> None:
    parameters = next(other for other in MARKETS if other == market)
    assert tick_lot_atoms(tick_e8=parameters.tick_e8, lot_e8=parameters.lot_e8) >= 1
    assert parameters.maker_fee_ppm >= -parameters.taker_fee_ppm
    assert parameters.market_slippage_ppm <= parameters.price_band_ppm
    assert parameters.max_order_lots < parameters.max_open_interest_lots
    for lower, upper in zip(parameters.tiers, parameters.tiers[1:], strict=False):
        edge = upper.notional_from_atoms
        below = edge * lower.maintenance_ppm - lower.deduction_atoms * PPM
        above = edge * upper.maintenance_ppm - upper.deduction_atoms * PPM
        assert below == above, "maintenance margin jumps at a tier's edge"
        assert (lower.maintenance_ppm, upper.max_leverage) < (upper.maintenance_ppm, lower.max_leverage)
    assert all(tier.maintenance_ppm * tier.max_leverage <= PPM for tier in parameters.tiers), "initial margin below maintenance"


@pytest.mark.skipif(not VENUE_TIERS.exists(), reason="the shared folder with the venue's tables is not here")
def test_it_takes_its_tiers_from_the_venues_tables() -> None:
    tables = json.loads(VENUE_TIERS.read_text())
    for asset in TIERS:
        seeded = next(market.tiers for market in MARKETS if market.base_asset == asset)
        deductions = [round(float(tier["maintenance_deduction"]) * QUOTE_ATOMS) for tier in tables[asset]]
        assert [tier.deduction_atoms for tier in seeded] == deductions
