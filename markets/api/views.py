"""Public reads: nobody needs to log in for them."""

import time

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from markets import series
from markets.api import bodies, schemas
from markets.api.documentation import PUBLIC_READ_ERRORS, operation
from markets.api.pages import Page, before_cursor, page
from markets.api.requests import query
from markets.api.tickers import overview, ticker, tickers
from markets.gateway import gateway
from markets.models import Trade
from markets.queries import GetBook
from markets.selectors import MarketNotFound, market_by_symbol, market_view, markets

SYMBOL = {"symbol": "The market, such as BTC-PERP."}


class PublicView(APIView):
    permission_classes = [AllowAny]


class TimeView(PublicView):
    @operation("time", "The server's clock", tag="Markets", answer=schemas.ServerTime, errors=(429,), public=True)
    def get(self, request: Request) -> Response:
        return Response({"time_ms": time.time_ns() // 1_000_000})


class MarketListView(PublicView):
    @operation(
        "markets_list", "All markets and their rules", tag="Markets", answer=schemas.MarketList, errors=PUBLIC_READ_ERRORS, public=True
    )
    def get(self, request: Request) -> Response:
        query(request, schemas.NoQuery)
        return Response({"results": [bodies.market(view) for view in markets()]})


class MarketDetailView(PublicView):
    @operation("markets_get", "A market", tag="Markets", answer=schemas.Market, path=SYMBOL, errors=PUBLIC_READ_ERRORS, public=True)
    def get(self, request: Request, symbol: str) -> Response:
        query(request, schemas.NoQuery)
        return Response(bodies.market(market_view(symbol)))


class TickerListView(PublicView):
    @operation("tickers_list", "All tickers", tag="Markets", answer=schemas.TickerList, errors=PUBLIC_READ_ERRORS, public=True)
    def get(self, request: Request) -> Response:
        query(request, schemas.NoQuery)
        return Response({"results": tickers()})


class TickerDetailView(PublicView):
    @operation("tickers_get", "A ticker", tag="Markets", answer=schemas.Ticker, path=SYMBOL, errors=PUBLIC_READ_ERRORS, public=True)
    def get(self, request: Request, symbol: str) -> Response:
        query(request, schemas.NoQuery)
        return Response(ticker(symbol))


class MarketOverviewView(PublicView):
    @operation(
        "markets_overview", "All markets with their day", tag="Markets", answer=schemas.MarketOverviewList, errors=PUBLIC_READ_ERRORS,
        public=True,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        query(request, schemas.NoQuery)
        return Response({"results": overview()})


class BookDetailView(PublicView):
    @operation(
        "book_get", "A market's order book", tag="Markets", answer=schemas.Book, query=schemas.BookQuery, path=SYMBOL,
        errors=PUBLIC_READ_ERRORS, public=True,
    )  # fmt: skip
    def get(self, request: Request, symbol: str) -> Response:
        asked = query(request, schemas.BookQuery)
        market = market_by_symbol(symbol)
        book = gateway().query(GetBook(market_id=market.market_id, depth=asked.depth))
        if book is None:
            raise MarketNotFound(market=symbol)
        return Response(bodies.book(book, market))


class TradeListView(PublicView):
    @operation(
        "trades_list", "A market's trades, newest first", tag="Markets", answer=Page[schemas.Trade], query=schemas.TradesQuery, path=SYMBOL,
        errors=PUBLIC_READ_ERRORS, public=True,
    )  # fmt: skip
    def get(self, request: Request, symbol: str) -> Response:
        asked = query(request, schemas.TradesQuery)
        market = market_by_symbol(symbol)
        rows = before_cursor(Trade.objects.filter(market_id=market.market_id), asked.cursor)
        return Response(page(rows, limit=asked.limit, body=lambda row: bodies.trade(row, market)))


class CandleListView(PublicView):
    @operation(
        "candles_list", "A market's candles, oldest first", tag="Markets", answer=schemas.CandleList, query=schemas.CandlesQuery,
        path=SYMBOL, errors=PUBLIC_READ_ERRORS, public=True,
    )  # fmt: skip
    def get(self, request: Request, symbol: str) -> Response:
        asked = query(request, schemas.CandlesQuery)
        market = market_by_symbol(symbol)
        columns = series.columns(
            series.Asked(
                market_id=market.market_id,
                kind=asked.kind,
                interval=asked.interval,
                from_ms=asked.from_ms,
                to_ms=asked.to_ms,
                limit=asked.limit,
                now_ms=time.time_ns() // 1_000_000,
            )
        )
        return Response({"results": bodies.candles(columns, market)})


class OpenInterestListView(PublicView):
    @operation(
        "open_interest_list", "A market's open interest over time, oldest first", tag="Markets", answer=schemas.OpenInterestList,
        query=schemas.OpenInterestQuery, path=SYMBOL, errors=PUBLIC_READ_ERRORS, public=True,
    )  # fmt: skip
    def get(self, request: Request, symbol: str) -> Response:
        asked = query(request, schemas.OpenInterestQuery)
        market = market_by_symbol(symbol)
        samples = series.open_interest(
            market_id=market.market_id, interval=asked.interval, from_ms=asked.from_ms, to_ms=asked.to_ms, limit=asked.limit
        )
        return Response({"results": [bodies.open_interest(sample, market) for sample in samples]})
