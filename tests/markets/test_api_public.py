"""Public reads, without a login."""

from typing import Any

import msgspec

from markets import selectors
from markets.api import schemas, tickers
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
    from markets.api.bodies import moment
    from risk.models import FundingRate

    market = market_by_symbol("BTC-PERP")
    for hour in range(3):
        FundingRate.objects.create(market_id=market.market_id, due_at=moment(hour * 3_600_000), rate_ppb=12_500, index_e8=6_000_000_000_000)
    first = exact(desk.anonymous.get("markets/BTC-PERP/funding/?limit=2").json, Page[schemas.FundingRate])
    newest = first.results[0]
    assert (newest.time_ms, newest.rate, newest.index_price) == (7_200_000, "0.000012500", "60000.00000000")
    rest = desk.anonymous.get(f"markets/BTC-PERP/funding/?limit=2&cursor={first.next}").json
    assert ([rate["time_ms"] for rate in rest["results"]], rest["next"]) == ([0], None)
