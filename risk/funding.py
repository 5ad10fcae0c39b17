"""Funding: longs pay shorts, or the reverse, so that the perpetual follows its index. Rates in parts per billion."""

from markets.units import E8, PPB, QUOTE_ATOMS


def premium_ppb(*, impact_bid_e8: int, impact_ask_e8: int, index_e8: int) -> int:
    """Return (max(0, impact bid - index) - max(0, index - impact ask)) / index, rounded towards zero.

    Impact prices are average prices of a set notional against each side of the book; 0 where the side is too thin, which
    then adds nothing. Source: dYdX and Binance document the same formula.
    """
    above = max(0, impact_bid_e8 - index_e8) if impact_bid_e8 else 0
    below = max(0, index_e8 - impact_ask_e8) if impact_ask_e8 else 0
    difference = above - below
    magnitude = abs(difference) * PPB // index_e8
    return magnitude if difference >= 0 else -magnitude


def clamp(value: int, limit: int) -> int:
    return max(-limit, min(limit, value))


def eight_hour_rate_ppb(*, premium_ppb: int, interest_ppb: int, clamp_ppb: int, cap_ppb: int) -> int:
    """Return premium + clamp(interest - premium, +-clamp), within +-cap. Source: Binance and Hyperliquid."""
    return clamp(premium_ppb + clamp(interest_ppb - premium_ppb, clamp_ppb), cap_ppb)


def hourly_rate_ppb(eight_hour_ppb: int) -> int:
    """Return an eighth, rounded towards zero."""
    return eight_hour_ppb // 8 if eight_hour_ppb >= 0 else -(-eight_hour_ppb // 8)


def payment_atoms(*, size_lots: int, index_e8: int, lot_e8: int, rate_ppb: int) -> int:
    """Return what a position receives for one period (negative: pays): -size x index x rate, rounded down, against the user."""
    return -size_lots * index_e8 * lot_e8 * rate_ppb * QUOTE_ATOMS // (E8 * E8 * PPB)
