"""A market maker: a ladder of orders on both sides of the index, in every market."""

import asyncio

import structlog

from markets.commands import Side
from markets.units import E8, PPM
from trading.makers import ladder
from trading.makers.bot import MAX_ITEMS, Bot, Json, Key
from trading.makers.client import SocketClient, SocketClosed
from trading.makers.terms import Terms

log = structlog.get_logger()

LEVELS = 8  # a side; two makers whose prices lie between each other's make 16
LEVEL_USD = 12_000
STEP_PPM = 250
STEPS_PPM = {"BTC-PERP": 150, "ETH-PERP": 200}
MAX_POSITION_USD = 200_000
SKEW_STEPS = 2  # how far a full position pushes the ladder away from itself
CYCLE_SECONDS = 1.0
REFUSED_CYCLES = 5


class Maker(Bot):
    """Looks at the prices once a second and sends a batch for each market whose ladder has to roll or to be filled up."""

    def __init__(self, *, url: str, key: Key, terms: dict[str, Terms], offset: tuple[int, int]) -> None:
        super().__init__(url=url, key=key, terms=terms)
        self._offset = offset  # the part of a step by which this maker's prices lie off the grid: (1, 2) is half a step
        self._anchors: dict[str, int] = {}
        self._centres: dict[str, int] = {}
        self._pauses: dict[str, int] = {}

    async def trade(self, client: SocketClient) -> None:
        while not client.closed.is_set():
            if self.account.known:
                for terms in self.terms.values():
                    await self._quote(client, terms)
            await asyncio.sleep(CYCLE_SECONDS)
        raise SocketClosed

    async def _quote(self, client: SocketClient, terms: Terms) -> None:
        price = self.prices.get(terms.symbol)
        self._pauses[terms.symbol] = max(0, self._pauses.get(terms.symbol, 0) - 1)
        if price is None or not price.open or self._pauses[terms.symbol]:
            return
        items = self._changes(terms, price.index_e8)
        for start in range(0, len(items), MAX_ITEMS):
            self._take(terms, await client.ask("batch", items=items[start : start + MAX_ITEMS]))

    def _changes(self, terms: Terms, index_e8: int) -> list[Json]:
        index_ticks = index_e8 // terms.tick_e8
        step = ladder.nice_step(index_ticks, STEPS_PPM.get(terms.symbol, STEP_PPM))
        grid = ladder.Grid(step, step * self._offset[0] // self._offset[1])
        fullness_ppm = self._fullness_ppm(terms, index_e8)
        centre = index_ticks - step * SKEW_STEPS * fullness_ppm // PPM
        anchor = grid.anchor(centre, self._anchors.get(terms.symbol))
        self._anchors[terms.symbol] = anchor
        rising = centre >= self._centres.get(terms.symbol, centre)
        self._centres[terms.symbol] = centre
        wanted = ladder.wanted(terms=terms, grid=grid, anchor=anchor, levels=LEVELS, level_usd=LEVEL_USD, sides=_sides(fullness_ppm))
        return ladder.changes(terms=terms, resting=self.account.resting(terms.symbol), ladder=wanted, rising=rising)

    def _fullness_ppm(self, terms: Terms, index_e8: int) -> int:
        """Return the position as a part of the largest one: positive when long, at most all of it."""
        value_usd = self.account.position_lots.get(terms.symbol, 0) * terms.lot_e8 * index_e8 // (E8 * E8)
        return max(-PPM, min(PPM, value_usd * PPM // MAX_POSITION_USD))

    def _take(self, terms: Terms, answer: Json) -> None:
        """Take what a batch answered. After a refusal of all of it the market is left alone for a while."""
        if not answer["ok"]:
            log.info("batch_refused", market=terms.symbol, code=answer["error"]["code"])
            self._pauses[terms.symbol] = REFUSED_CYCLES
            return
        for result in answer["results"]:
            if result["ok"]:
                self.account.take_order(result["order"])
            else:
                log.debug("item_refused", market=terms.symbol, code=result["error"]["code"])


def _sides(fullness_ppm: int) -> tuple[Side, ...]:
    """A full position is not added to."""
    if fullness_ppm >= PPM:
        return ("sell",)
    return ("buy",) if fullness_ppm <= -PPM else ("buy", "sell")
