"""What an exchange on chain is made with, derived from the engine's own parameters."""

from typing import Any

from solders.pubkey import Pubkey

from chain.prices import MAX_AGE_S, MAX_CONFIDENCE_PPM
from markets.parameters import MarketParameters
from markets.units import PPM, QUOTE_ATOMS

MAX_BAND_PPM = 200_000  # the program takes no wider one
FUNDING_HOURS = 8  # the engine's rates are for so many
MAX_JUMP_PPM = 250_000
AGREEMENT_PPM = 10_000
FAUCET_ATOMS = 1_000_000_000 * QUOTE_ATOMS
# Short windows, so that a withdrawal on a localnet takes seconds. A real exchange gives its users days (docs/audit.md).
LOCALNET_EXCHANGE = {
    "challenge_window_s": 20,
    "answer_window_s": 20,
    "silent_slots": 1_500,
    "exit_s": 120,
    "freeze_slots": 1_500,
    "bond_lamports": 100_000_000,
    "loosening_s": 180,
}
LOCALNET_LIMITS = {
    "deposit_cap_atoms": 10 * FAUCET_ATOMS,
    "hour_atoms": 50_000_000 * QUOTE_ATOMS,
    "day_atoms": 200_000_000 * QUOTE_ATOMS,
}


def market_parameters(market: MarketParameters) -> dict[str, Any]:
    """Return a market's rules on chain: the same tiers, and bounds that no honest fill, fee or funding payment leaves."""
    return {
        "tick_e8": market.tick_e8,
        "lot_e8": market.lot_e8,
        "max_price_age_s": 2 * market.oracle_max_age_ms // 1_000,
        "band_ppm": band_ppm(market),
        "mark_band_ppm": market.mark_clamp_ppm,
        "funding_cap_ppb": -(-market.funding_cap_ppb // FUNDING_HOURS),
        "liquidation_fee_ppm": market.liquidation_fee_ppm,
        "tiers": [
            {
                "notional_from_atoms": tier.notional_from_atoms,
                "maintenance_ppm": tier.maintenance_ppm,
                "deduction_atoms": tier.deduction_atoms,
                "max_leverage": tier.max_leverage,
            }
            for tier in market.tiers
        ],
    }


def band_ppm(market: MarketParameters) -> int:
    """Return how far from the index a fill may be: mark's bounds around the index times the price band around mark."""
    widest = (PPM + market.mark_clamp_ppm) * (PPM + market.price_band_ppm) // PPM - PPM
    return min(widest, MAX_BAND_PPM)


def feed_parameters(publishers: list[Pubkey], pyth_feed_id: bytes) -> dict[str, Any]:
    return {
        "pyth_feed_id": list(pyth_feed_id),
        "publishers": publishers,
        "quorum": len(publishers) // 2 + 1,
        "max_age_s": MAX_AGE_S,
        "max_confidence_ppm": MAX_CONFIDENCE_PPM,
        "agreement_ppm": AGREEMENT_PPM,
        "max_jump_ppm": MAX_JUMP_PPM,
    }
