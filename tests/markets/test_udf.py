"""TradingView's datafeed: the shapes that its client reads, and the rules by which it asks."""

import time
from typing import Any

import msgspec
import pytest

from markets.models import Candle, Trade
from markets.selectors import market_by_symbol
from markets.stamps import at
from markets.udf.schemas import RESOLUTIONS
from risk.models import FundingRate
from tests.support.api import Answer, Desk, desk, forget_caches
from tests.support.engine import engine_process, engine_processes

__all__ = ["desk", "engine_process", "engine_processes"]

DAY_S = 86_400


class SymbolInfo(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    ticker: str
    full_name: str
    description: str
    type: str
    session: str
    timezone: str
    exchange: str
    listed_exchange: str
    minmov: int
    pricescale: int
    minmove2: int
    has_intraday: bool
    intraday_multipliers: list[str]
    has_daily: bool
    daily_multipliers: list[str]
    has_weekly_and_monthly: bool
    weekly_multipliers: list[str]
    monthly_multipliers: list[str]
    supported_resolutions: list[str]
    visible_plots_set: str
    volume_precision: int
    data_status: str
    currency_code: str
    format: str


class Bars(msgspec.Struct, forbid_unknown_fields=True):
    s: str
    t: list[int]
    o: list[float]
    h: list[float]
    l: list[float]  # noqa: E741 - the protocol's name
    c: list[float]
    v: list[float]


class Marks(msgspec.Struct, forbid_unknown_fields=True):
    id: list[str]
    time: list[int]
    color: list[str]
    text: list[str]
    label: list[str]
    labelFontColor: list[str]
    minSize: list[int]


class QuoteValues(msgspec.Struct, forbid_unknown_fields=True):
    ch: float
    chp: float
    short_name: str
    exchange: str
    description: str
    lp: float
    ask: float
    bid: float
    spread: float
    open_price: float
    high_price: float
    low_price: float
    prev_close_price: float
    volume: float


def ask(desk: Desk, path: str) -> Answer:
    answer = desk.anonymous.get(f"/udf/{path}")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    return answer


def add_minutes(*minutes: tuple[int, int]) -> int:
    """Store candles of a minute, given as (seconds, close in ticks); return the market's id."""
    parameters = market_by_symbol("BTC-PERP")
    for opened_s, ticks in minutes:
        Candle.objects.create(
            market_id=parameters.market_id, interval="1m", opened_at=at(opened_s * 1000), open_ticks=ticks, high_ticks=ticks + 5,
            low_ticks=ticks - 5, close_ticks=ticks, volume_lots=20_000, volume_quote_atoms=1, trades=1,
        )  # fmt: skip
    return parameters.market_id


def bars(desk: Desk, query: str) -> Any:
    answer = ask(desk, f"history?symbol=BTC-PERP&{query}").json
    return msgspec.convert(answer, Bars) if answer["s"] == "ok" else answer


def test_it_configures_the_client_for_search(desk: Desk) -> None:
    config = ask(desk, "config").json
    assert (config["supports_search"], config["supports_group_request"]) == (True, False), "exactly one of them"
    assert config["supports_marks"] and config["supports_timescale_marks"] and config["supports_time"]
    assert set(config["supported_resolutions"]) == set(RESOLUTIONS)
    assert all({"value", "name", "desc"} == exchange.keys() for exchange in config["exchanges"])
    assert all({"value", "name"} == kind.keys() for kind in config["symbols_types"])


def test_it_tells_the_time_as_plain_text(desk: Desk) -> None:
    answer = ask(desk, "time")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert abs(int(answer.content) - time.time()) < 60


@pytest.mark.parametrize("name", ["BTC-PERP", "btc-perp", "QUANTDESK:BTC-PERP"])
def test_it_describes_a_symbol_by_any_of_its_names(desk: Desk, name: str) -> None:
    info = msgspec.convert(ask(desk, f"symbols?symbol={name}").json, SymbolInfo)
    assert (info.ticker, info.session, info.timezone) == ("BTC-PERP", "24x7", "Etc/UTC")
    assert info.minmov / info.pricescale == 0.1
    assert set(info.intraday_multipliers) <= set(info.supported_resolutions)


def test_it_says_of_an_unknown_symbol_what_the_client_looks_for(desk: Desk) -> None:
    for path in ("symbols?symbol=NOPE", "history?symbol=NOPE&resolution=1&from=1&to=2", "marks?symbol=NOPE&resolution=1&from=1&to=2"):
        answer = ask(desk, path)
        assert (answer.status, answer.json["s"], answer.json["errmsg"]) == (404, "error", "unknown_symbol")


def test_it_searches_by_name_and_asset(desk: Desk) -> None:
    def found(query: str) -> list[str]:
        return [hit["symbol"] for hit in ask(desk, f"search?{query}").json]

    assert found("query=BTC&type=&exchange=&limit=30") == ["BTC-PERP"]
    assert found("query=QUANTDESK:ETH&limit=5") == ["ETH-PERP"]
    assert len(found("query=&limit=2")) == 2
    assert found("query=PERP&type=stock") == found("query=PERP&exchange=NYSE") == []
    assert ask(desk, "search?query=SOL").json[0].keys() == {"symbol", "full_name", "description", "exchange", "ticker", "type"}


def test_it_gives_bars_in_ascending_seconds_without_gaps_and_without_the_end(desk: Desk) -> None:
    start = 1_700_000_040
    add_minutes((start, 600_000), (start + 180, 601_000))
    found = bars(desk, f"resolution=1&from={start}&to={start + 240}")
    assert found.t == [start, start + 60, start + 120, start + 180]
    assert found.o == [60_000.0, 60_000.0, 60_000.0, 60_100.0]
    assert found.h == [60_000.5, 60_000.0, 60_000.0, 60_100.5]
    assert found.v == [2.0, 0.0, 0.0, 2.0]
    assert bars(desk, f"resolution=1&from={start}&to={start + 180}").t[-1] == start + 120


def test_it_counts_back_whatever_from_says(desk: Desk) -> None:
    start = 1_700_000_040
    add_minutes((start, 600_000), (start + 600, 601_000))
    found = bars(desk, f"resolution=1&from={start + 590}&to={start + 660}&countback=4")
    assert found.t == [start + 420, start + 480, start + 540, start + 600]
    assert len(bars(desk, f"resolution=1&from=0&to={start + 660}&countback=1000000").t) == 11, "no bar before the first trade"


def test_it_makes_the_larger_resolutions_that_are_not_stored(desk: Desk) -> None:
    start = 1_700_000_100
    add_minutes((start - start % 180, 600_000), (start - start % 180 + 120, 602_000))
    found = bars(desk, f"resolution=3&from={start - start % 180}&to={start - start % 180 + 180}")
    assert (found.o, found.h, found.l, found.c, found.v) == ([60_000.0], [60_200.5], [59_999.5], [60_200.0], [4.0])


def test_it_returns_the_bar_in_progress_to_who_polls(desk: Desk) -> None:
    now = int(time.time())
    order = {"market": "BTC-PERP", "type": "limit", "price": "60000.0", "size": "0.0010"}
    desk.bob.post("orders/", order | {"side": "sell"})
    desk.alice.post("orders/", order | {"side": "buy"})
    desk.project()
    for resolution, length in (("1", 60), ("60", 3_600), ("1D", DAY_S)):
        found = bars(desk, f"resolution={resolution}&from={now - 2 * length}&to={now + length}&countback=2")
        assert found.t[-1] == found.t[-1] // length * length <= time.time() < found.t[-1] + 2 * length
        assert sum(found.v) == 0.001


def test_it_opens_days_at_midnight_and_weeks_on_mondays(desk: Desk) -> None:
    now = int(time.time())
    parameters = market_by_symbol("BTC-PERP")
    for interval, opened_s in (("1d", now - now % DAY_S), ("1w", (now - 4 * DAY_S) // (7 * DAY_S) * 7 * DAY_S + 4 * DAY_S)):
        Candle.objects.create(
            market_id=parameters.market_id, interval=interval, opened_at=at(opened_s * 1000), open_ticks=1, high_ticks=1, low_ticks=1,
            close_ticks=1, volume_lots=1, volume_quote_atoms=1, trades=1,
        )  # fmt: skip
    assert all(at % DAY_S == 0 for at in bars(desk, f"resolution=1D&to={now}&countback=3").t)
    (week,) = bars(desk, f"resolution=W&to={now}&countback=1").t
    assert time.gmtime(week).tm_wday == 0


def test_it_points_to_older_bars_where_there_are_none(desk: Desk) -> None:
    start = 1_700_000_040
    add_minutes((start, 600_000))
    before = bars(desk, f"resolution=1&from={start - 600}&to={start}")
    assert before == {"s": "no_data"}, "nothing is older: the client stops asking"
    ahead = bars(desk, f"resolution=1&from={int(time.time()) + DAY_S}&to={int(time.time()) + 2 * DAY_S}")
    assert ahead["s"] == "no_data"
    assert time.time() - 120 < ahead["nextTime"] <= time.time()


def test_it_marks_liquidations_and_funding(desk: Desk) -> None:
    market_id = add_minutes((1_700_000_040, 600_000))
    for number, kind in ((1, "liquidation"), (2, "trade")):
        Trade.objects.create(
            id=number, market_id=market_id, price_ticks=600_000, size_lots=10_000, taker_side="sell", kind=kind,
            executed_at=at(1_700_000_050_000),
        )  # fmt: skip
    marks = msgspec.convert(ask(desk, "marks?symbol=BTC-PERP&resolution=1&from=1700000000&to=1700000100").json, Marks)
    assert (marks.time, marks.text) == ([1_700_000_050], ["Liquidation: 1.0000 BTC sold at 60000.0"])
    assert all(len(column) == 1 for column in msgspec.structs.astuple(marks))
    FundingRate.objects.create(market_id=market_id, due_at=at(1_700_002_800_000), rate_ppb=12_500, index_e8=6_000_000_000_000)
    (funding,) = ask(desk, "timescale_marks?symbol=BTC-PERP&resolution=60&from=1700000000&to=1700002800").json
    assert funding == {
        "id": "funding-1700002800", "time": 1_700_002_800, "color": "#2ebd85", "label": "F",
        "tooltip": ["Funding +0.0012%", "In this hour longs paid shorts"],
    }  # fmt: skip


def test_it_quotes_under_the_names_that_were_asked(desk: Desk) -> None:
    order = {"market": "BTC-PERP", "type": "limit", "size": "0.0010"}
    for price in ("60000.0", "60600.0"):
        desk.bob.post("orders/", order | {"side": "sell", "price": price})
        desk.alice.post("orders/", order | {"side": "buy", "price": price})
    desk.alice.post("orders/", order | {"side": "buy", "price": "60500.0"})
    desk.project()
    forget_caches()
    answer = ask(desk, "quotes?symbols=QUANTDESK:BTC-PERP,ETH-PERP,NOPE").json
    assert answer["s"] == "ok"
    btc, eth, unknown = answer["d"]
    values = msgspec.convert(btc["v"], QuoteValues)
    assert (btc["s"], btc["n"]) == ("ok", "QUANTDESK:BTC-PERP")
    assert (values.lp, values.ch, values.chp, values.bid, values.volume) == (60_600.0, 600.0, 1.0, 60_500.0, 0.002)
    assert msgspec.convert(eth["v"], QuoteValues).volume == 0.0
    assert (unknown["s"], unknown["n"]) == ("error", "NOPE")


@pytest.mark.parametrize(
    "path",
    [
        "symbols", "symbols?symbol=", "history?symbol=BTC-PERP", "history?symbol=BTC-PERP&resolution=7&from=1&to=2",
        "history?symbol=BTC-PERP&resolution=1&from=x&to=2", "history?symbol=BTC-PERP&resolution=1&from=-1&to=2",
        "history?symbol=BTC-PERP&resolution=1&from=1&to=99999999999999", "history?symbol=BTC-PERP&resolution=1&to=2&countback=0",
        "history?symbol=BTC-PERP&resolution=1&from=1&to=1e400", "search?limit=0", "search?limit=x", "quotes", "quotes?symbols=",
        "marks?symbol=BTC-PERP&resolution=1&from=1", "timescale_marks?symbol=BTC-PERP&from=1&to=2", f"symbols?symbol={'x' * 500}",
        "symbols?symbol=%00", "marks?symbol=BTC-PERP&resolution=%00&from=1&to=2",
    ],
)  # fmt: skip
def test_it_names_what_is_malformed_and_never_fails(desk: Desk, path: str) -> None:
    answer = ask(desk, path)
    assert answer.status in (400, 404), answer
    assert answer.json["s"] == "error" and answer.json["errmsg"] and answer.json["code"]
