"""The datafeed that TradingView's client polls: GET only, open to every origin, in the protocol's own shapes."""

import time
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from markets.api.requests import query
from markets.errors import DomainError
from markets.udf import bars, schemas, symbols

MAX_QUOTES = 200


class UdfView(APIView):
    """Answers anybody, and never as somebody: so pages of other origins may read it."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def handle_exception(self, exc: Exception) -> Response:
        """Name a failure as the protocol does, under the status and with the headers of the API."""
        rendered = super().handle_exception(exc)
        error = (rendered.data or {}).get("error", {})
        rendered.data = {"s": "error", "errmsg": error.get("message", ""), "code": error.get("code", ""), "data": error.get("data", {})}
        return rendered

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        finished = super().finalize_response(request, response, *args, **kwargs)
        finished.headers["Access-Control-Allow-Origin"] = "*"
        return finished


@extend_schema(exclude=True)
class ConfigView(UdfView):
    def get(self, request: Request) -> Response:
        query(request, schemas.Nothing)
        return Response(symbols.config())


@extend_schema(exclude=True)
class TimeView(UdfView):
    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(str(int(time.time())), content_type="text/plain")


@extend_schema(exclude=True)
class SymbolsView(UdfView):
    def get(self, request: Request) -> Response:
        asked = query(request, schemas.SymbolQuery)
        return Response(symbols.symbol_info(symbols.found(asked.symbol).parameters))


@extend_schema(exclude=True)
class SearchView(UdfView):
    def get(self, request: Request) -> Response:
        asked = query(request, schemas.SearchQuery)
        return Response(symbols.search(asked.query, type_=asked.type, exchange=asked.exchange, limit=asked.limit))


@extend_schema(exclude=True)
class HistoryView(UdfView):
    def get(self, request: Request) -> Response:
        asked = query(request, schemas.HistoryQuery)
        market = symbols.found(asked.symbol).parameters
        return Response(bars.history(market, asked, now_ms=time.time_ns() // 1_000_000))


@extend_schema(exclude=True)
class MarksView(UdfView):
    def get(self, request: Request) -> Response:
        asked = query(request, schemas.RangeQuery)
        return Response(bars.liquidations(symbols.found(asked.symbol).parameters, asked))


@extend_schema(exclude=True)
class QuotesView(UdfView):
    def get(self, request: Request) -> Response:
        asked = query(request, schemas.QuotesQuery)
        return Response({"s": "ok", "d": [_quote(name) for name in asked.symbols.split(",")[:MAX_QUOTES]]})


def _quote(name: str) -> dict[str, Any]:
    try:
        return bars.quote(name, symbols.found(name))
    except DomainError as error:
        return {"s": "error", "n": name, "v": {}, "errmsg": error.message}
