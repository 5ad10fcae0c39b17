"""The private part of the API: parse, one call, render. Orders and money are always the engine's word."""

from typing import Any, NoReturn

import msgspec
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import account_id
from accounts.api.rates import FREE, charge
from markets.api.documentation import PRIVATE_READ_ERRORS, PUBLIC_READ_ERRORS, WRITE_ERRORS, operation
from markets.api.pages import Page
from markets.api.requests import body, query
from markets.api.schemas import FundingQuery
from markets.api.schemas import FundingRate as FundingRateShape
from markets.api.views import SYMBOL, PublicView
from markets.errors import DomainError
from markets.fields import InvalidField, echo
from markets.selectors import market_by_id, market_by_symbol, parameters_by_id
from trading import representations
from trading.api import rows, schemas, selectors
from trading.refusals import refused
from trading.requests import (
    AmendRequest,
    BatchRequest,
    CancelRequest,
    PlaceRequest,
    check_client_order_id,
    parse_order_id,
)
from trading.services import accounts as account_services
from trading.services import orders as services
from trading.services.orders import PlacedOrder

IDEMPOTENCY_KEY = "Idempotency-Key"
ORDER_ID = {"order_id": "The order's number."}
CLIENT_ORDER_ID = {"client_order_id": "The id that you gave the order."}
ACCEPTED_ERRORS = (*WRITE_ERRORS, 409)


