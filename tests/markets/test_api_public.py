"""Public reads, without a login."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from markets import selectors
from markets.api import schemas, tickers
from markets.api.assets import AssetList
from markets.api.pages import Page
from markets.selectors import market_by_symbol
from markets.views import MarketView
from tests.support.api import Desk, desk, exact, forget_caches
from tests.support.engine import engine_process, engine_processes
from trading.broadcast.day import Day
from trading.broadcast.ticker import Ticker

__all__ = ["desk", "engine_process", "engine_processes"]


def trade(desk: Desk, *, price: str, size: str) -> None:
    order = {"market": "BTC-PERP", "type": "limit", "price": price, "size": size}
    assert desk.bob.post("orders/", order | {"side": "sell"}).status == 201
    assert desk.alice.post("orders/", order | {"side": "buy"}).json["status"] == "filled"


def test_it_serves_the_clock_and_the_markets(desk: Desk) -> None:
    exact(desk.anonymous.get("time/").json, schemas.ServerTime)
    listed = exact(desk.anonymous.get("markets/").json, schemas.MarketList).results
    assert {"BTC-PERP", "ETH-PERP", "SOL-PERP"} <= {market.symbol for market in listed}
    btc = exact(desk.anonymous.get("markets/BTC-PERP/").json, schemas.Market)
    assert btc == next(market for market in listed if market.symbol == "BTC-PERP")
    assert (btc.tick_size, btc.quote_asset, btc.status, btc.max_leverage) == ("0.1", "USDC", "normal", 150)
    missing = desk.anonymous.get("markets/NOPE-PERP/")
    assert (missing.status, missing.error["code"], missing.error["data"]) == (404, "MARKET_NOT_FOUND", {"market": "NOPE-PERP"})


def test_it_serves_the_collateral_assets(desk: Desk) -> None:
    assets = {asset.asset: asset for asset in exact(desk.anonymous.get("assets/").json, AssetList).results}
    assert assets["USDC"].index_price == assets["USDC"].weights[0].initial_weight == Decimal(1)
    assert all(asset.state == "valid" or asset.initial_price == 0 for asset in assets.values())
    held = {row["asset"]: row["amount"] for row in desk.alice.get("account/").json["assets"]}
    assert held["USDC"] == desk.alice.get("account/").json["balances"]["USDC"]


def test_it_serves_the_book_best_first(desk: Desk) -> None:
    for price in ("59000.0", "59500.0"):
        desk.alice.post("orders/", {"market": "BTC-PERP", "side": "buy", "type": "limit", "price": price, "size": "0.0100"})
    desk.bob.post("orders/", {"market": "BTC-PERP", "side": "sell", "type": "limit", "price": "60500.0", "size": "0.0200"})
    book = exact(desk.anonymous.get("markets/BTC-PERP/book/").json, schemas.Book)
    assert book.bids == [("59500.0", "0.0100"), ("59000.0", "0.0100")]
    assert book.asks == [("60500.0", "0.0200")]
    assert len(desk.anonymous.get("markets/BTC-PERP/book/?depth=1").json["bids"]) == 1
    assert desk.anonymous.get("markets/BTC-PERP/book/?depth=0").error["data"]["field"] == "depth"


def test_it_pages_through_trades_without_a_gap(desk: Desk) -> None:
    for price in ("60000.0", "60010.0", "60020.0", "60030.0", "60040.0"):
        trade(desk, price=price, size="0.0010")
    desk.project()
    prices, cursor = [], ""
    while True:
        answer = desk.anonymous.get(f"markets/BTC-PERP/trades/?limit=2&cursor={cursor}")
        page = exact(answer.json, Page[schemas.Trade])
        prices += [line.price for line in page.results]
        if page.next is None:
            break
        cursor = page.next
        trade(desk, price="60000.0", size="0.0010")  # what is added meanwhile shifts no page
        desk.project()
    assert prices == ["60040.0", "60030.0", "60020.0", "60010.0", "60000.0"]


def test_it_serves_candles_of_every_interval(desk: Desk) -> None:
    for price in ("60000.0", "60100.0", "59900.0"):
        trade(desk, price=price, size="0.0010")
    desk.project()
    for interval in ("1m", "5m", "15m", "1h", "4h", "1d"):
        candles = exact(desk.anonymous.get(f"markets/BTC-PERP/candles/?interval={interval}").json, schemas.CandleList).results
        assert (candles[0].open, candles[-1].close, sum(candle.trades for candle in candles)) == ("60000.0", "59900.0", 3), interval
    last = candles[-1].opened_ms
    assert desk.anonymous.get(f"markets/BTC-PERP/candles/?interval=1d&from={last + 1}").json == {"results": []}
    assert desk.anonymous.get(f"markets/BTC-PERP/candles/?interval=1d&to={last}").json == {"results": []}
    assert len(desk.anonymous.get(f"markets/BTC-PERP/candles/?interval=1d&from={last}&limit=1").json["results"]) == 1
    assert desk.anonymous.get("markets/BTC-PERP/candles/?limit=1501").error["data"] == {"field": "limit", "value": "1501"}
    assert desk.anonymous.get("markets/BTC-PERP/candles/?interval=2m").error["code"] == "INVALID_CHOICE"


def test_it_serves_the_same_ticker_as_the_socket(desk: Desk) -> None:
    trade(desk, price="60000.0", size="0.0010")
    trade(desk, price="60600.0", size="0.0020")
    desk.project()
    forget_caches()
    listed = exact(desk.anonymous.get("tickers/").json, schemas.TickerList).results
    ticker = exact(desk.anonymous.get("tickers/BTC-PERP/").json, schemas.Ticker)
    assert ticker in listed
    assert (ticker.last_price, ticker.open_24h, ticker.high_24h, ticker.change_24h) == ("60600.0", "60000.0", "60600.0", "0.010000")
    assert (ticker.volume_24h, ticker.quote_volume_24h, ticker.price_source) == ("0.0030", "181.200000", "simulated")
    assert fed(selectors.market_view("BTC-PERP")).keys() == desk.anonymous.get("tickers/BTC-PERP/").json.keys()
    untraded = tickers.ticker("ETH-PERP")
    assert untraded == fed(selectors.market_view("ETH-PERP"))


def fed(view: MarketView) -> dict[str, Any]:
    """Return the ticker as the feed makes it of the same market."""
    message = Ticker(view=view, day=Day(), seq=1).snapshot(0)
    ticker: dict[str, Any] = msgspec.json.decode(message.payload)["ticker"]
    return ticker


def test_it_serves_funding_rates(desk: Desk) -> None:
    from markets.stamps import at
    from risk.models import FundingRate

    market = market_by_symbol("BTC-PERP")
    for hour in range(3):
        FundingRate.objects.create(market_id=market.market_id, due_at=at(hour * 3_600_000), rate_ppb=12_500, index_e8=6_000_000_000_000)
    first = exact(desk.anonymous.get("markets/BTC-PERP/funding/?limit=2").json, Page[schemas.FundingRate])
    newest = first.results[0]
    assert (newest.time_ms, newest.rate, newest.index_price) == (7_200_000, "0.000012500", "60000.00000000")
    rest = desk.anonymous.get(f"markets/BTC-PERP/funding/?limit=2&cursor={first.next}").json
    assert ([rate["time_ms"] for rate in rest["results"]], rest["next"]) == ([0], None)


def test_it_serves_candles_of_trades_and_of_the_mark(desk: Desk) -> None:
    trade(desk, price="60000.0", size="0.0010")
    desk.project()
    shown = {
        kind: exact(desk.anonymous.get(f"markets/BTC-PERP/candles/?interval=1w&kind={kind}").json, schemas.CandleList).results
        for kind in ("trade", "mark")
    }
    (traded,), (marked,) = shown["trade"], shown["mark"]
    assert (traded.trades, traded.volume, traded.close) == (1, "0.0010", "60000.0")
    assert (marked.trades, marked.volume, marked.opened_ms) == (0, "0.0000", traded.opened_ms)
    assert float(marked.close) == pytest.approx(60_000, rel=0.1)


def test_it_serves_open_interest_over_time(desk: Desk) -> None:
    trade(desk, price="60000.0", size="0.0030")
    desk.engine.observe({market_by_symbol("BTC-PERP").market_id: 60_500 * 10**8})
    desk.project()
    for interval in ("1m", "1h", "1w"):
        found = exact(desk.anonymous.get(f"markets/BTC-PERP/open-interest/?interval={interval}").json, schemas.OpenInterestList).results
        assert found[-1].open_interest == "0.0030", interval
        assert float(found[-1].value) == pytest.approx(0.003 * float(found[-1].mark_price))
    last = found[-1].opened_ms
    assert desk.anonymous.get(f"markets/BTC-PERP/open-interest/?interval=1w&from={last + 1}").json == {"results": []}
    assert desk.anonymous.get(f"markets/BTC-PERP/open-interest/?interval=1w&to={last}").json == {"results": []}


def test_it_serves_funding_of_a_range(desk: Desk) -> None:
    from markets.stamps import at
    from risk.models import FundingRate

    market = market_by_symbol("BTC-PERP")
    for hour in range(5):
        FundingRate.objects.create(market_id=market.market_id, due_at=at(hour * 3_600_000), rate_ppb=hour, index_e8=1)
    answer = desk.anonymous.get(f"markets/BTC-PERP/funding/?from={3_600_000}&to={4 * 3_600_000}&limit=2").json
    rest = desk.anonymous.get(f"markets/BTC-PERP/funding/?from={3_600_000}&to={4 * 3_600_000}&cursor={answer['next']}").json
    assert [rate["time_ms"] // 3_600_000 for rate in answer["results"] + rest["results"]] == [3, 2, 1]


def test_it_serves_all_markets_with_their_day(desk: Desk) -> None:
    trade(desk, price="60000.0", size="0.0010")
    desk.project()
    forget_caches()
    found = exact(desk.anonymous.get("markets/overview/").json, schemas.MarketOverviewList).results
    btc = next(market for market in found if market.market == "BTC-PERP")
    assert (btc.base_asset, btc.max_leverage, btc.quote_volume_24h) == ("BTC", 150, "60.000000")
    assert len(btc.sparkline) == 48
    assert float(btc.sparkline[-1]) == pytest.approx(60_000, rel=0.1)
    ticker = desk.anonymous.get("tickers/BTC-PERP/").json
    assert (
        ticker.items()
        <= next(each for each in desk.anonymous.get("markets/overview/").json["results"] if each["market"] == "BTC-PERP").items()
    )


@pytest.mark.parametrize(
    "path",
    [
        "candles/?kind=index", "candles/?interval=1y", "candles/?from=x", "candles/?to=-1", "candles/?limit=0", "candles/?nope=1",
        "candles/?from=99999999999999999", "open-interest/?interval=3m", "open-interest/?limit=1501", "open-interest/?from=1.5",
        "open-interest/?kind=mark", "funding/?from=x", "funding/?to=99999999999999999",
    ],
)  # fmt: skip
def test_it_names_the_parameter_that_is_malformed(desk: Desk, path: str) -> None:
    answer = desk.anonymous.get(f"markets/BTC-PERP/{path}")
    assert (answer.status, answer.error["data"]["field"]) == (400, path.partition("?")[2].partition("=")[0])
