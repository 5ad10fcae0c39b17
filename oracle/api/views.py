"""Public reads of prices, their sources and their history."""

import time
from typing import Any

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from markets.api import bodies as markets_bodies
from markets.api.documentation import PUBLIC_READ_ERRORS, operation
from markets.api.pages import Page, before_cursor, page
from markets.api.requests import query
from markets.api.schemas import NoQuery
from markets.parameters import MarketParameters
from markets.selectors import market_by_symbol
from markets.stamps import ms
from oracle import bodies, selectors
from oracle.actions import ALLOWED
from oracle.api import schemas
from oracle.models import OraclePrice

SYMBOL = {"symbol": "A market, such as BTC-PERP, or a collateral asset without one, such as USDT."}
MARKET = {"symbol": "A market, such as BTC-PERP."}


class OracleListView(APIView):
    permission_classes = [AllowAny]

    @operation(
        "oracle_list", "All prices and their sources", tag="Oracle", answer=schemas.OracleList, errors=PUBLIC_READ_ERRORS, public=True
    )
    def get(self, request: Request) -> Response:
        query(request, NoQuery)
        return Response({"results": [body(named) for named in selectors.indices()], "feed": selectors.feed_status()})


class OracleDetailView(APIView):
    permission_classes = [AllowAny]

    @operation(
        "oracle_get", "A price and its sources", tag="Oracle", answer=schemas.OracleDetail, path=SYMBOL, errors=PUBLIC_READ_ERRORS,
        public=True,
    )  # fmt: skip
    def get(self, request: Request, symbol: str) -> Response:
        query(request, NoQuery)
        return Response({"index": body(selectors.index(symbol)), "feed": selectors.feed_status()})


class OracleHistoryView(APIView):
    permission_classes = [AllowAny]

    @operation(
        "oracle_history", "A market's index and mark over time, newest first", tag="Oracle", answer=Page[schemas.OraclePriceRow],
        query=schemas.OracleHistoryQuery, path=MARKET, errors=PUBLIC_READ_ERRORS, public=True,
    )  # fmt: skip
    def get(self, request: Request, symbol: str) -> Response:
        asked = query(request, schemas.OracleHistoryQuery)
        market = market_by_symbol(symbol)
        rows = before_cursor(selectors.history(symbol, from_ms=asked.from_ms, to_ms=asked.to_ms), asked.cursor)
        return Response(page(rows, limit=asked.limit, body=lambda row: history_row(row, market)))


def body(named: selectors.Named) -> dict[str, Any]:
    now_ms = time.time_ns() // 1_000_000
    found = bodies.index(named.view, named.symbol)
    for source in found["sources"]:
        source["age_ms"] = max(0, now_ms - source["published_ms"]) if source["published_ms"] else None
    return found | {"permits": [action for action, states in ALLOWED.items() if named.view.state in states]}


def history_row(row: OraclePrice, market: MarketParameters) -> dict[str, Any]:
    return {
        "time_ms": ms(row.observed_at),
        "mark_price": markets_bodies.price(row.mark_ticks, market),
        "index_price": markets_bodies.e8(row.index_e8),
        "confidence": markets_bodies.e8(row.confidence_e8) if row.confidence_e8 is not None else None,
        "state": row.state,
    }
