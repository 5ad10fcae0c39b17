"""A taker: now and then a small order that trades at once, so that tape and candles live."""

import asyncio

import structlog

from markets.commands import Side
from markets.units import E8, PPM
from trading.makers.bot import Bot, Json
from trading.makers.client import SocketClient, SocketClosed
from trading.makers.terms import Terms

log = structlog.get_logger()

PAUSE_SECONDS = (1.0, 3.0)
ORDER_USD = (100, 4_000)
MAX_POSITION_USD = 25_000
FAVOURITES = {"BTC-PERP": 4, "ETH-PERP": 3, "SOL-PERP": 2}
LIMIT_PPM = 400  # how far through the index an IOC order reaches


class Taker(Bot):
    async def trade(self, client: SocketClient) -> None:
        while not client.closed.is_set():
            await asyncio.sleep(self.chance.uniform(*PAUSE_SECONDS))
            tradable = [symbol for symbol, price in self.prices.items() if price.open]
            if self.account.known and tradable:
                symbol = self.chance.choices(tradable, [FAVOURITES.get(symbol, 1) for symbol in tradable])[0]
                answer = await client.ask("place", order=self._order(self.terms[symbol]))
                if not answer["ok"]:
                    log.info("taker_refused", market=symbol, code=answer["error"]["code"])
        raise SocketClosed

    def _order(self, terms: Terms) -> Json:
        index_e8 = self.prices[terms.symbol].index_e8
        side = self._side(terms, index_e8)
        usd = int(self.chance.triangular(ORDER_USD[0], ORDER_USD[1], ORDER_USD[0]))
        index_ticks = index_e8 // terms.tick_e8
        order = {"market": terms.symbol, "side": side, "size": terms.size(terms.lots_worth(usd, index_ticks))}
        if self.chance.random() < 0.5:
            return order | {"type": "market"}
        reach = index_ticks * LIMIT_PPM // PPM
        limit = index_ticks + reach if side == "buy" else index_ticks - reach
        return order | {"type": "limit", "price": terms.price(limit), "time_in_force": "ioc"}

    def _side(self, terms: Terms, index_e8: int) -> Side:
        """Toss a coin, unless the position is large: then reduce it."""
        value_usd = self.account.position_lots.get(terms.symbol, 0) * terms.lot_e8 * index_e8 // (E8 * E8)
        if abs(value_usd) > MAX_POSITION_USD:
            return "sell" if value_usd > 0 else "buy"
        return "buy" if self.chance.random() < 0.5 else "sell"
