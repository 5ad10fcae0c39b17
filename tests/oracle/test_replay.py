"""Bars of another time, played again."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle.feeds.replay.bars import Bar, BarsError, asset_of, read
from oracle.feeds.replay.path import Path as PricePath
from oracle.feeds.replay.replay import Replay

MINUTE_MS = 60_000
HEAD = "time,open,high,low,close,volume\n"
GOOD = HEAD + "2022-01-01 00:00:00,100,110.5,90,105,1\n2022-01-01T00:01:00Z,105,106,80.00000001,81,2\n"


def file(folder: Path, text: str, name: str = "BTC-USD_1m.csv") -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize("name", ["BTC-USD_1m.csv", "BTC-PERP_1m.csv.gz"])
def test_it_reads_bars_exactly(tmp_path: Path, name: str) -> None:
    path = file(tmp_path, GOOD, name)
    first, second = read(path)
    assert asset_of(path) == "BTC"
    assert first == Bar(1_640_995_200_000, 100 * 10**8, 11_050_000_000, 90 * 10**8, 105 * 10**8)
    assert (second.opened_ms - first.opened_ms, second.low_e8) == (MINUTE_MS, 8_000_000_001)


@pytest.mark.parametrize(
    "text",
    [
        "",
        HEAD,
        HEAD + "2022-01-01,1,2,1,1,1\n",
        "time,open\n1,2\n",
        HEAD + "never,1,2,1,1,1\n2022-01-02,1,2,1,1,1\n",
        HEAD + "2022-01-02,1,2,1,1,1\n2022-01-01,1,2,1,1,1\n",
        HEAD + "2022-01-01,1,2,3,1,1\n2022-01-02,1,2,1,1,1\n",
        HEAD + "2022-01-01,0,0,0,0,1\n2022-01-02,1,2,1,1,1\n",
        HEAD + "2022-01-01,NaN,2,1,1,1\n2022-01-02,1,2,1,1,1\n",
        HEAD + "2022-01-01,1,2\n2022-01-02,1,2,1,1,1\n",
        HEAD + "2022-01-01,1e999,2e999,1,1,1\n2022-01-02,1,2,1,1,1\n",
    ],
)
def test_it_refuses_what_are_no_bars(tmp_path: Path, text: str) -> None:
    with pytest.raises(BarsError):
        read(file(tmp_path, text))


def test_it_refuses_files_that_it_cannot_read(tmp_path: Path) -> None:
    broken = tmp_path / "BTC-USD.csv.gz"
    broken.write_bytes(gzip.compress(GOOD.encode())[:-9] + b"\x00")
    for path in (tmp_path / "BTC-USD.csv", broken, file(tmp_path, "\udcff".encode("utf-8", "surrogatepass").decode("latin-1"))):
        with pytest.raises(BarsError):
            read(path)
    with pytest.raises(BarsError):
        asset_of(tmp_path / "prices.csv")


bars = st.lists(st.lists(st.integers(1, 10**12), min_size=4, max_size=4), min_size=2, max_size=3)


@settings(max_examples=30, deadline=None)
@given(bars, st.integers(0, 1_000))
def test_it_goes_through_each_bars_open_high_low_and_close(prices: list[list[int]], seed: int) -> None:
    made = [Bar(number * MINUTE_MS, (ordered := sorted(four))[1], ordered[3], ordered[0], ordered[2]) for number, four in enumerate(prices)]
    path = PricePath(made, seed=seed)
    for number, bar in enumerate(made):
        start = number * MINUTE_MS
        way = [path.at(start + step * MINUTE_MS // 1_000) for step in range(1_000)]
        assert (way[0], max(way), min(way)) == (bar.open_e8, bar.high_e8, bar.low_e8)
    assert path.at(path.end_ms) == made[-1].close_e8
    assert [PricePath(made, seed=seed).at(at) for at in range(0, path.end_ms, 7_777)] == [
        path.at(at) for at in range(0, path.end_ms, 7_777)
    ]


def test_it_stays_at_the_last_close_where_bars_are_missing() -> None:
    made = [Bar(at * MINUTE_MS, 100, 120, 90, 110) for at in (0, 1, 60)]
    assert PricePath(made, seed=1).at(30 * MINUTE_MS) == 110


def test_it_plays_as_fast_as_it_is_told_and_ends_with_the_file(tmp_path: Path) -> None:
    replay = Replay(file=file(tmp_path, GOOD), speed=60)
    found = [replay.prices(elapsed_ms=elapsed, now_ms=5_000 + elapsed) for elapsed in (0, 1_000, 2_000, 2_001)]
    assert [price[0].price_e8 // 10**8 for price in found[:3]] == [100, 105, 81]
    assert found[3] == []
    assert (found[1][0].asset, found[1][0].source, found[1][0].published_ms) == ("BTC", "replay", 6_000)
