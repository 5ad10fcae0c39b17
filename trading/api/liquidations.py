"""Liquidations of one's own, step by step; the funds that stand behind everybody; and deleveraging."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import account_id
from markets.api.documentation import PRIVATE_READ_ERRORS, PUBLIC_READ_ERRORS, operation
from markets.api.pages import Page, before_cursor, page
from markets.api.requests import query
from markets.api.views import PublicView
from risk.models import Deleveraging, FundMovement, Liquidation
from trading import liquidations as selectors
from trading import representations
from trading.api import liquidation_rows as rows
from trading.api import liquidation_schemas as schemas
from trading.api.schemas import AccountQuery
from trading.selectors import wait_for_projection


class LiquidationListView(APIView):
    @operation(
        "liquidations_list", "Your liquidations, newest first", tag="Risk", query=schemas.LiquidationsQuery,
        answer=Page[schemas.Liquidation], errors=PRIVATE_READ_ERRORS,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        asked = query(request, schemas.LiquidationsQuery)
        account = account_id(request, asked.account_id)
        wait_for_projection(account)
        found = before_cursor(Liquidation.objects.filter(account_id=account), asked.cursor)
        return Response(page(found, limit=asked.limit, body=rows.liquidation))


class LiquidationDetailView(APIView):
    @operation(
        "liquidations_get", "A liquidation with every step and number, and its disputes", tag="Risk", query=AccountQuery,
        path={"liquidation_id": "The liquidation's number."}, answer=schemas.LiquidationReport, errors=PRIVATE_READ_ERRORS,
    )  # fmt: skip
    def get(self, request: Request, liquidation_id: str) -> Response:
        asked = query(request, AccountQuery)
        number = selectors.parse_liquidation_id(liquidation_id)
        row = selectors.liquidation_of(account_id(request, asked.account_id), number)
        steps = [rows.step(step) for step in row.steps.order_by("step")]
        return Response(rows.liquidation(row) | {"steps": steps, "disputes": [rows.dispute(one) for one in row.disputes.all()]})


class InsuranceView(PublicView):
    @operation(
        "insurance_get", "The insurance fund or the backstop: its balance, and what came and went, newest first", tag="Risk",
        query=schemas.InsuranceQuery, answer=schemas.Insurance, errors=PUBLIC_READ_ERRORS, public=True,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        asked = query(request, schemas.InsuranceQuery)
        found = before_cursor(FundMovement.objects.filter(fund_id=selectors.FUNDS[asked.fund]), asked.cursor)
        shown = list(found[: asked.limit + 1])
        balances = dict(zip([row.id for row in shown], selectors.balances_after(shown), strict=True))
        answer = {
            "results": [rows.movement(row, balances[row.id]) for row in shown[: asked.limit]],
            "next": str(shown[asked.limit - 1].id) if len(shown) > asked.limit else None,
        }
        return Response({"fund": asked.fund, "balance": representations.atoms_text(selectors.fund_balance(asked.fund))} | answer)


class DeleveragingView(APIView):
    @operation(
        "deleveraging_get", "Where your positions stand in the queue of deleveraging", tag="Risk", query=AccountQuery,
        answer=schemas.DeleveragingPlaces, errors=PRIVATE_READ_ERRORS,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        asked = query(request, AccountQuery)
        account = account_id(request, asked.account_id)
        return Response({"results": [rows.place(place) for place in selectors.deleveraging_places(account)]})


class DeleveragingListView(APIView):
    @operation(
        "deleveraging_list", "What of your positions was deleveraged, newest first", tag="Risk", query=schemas.LiquidationsQuery,
        answer=Page[schemas.Deleveraging], errors=PRIVATE_READ_ERRORS,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        asked = query(request, schemas.LiquidationsQuery)
        account = account_id(request, asked.account_id)
        wait_for_projection(account)
        found = before_cursor(Deleveraging.objects.filter(account_id=account), asked.cursor)
        return Response(page(found, limit=asked.limit, body=rows.deleveraging))
