"""Mark price: what liquidations, triggers and unrealised profit are measured by. Prices are integers of 1e-8 USD, 0 is absent."""

from markets.units import PPM

BASIS_WINDOW_MS = 150_000
MID_WINDOW_MS = 30_000


def ema(*, value: int, sample: int, elapsed_ms: int, window_ms: int) -> int:
    """Move an average towards a sample by elapsed / (window + elapsed), rounded to the nearest.

    The implicit Euler step of exponential decay: rational, hence the same on every machine, and stable for any elapsed time.
    """
    step = (sample - value) * elapsed_ms
    span = window_ms + elapsed_ms
    return value + (2 * step + span) // (2 * span)


def median(first: int, second: int, third: int) -> int:
    """Return the middle one of three."""
    return max(min(first, second), min(max(first, second), third))


def book_price_e8(*, best_bid_e8: int, best_ask_e8: int, last_e8: int) -> int:
    """Return median(bid, ask, last); the last alone counts only inside the spread, and a one-sided book gives none."""
    if not best_bid_e8 or not best_ask_e8:
        return 0
    return median(best_bid_e8, best_ask_e8, last_e8) if last_e8 else (best_bid_e8 + best_ask_e8) // 2


def mark_price_e8(
    *,
    index_e8: int,
    basis_ema_e8: int,
    best_bid_e8: int,
    best_ask_e8: int,
    last_e8: int,
    mid_ema_e8: int,
    external_e8: int,
    clamp_ppm: int,
) -> int:
    """Return median(index + average basis, book price, external perpetual or average mid), within a band around the index.

    What is absent is replaced by the index with its basis, so that an empty book leaves the mark there.
    Source: the robust price indices that Hyperliquid publishes; the band is ours.
    """
    anchored = index_e8 + basis_ema_e8
    book = book_price_e8(best_bid_e8=best_bid_e8, best_ask_e8=best_ask_e8, last_e8=last_e8) or anchored
    third = external_e8 or mid_ema_e8 or anchored
    band = index_e8 * clamp_ppm // PPM
    return max(index_e8 - band, min(index_e8 + band, median(anchored, book, third)))
