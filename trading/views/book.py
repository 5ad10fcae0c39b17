"""The order book's and the tape's first paint; scripts recycle the same rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate

from markets import figures
from markets.models import Trade
from markets.parameters import MarketParameters
from markets.stamps import ms
from markets.views import BookView, MarketView

ROWS = 25
DEPTH_STEPS = 20
TAPE_ROWS = 50
GROUPS = (1, 10, 100)
BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class LevelRow:
    """One price level. `depth` is its running total in twentieths of the larger side's."""

    ticks: int
    price: str
    size: str
    total: str
    depth: int
    own: bool


@dataclass(frozen=True, slots=True)
class TradeRow:
    direction: str
    price: str
    size: str
    time_ms: int
    time: str


@dataclass(frozen=True, slots=True)
class Group:
    ticks: int
    text: str


NO_LEVEL = LevelRow(ticks=0, price="", size="", total="", depth=0, own=False)


def book_rows(book: BookView | None, market: MarketParameters, *, own_ticks: frozenset[int]) -> tuple[list[LevelRow], list[LevelRow]]:
    """Return asks in display order, worst first, and bids best first; always ROWS of each."""
    asks = book.asks[:ROWS] if book else ()
    bids = book.bids[:ROWS] if book else ()
    largest = max(sum(lots for _, lots in asks), sum(lots for _, lots in bids), 1)
    ask_rows = _level_rows(asks, market, largest=largest, own_ticks=own_ticks)
    return ask_rows[::-1], _level_rows(bids, market, largest=largest, own_ticks=own_ticks)


def spread_text(view: MarketView) -> str:
    if not view.best_bid_ticks or not view.best_ask_ticks:
        return "No spread"
    spread = view.best_ask_ticks - view.best_bid_ticks
    middle = Decimal(view.best_ask_ticks + view.best_bid_ticks) / 2
    return f"Spread {figures.price(spread, view.parameters)} · {spread * BASIS_POINTS / middle:.2f} bp"


def groups(market: MarketParameters) -> list[Group]:
    """Return the price steps by which the book can be grouped."""
    return [Group(ticks=ticks, text=f"{Decimal(market.tick_e8 * ticks).scaleb(-8).normalize():f}") for ticks in GROUPS]


def trade_rows(market: MarketParameters) -> list[TradeRow]:
    """Return the newest trades first."""
    trades = Trade.objects.filter(market_id=market.market_id).order_by("-id")[:TAPE_ROWS]
    return [
        TradeRow(
            direction="up" if trade.taker_side == "buy" else "down",
            price=figures.price(trade.price_ticks, market),
            size=figures.size(trade.size_lots, market),
            time_ms=ms(trade.executed_at),
            time=trade.executed_at.strftime("%H:%M:%S"),
        )
        for trade in trades
    ]


def _level_rows(levels: Sequence[tuple[int, int]], market: MarketParameters, *, largest: int, own_ticks: frozenset[int]) -> list[LevelRow]:
    totals = accumulate(lots for _, lots in levels)
    rows = [
        LevelRow(
            ticks=ticks,
            price=figures.price(ticks, market),
            size=figures.size(lots, market),
            total=figures.size(total, market),
            depth=-(-total * DEPTH_STEPS // largest),
            own=ticks in own_ticks,
        )
        for (ticks, lots), total in zip(levels, totals, strict=True)
    ]
    return rows + [NO_LEVEL] * (ROWS - len(rows))
