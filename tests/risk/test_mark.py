from hypothesis import given
from hypothesis import strategies as st

from risk import mark

prices = st.integers(1, 10**14)
NOTHING = {"basis_ema_e8": 0, "best_bid_e8": 0, "best_ask_e8": 0, "last_e8": 0, "mid_ema_e8": 0, "external_e8": 0, "clamp_ppm": 50_000}


def test_it_is_the_index_while_the_book_is_empty() -> None:
    assert mark.mark_price_e8(index_e8=100_000, **NOTHING) == 100_000


def test_it_follows_the_book_where_two_of_three_agree() -> None:
    inputs = NOTHING | {"best_bid_e8": 101_000, "best_ask_e8": 101_200, "last_e8": 101_100, "mid_ema_e8": 101_100}
    assert mark.mark_price_e8(index_e8=100_000, **inputs) == 101_100


def test_it_ignores_a_last_price_outside_the_spread() -> None:
    assert mark.book_price_e8(best_bid_e8=100, best_ask_e8=110, last_e8=500) == 110


def test_it_moves_an_average_half_way_in_one_window() -> None:
    assert mark.ema(value=0, sample=100, elapsed_ms=1_000, window_ms=1_000) == 50
    assert mark.ema(value=0, sample=-100, elapsed_ms=1_000, window_ms=1_000) == -50


@given(index_e8=prices, basis_ema_e8=st.integers(-(10**14), 10**14), bid=prices, ask=prices, last=prices, mid=prices, external=prices)
def test_it_stays_within_its_band(index_e8: int, basis_ema_e8: int, bid: int, ask: int, last: int, mid: int, external: int) -> None:
    found = mark.mark_price_e8(
        index_e8=index_e8,
        basis_ema_e8=basis_ema_e8,
        best_bid_e8=bid,
        best_ask_e8=ask,
        last_e8=last,
        mid_ema_e8=mid,
        external_e8=external,
        clamp_ppm=50_000,
    )
    assert abs(found - index_e8) <= index_e8 * 50_000 // 1_000_000
