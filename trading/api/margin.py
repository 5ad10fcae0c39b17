"""Margin over the API: its terms, what would change them, and how positions are margined."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import account_id
from markets.api.documentation import PRIVATE_READ_ERRORS, operation
from markets.api.requests import body, query
from markets.selectors import parameters_by_id
from trading.api import margin_rows, margin_schemas, schemas
from trading.refusals import refused
from trading.representations import atoms_text
from trading.services import margin as services


class MarginExplainView(APIView):
    @operation(
        "margin_explain", "Every term of equity, initial and maintenance margin, and of each liquidation price", tag="Risk",
        query=schemas.AccountQuery, answer=margin_schemas.MarginExplanation, errors=PRIVATE_READ_ERRORS,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        asked = query(request, schemas.AccountQuery)
        found = services.margin_explain(account_id=account_id(request, asked.account_id))
        return Response(margin_rows.explanation(found, parameters_by_id()))


class MarginPreviewView(APIView):
    only_reads = True

    @operation(
        "margin_preview", "The same terms before and after an order, price moves, other leverage; nothing is done", tag="Risk",
        query=schemas.AccountQuery, body=margin_schemas.MarginPreviewBody, answer=margin_schemas.MarginPreview,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        asked, tried = query(request, schemas.AccountQuery), body(request, margin_schemas.MarginPreviewBody)
        preview, market = services.margin_preview(
            account_id=account_id(request, asked.account_id),
            order=tried.order,
            moves=tried.moves,
            leverage=tried.leverage,
            isolated_margin=tried.isolated_margin,
        )
        error = refused(preview.reject, market) if preview.reject else None
        return Response(
            {
                "reject": {"code": error.code, "message": error.message, "data": error.data} if error else None,
                "before": margin_rows.explanation(preview.before, parameters_by_id()),
                "after": margin_rows.explanation(preview.after, parameters_by_id()),
            }
        )


class MarginModeView(APIView):
    @operation("margin_mode_set", "Margin a market's position with the account or by itself", tag="Risk", query=schemas.AccountQuery,
               body=margin_schemas.MarginModeBody, answer=margin_schemas.MarginModeAnswer)  # fmt: skip
    def put(self, request: Request) -> Response:
        asked, wanted = query(request, schemas.AccountQuery), body(request, margin_schemas.MarginModeBody)
        services.margin_mode_set(account_id=account_id(request, asked.account_id), market_symbol=wanted.market, mode=wanted.mode)
        return Response({"market": wanted.market, "mode": wanted.mode})


class IsolatedMarginView(APIView):
    @operation("isolated_margin_move", "Add margin to an isolated position, or remove it", tag="Risk", query=schemas.AccountQuery,
               body=margin_schemas.IsolatedMarginBody, answer=margin_schemas.IsolatedMargin)  # fmt: skip
    def post(self, request: Request) -> Response:
        asked, wanted = query(request, schemas.AccountQuery), body(request, margin_schemas.IsolatedMarginBody)
        account = account_id(request, asked.account_id)
        moved = services.isolated_margin_move(account_id=account, market_symbol=wanted.market, amount=wanted.amount)
        return Response({"market": wanted.market, "amount": atoms_text(moved)})
