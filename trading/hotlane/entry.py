"""Order entry without Django: a parsed request becomes a command, its reply the JSON of the API. For hot lane and socket."""

from typing import Any

from asgiref.sync import sync_to_async

from markets.commands import AmendOrder, CancelAll, CancelOrder, PlaceOrder
from markets.errors import DomainError
from markets.gateway import AsyncGateway
from markets.parameters import MarketParameters
from markets.views import OrderView, Reply
from trading import representations, requests
from trading.hotlane.markets import Markets
from trading.refusals import refused
from trading.services import signatures
from trading.services.repeats import OrderArchived, placed_order

Json = dict[str, Any]


class OrderEntry:
    """Each method submits one command of one account and answers as REST does; a DomainError says why not.

    A method's command is on its way to the engine before the method first waits, if its markets are known, and the key of what
    is signed: callers that start several keep their order.
    """

    def __init__(self, gateway: AsyncGateway, markets: Markets) -> None:
        self.gateway = gateway
        self.markets = markets

    async def place(self, request: requests.PlaceRequest, *, account_id: int, session_id: int = 0) -> Json:
        market = self.markets.known(request.market) or await self.markets.named(request.market)
        command = requests.place_command(request, account_id=account_id, market=market, session_id=session_id)
        if command.signed:
            await signatures.acheck(command, market)
        reply = _accepted(await self.gateway.submit(command), market)
        return representations.order(reply.orders[0] if reply.orders else await _archived(reply, command), market)

    async def amend(self, request: requests.AmendRequest, *, account_id: int) -> Json:
        market = await self.markets.named(request.market)
        command = requests.amend_command(request, account_id=account_id, market=market)
        await signatures.acheck(command, market)
        return representations.order(_accepted(await self.gateway.submit(command), market).orders[0], market)

    async def cancel(self, request: requests.CancelRequest, *, account_id: int) -> Json:
        reply = _accepted(await self.gateway.submit(requests.cancel_command(request, account_id=account_id)))
        return await self._order(reply.orders[0])

    async def cancel_all(self, *, account_id: int, market: str = "") -> list[Json]:
        market_id = (await self.markets.named(market)).market_id if market else 0
        reply = _accepted(await self.gateway.submit(CancelAll(account_id=account_id, market_id=market_id)))
        return [await self._order(order) for order in reply.orders]

    async def batch(self, request: requests.BatchRequest, *, account_id: int, session_id: int = 0) -> list[Json]:
        """Return one result an item: its order, or its error."""
        symbols = {item.market for item in request.items if not isinstance(item, requests.CancelItem)}
        named = {symbol: await self.markets.named(symbol) for symbol in symbols}
        command = requests.batch_command(request, account_id=account_id, market=named.__getitem__, session_id=session_id)
        await signatures.acheck_batch(command, self.markets.by_id.__getitem__)
        reply = _accepted(await self.gateway.submit(command))
        return [await self._result(item, result) for item, result in zip(command.items, reply.results, strict=True)]

    async def _result(self, item: PlaceOrder | AmendOrder | CancelOrder, reply: Reply) -> Json:
        if reply.reject is None:
            return await self._carried_out(item, reply)
        market = None if isinstance(item, CancelOrder) else await self.markets.numbered(item.market_id)
        return {"ok": False, "error": error_json(refused(reply.reject, market))}

    async def _carried_out(self, item: PlaceOrder | AmendOrder | CancelOrder, reply: Reply) -> Json:
        try:
            gone = item if isinstance(item, PlaceOrder) and not reply.orders else None
            order = reply.orders[0] if gone is None else await _archived(reply, gone)
        except OrderArchived as error:
            return {"ok": False, "error": error_json(error)}
        return {"ok": True, "order": await self._order(order)}

    async def _order(self, order: OrderView) -> Json:
        return representations.order(order, await self.markets.numbered(order.market_id))


def error_json(error: DomainError) -> Json:
    return {"code": error.code, "message": error.message, "data": error.data}


async def _archived(reply: Reply, command: PlaceOrder) -> OrderView:
    """Look into the tables for the order of a placement of long ago."""
    return await sync_to_async(placed_order, thread_sensitive=False)(reply, command)


def _accepted(reply: Reply, market: MarketParameters | None = None) -> Reply:
    if reply.reject is not None:
        raise refused(reply.reject, market)
    return reply