class AccountView(APIView):
    @operation(
        "account_get", "Balances, margin, positions and open orders", tag="Account", query=schemas.AccountQuery, answer=schemas.Account,
        errors=PRIVATE_READ_ERRORS,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        asked = query(request, schemas.AccountQuery)
        view = selectors.account_view(account_id(request, asked.account_id))
        return Response(representations.account(view, parameters_by_id()))


class OrderListView(APIView):
    rates = {"POST": "orders", "DELETE": FREE}

    @operation(
        "orders_list", "Your orders, newest first", tag="Orders", query=schemas.OrdersQuery, answer=Page[schemas.Order],
        errors=PRIVATE_READ_ERRORS,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        asked = query(request, schemas.OrdersQuery)
        account = account_id(request, asked.account_id)
        return Response(selectors.open_orders(account, asked) if asked.status == "open" else selectors.orders(account, asked))

    @operation(
        "orders_place", "Place an order; the same client id again answers with the same order", tag="Orders", query=schemas.AccountQuery,
        body=PlaceRequest, answer=schemas.Order, status=201, errors=ACCEPTED_ERRORS,
        headers={IDEMPOTENCY_KEY: "The order's client_order_id, when the body has none."},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        asked = query(request, schemas.AccountQuery)
        order = _with_idempotency_key(body(request, PlaceRequest), request.headers.get(IDEMPOTENCY_KEY))
        placed = services.order_place(account_id=account_id(request, asked.account_id), request=order)
        return Response(representations.order(*placed), status=201)

    @operation("orders_cancel_all", "Cancel all orders", tag="Orders", query=schemas.CancelAllQuery, answer=schemas.OrderList)
    def delete(self, request: Request) -> Response:
        asked = query(request, schemas.CancelAllQuery)
        cancelled = services.orders_cancel_all(account_id=account_id(request, asked.account_id), market_symbol=asked.market)
        return Response({"results": [representations.order(*order) for order in cancelled]})


class OrderDetailView(APIView):
    rates = {"PATCH": "orders", "DELETE": FREE}

    @operation(
        "orders_get", "An order", tag="Orders", path=ORDER_ID, query=schemas.AccountQuery, answer=schemas.Order, errors=PRIVATE_READ_ERRORS
    )
    def get(self, request: Request, order_id: str) -> Response:
        asked = query(request, schemas.AccountQuery)
        order = selectors.order_view(account_id(request, asked.account_id), order_id=parse_order_id(order_id))
        return Response(representations.order(order, market_by_id(order.market_id)))

    @operation(
        "orders_amend", "Amend an order; it keeps its priority when only the size goes down", tag="Orders", path=ORDER_ID,
        query=schemas.AccountQuery, body=schemas.AmendBody, answer=schemas.Order,
    )  # fmt: skip
    def patch(self, request: Request, order_id: str) -> Response:
        asked, change = query(request, schemas.AccountQuery), body(request, schemas.AmendBody)
        account = account_id(request, asked.account_id)
        order = selectors.live_order_view(account, order_id=parse_order_id(order_id))
        amendment = AmendRequest(
            market=market_by_id(order.market_id).symbol,
            order_id=order_id,
            price=change.price,
            size=change.size,
            trigger_price=change.trigger_price,
            valid_until_ms=change.valid_until_ms,
            signed=change.signed,
        )
        return Response(representations.order(*services.order_amend(account_id=account, request=amendment)))

    @operation("orders_cancel", "Cancel an order", tag="Orders", path=ORDER_ID, query=schemas.AccountQuery, answer=schemas.Order)
    def delete(self, request: Request, order_id: str) -> Response:
        asked = query(request, schemas.AccountQuery)
        cancelled = services.order_cancel(account_id=account_id(request, asked.account_id), request=CancelRequest(order_id=order_id))
        return Response(representations.order(*cancelled))


class ClientOrderDetailView(APIView):
    rates = {"DELETE": FREE}

    @operation(
        "orders_get_by_client_id", "An order by its client id", tag="Orders", path=CLIENT_ORDER_ID, query=schemas.AccountQuery,
        answer=schemas.Order, errors=PRIVATE_READ_ERRORS,
    )  # fmt: skip
    def get(self, request: Request, client_order_id: str) -> Response:
        asked = query(request, schemas.AccountQuery)
        check_client_order_id(client_order_id)
        order = selectors.order_view(account_id(request, asked.account_id), client_order_id=client_order_id)
        return Response(representations.order(order, market_by_id(order.market_id)))

    @operation(
        "orders_cancel_by_client_id", "Cancel an order by its client id", tag="Orders", path=CLIENT_ORDER_ID, query=schemas.AccountQuery,
        answer=schemas.Order,
    )  # fmt: skip
    def delete(self, request: Request, client_order_id: str) -> Response:
        asked = query(request, schemas.AccountQuery)
        cancel = CancelRequest(client_order_id=client_order_id)
        return Response(representations.order(*services.order_cancel(account_id=account_id(request, asked.account_id), request=cancel)))


class OrderBatchView(APIView):
    """Cancels in a batch are as free as others: only what places or amends is charged, so this view charges by itself."""

    rates = {"POST": FREE}

    @operation(
        "orders_batch", "Place, amend and cancel in one request; each item succeeds or fails on its own", tag="Orders",
        query=schemas.AccountQuery, body=BatchRequest, answer=schemas.BatchResults,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        asked, batch = query(request, schemas.AccountQuery), body(request, BatchRequest)
        account = account_id(request, asked.account_id)
        charged = sum(not isinstance(item, CancelRequest) for item in batch.items)
        if charged:
            charge(request, "orders", charged)
        return Response({"results": [_result(result) for result in services.orders_batch(account_id=account, request=batch)]})


class OrderPreviewView(APIView):
    only_reads = True

    @operation(
        "orders_preview", "What an order would do now; nothing is placed", tag="Orders", query=schemas.AccountQuery, body=PlaceRequest,
        answer=schemas.Preview,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        asked, order = query(request, schemas.AccountQuery), body(request, PlaceRequest)
        preview, market = services.order_preview(account_id=account_id(request, asked.account_id), request=order)
        reject = _error(refused(preview.reject, market)) if preview.reject else None
        return Response(rows.preview(preview, market, reject))


class FillListView(APIView):
    @operation(
        "fills_list", "Your fills, newest first", tag="Account", query=schemas.FillsQuery, answer=Page[schemas.Fill],
        errors=PRIVATE_READ_ERRORS,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        asked = query(request, schemas.FillsQuery)
        return Response(selectors.fills(account_id(request, asked.account_id), asked))


class TransferListView(APIView):
    @operation(
        "transfers_list", "Your ledger, newest first", tag="Account", query=schemas.TransfersQuery, answer=Page[schemas.Transfer],
        errors=PRIVATE_READ_ERRORS,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        asked = query(request, schemas.TransfersQuery)
        return Response(selectors.transfers(account_id(request, asked.account_id), asked))


class FundingPaymentListView(APIView):
    @operation(
        "funding_payments_list", "Funding that you received and paid, newest first", tag="Account", query=schemas.FundingPaymentsQuery,
        answer=Page[schemas.FundingPayment], errors=PRIVATE_READ_ERRORS,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        asked = query(request, schemas.FundingPaymentsQuery)
        return Response(selectors.funding_payments(account_id(request, asked.account_id), asked))


class FundingRateListView(PublicView):
    @operation(
        "funding_rates_list", "A market's hourly funding, newest first", tag="Markets", path=SYMBOL, query=FundingQuery,
        answer=Page[FundingRateShape], errors=PUBLIC_READ_ERRORS, public=True,
    )  # fmt: skip
    def get(self, request: Request, symbol: str) -> Response:
        asked = query(request, FundingQuery)
        market = market_by_symbol(symbol)
        return Response(
            selectors.funding_rates(market.market_id, cursor=asked.cursor, limit=asked.limit, from_ms=asked.from_ms, to_ms=asked.to_ms)
        )


class LeverageView(APIView):
    @operation("leverage_set", "Set a market's leverage", tag="Account", query=schemas.AccountQuery, body=schemas.LeverageBody,
               answer=schemas.Leverage)  # fmt: skip
    def put(self, request: Request) -> Response:
        asked, wanted = query(request, schemas.AccountQuery), body(request, schemas.LeverageBody)
        account = account_id(request, asked.account_id)
        account_services.leverage_set(account_id=account, market_symbol=wanted.market, leverage=wanted.leverage)
        return Response({"market": wanted.market, "leverage": wanted.leverage})


class DeadMansSwitchView(APIView):
    rates = {"PUT": FREE}

    @operation(
        "dead_mans_switch_set", "Cancel everything unless this is repeated in time", tag="Account", query=schemas.AccountQuery,
        body=schemas.SwitchBody, answer=schemas.Switch,
    )  # fmt: skip
    def put(self, request: Request) -> Response:
        asked, wanted = query(request, schemas.AccountQuery), body(request, schemas.SwitchBody)
        account = account_id(request, asked.account_id)
        account_services.dead_mans_switch_set(account_id=account, timeout_ms=wanted.timeout_ms)
        return Response({"due_ms": selectors.account_view(account).dead_mans_switch_ms})


def _with_idempotency_key(order: PlaceRequest, key: str | None) -> PlaceRequest:
    """Return the order with the header as its client id, unless the body names another."""
    if key is None or key == order.client_order_id:
        return order
    if order.client_order_id:
        _conflict(key)
    check_client_order_id(key, field=IDEMPOTENCY_KEY)
    return msgspec.structs.replace(order, client_order_id=key)


def _conflict(key: str) -> NoReturn:
    message = "The header and client_order_id differ; give one, or the same."
    raise InvalidField("INVALID_COMBINATION", message, field=IDEMPOTENCY_KEY, value=echo(key))


def _result(result: PlacedOrder | DomainError) -> dict[str, Any]:
    if isinstance(result, DomainError):
        return {"ok": False, "error": _error(result)}
    return {"ok": True, "order": representations.order(*result)}


def _error(error: DomainError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "data": error.data}
