"""Order entry without Django: a parsed request becomes a command, its reply the JSON of the API. For hot lane and socket."""

from typing import Any

from markets.commands import CancelAll
from markets.errors import DomainError, Refused
from markets.gateway import AsyncGateway
from markets.views import OrderView, Reply
from trading import representations, requests
from trading.hotlane.markets import Markets

Json = dict[str, Any]


class OrderEntry:
    """Each method submits one command of one account and answers as REST does; a DomainError says why not."""

    def __init__(self, gateway: AsyncGateway, markets: Markets) -> None:
        self.gateway = gateway
        self.markets = markets

    async def place(self, request: requests.PlaceRequest, *, account_id: int, session_id: int = 0) -> Json:
        market = await self.markets.named(request.market)
        command = requests.place_command(request, account_id=account_id, market=market, session_id=session_id)
        return representations.order(accepted(await self.gateway.submit(command)).orders[0], market)

    async def amend(self, request: requests.AmendRequest, *, account_id: int) -> Json:
        market = await self.markets.named(request.market)
        command = requests.amend_command(request, account_id=account_id, market=market)
        return representations.order(accepted(await self.gateway.submit(command)).orders[0], market)

    async def cancel(self, request: requests.CancelRequest, *, account_id: int) -> Json:
        reply = accepted(await self.gateway.submit(requests.cancel_command(request, account_id=account_id)))
        return await self._order(reply.orders[0])

    async def cancel_all(self, *, account_id: int, market: str = "") -> list[Json]:
        market_id = (await self.markets.named(market)).market_id if market else 0
        reply = accepted(await self.gateway.submit(CancelAll(account_id=account_id, market_id=market_id)))
        return [await self._order(order) for order in reply.orders]

    async def batch(self, request: requests.BatchRequest, *, account_id: int, session_id: int = 0) -> list[Json]:
        """Return one result an item: its order, or its error."""
        named = {item.market: await self.markets.named(item.market) for item in request.items if not isinstance(item, requests.CancelItem)}
        command = requests.batch_command(request, account_id=account_id, market=named.__getitem__, session_id=session_id)
        reply = accepted(await self.gateway.submit(command))
        return [await self._result(result) for result in reply.results]

    async def _result(self, reply: Reply) -> Json:
        if reply.reject is not None:
            return {"ok": False, "error": error_json(Refused(reply.reject))}
        return {"ok": True, "order": await self._order(reply.orders[0])}

    async def _order(self, order: OrderView) -> Json:
        return representations.order(order, await self.markets.numbered(order.market_id))


def accepted(reply: Reply) -> Reply:
    """Return the reply, or raise the refusal in it."""
    if reply.reject is not None:
        raise Refused(reply.reject)
    return reply


def error_json(error: DomainError) -> Json:
    return {"code": error.code, "message": error.message, "data": error.data}
