"""Funding on TradingView's time scale: a mark for each hour that was paid."""

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from markets import figures
from markets.api.requests import query
from markets.stamps import at, ms
from markets.udf.schemas import RangeQuery
from markets.udf.symbols import found
from markets.udf.views import UdfView
from risk.models import FundingRate

MAX_MARKS = 500
PAID_BY = {"up": ("#2ebd85", "longs paid shorts"), "down": ("#f6465d", "shorts paid longs"), "": ("#8a95a3", "nobody paid")}


@extend_schema(exclude=True)
class TimescaleMarksView(UdfView):
    def get(self, request: Request) -> Response:
        asked = query(request, RangeQuery)
        market = found(asked.symbol).parameters
        rows = FundingRate.objects.filter(
            market_id=market.market_id,
            due_at__gte=at(asked.from_s * 1000),
            due_at__lte=at(asked.to_s * 1000),
        )
        return Response([_mark(row) for row in reversed(rows.order_by("-due_at")[:MAX_MARKS])])


def _mark(row: FundingRate) -> dict[str, Any]:
    colour, who = PAID_BY[figures.direction(row.rate_ppb)]
    due_s = ms(row.due_at) // 1000
    rate = figures.percent_signed(Decimal(row.rate_ppb).scaleb(-9), 4)
    return {"id": f"funding-{due_s}", "time": due_s, "color": colour, "label": "F", "tooltip": [f"Funding {rate}", f"In this hour {who}"]}
