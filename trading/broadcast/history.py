"""What traded before the engine started, for tickers, candles and tape: from the tables, and from the journal where they end."""

from collections.abc import Iterable
from datetime import timedelta
from typing import cast

import msgspec
from django.db import connection, transaction

from markets import models
from markets.candles import Candle
from markets.commands import Side
from markets.events import FillKind
from markets.parameters import MarketStatus
from markets.stamps import at, ms
from markets.views import MarketView
from trading import journal
from trading.broadcast.book import BookChanges
from trading.broadcast.broadcaster import Broadcaster
from trading.broadcast.day import DAY_MS
from trading.broadcast.market import History
from trading.broadcast.tape import TAPE_LENGTH
from trading.engine.state import State
from trading.models import Projection

ROWS_AT_ONCE = 500


class StoredMatch(msgspec.Struct, frozen=True):
    """A line of the tape as the tables keep it."""

    trade_id: int
    price_ticks: int
    size_lots: int
    taker_side: Side
    kind: FillKind


def restored(*, state: State, markets: list[MarketView], seq: int) -> Broadcaster:
    """Return a broadcaster that goes on from the engine's state as of journal row `seq`."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read, read only")
        projected = Projection.objects.filter(id=1).values_list("seq", flat=True).first() or 0
        histories = {market_id: _stored(market_id, state.stamp_ms) for market_id in state.markets}
    broadcaster = Broadcaster(
        markets=markets,
        levels={market_id: _levels(state, market_id) for market_id in state.markets},
        histories=histories,
        intervals_ms=models.Candle.INTERVALS_MS,
        seq=seq,
        stamp_ms=state.stamp_ms,
        statuses=_statuses(state),
    )
    broadcaster.recall((row.seq, row.stamp_ms, row.events) for row in _rows(projected, seq))
    return broadcaster


def _stored(market_id: int, stamp_ms: int) -> History:
    candles = models.Candle.objects.filter(market_id=market_id)
    trades = list(models.Trade.objects.filter(market_id=market_id).order_by("-id")[:TAPE_LENGTH])
    latest = {name: candles.filter(interval=name).order_by("-opened_at").first() for name in models.Candle.INTERVALS_MS}
    marks = models.MarkCandle.objects.filter(market_id=market_id)
    latest_marks = {name: marks.filter(interval=name).order_by("-opened_at").first() for name in models.MarkCandle.INTERVALS_MS}
    sampled = latest_marks["1m"]
    minutes = candles.filter(interval="1m", opened_at__gt=at(stamp_ms) - timedelta(milliseconds=DAY_MS)).order_by("opened_at")
    return History(
        minutes=[_candle(candle) for candle in minutes],
        current={name: _candle(candle) for name, candle in latest.items() if candle},
        current_marks={name: _mark_candle(candle) for name, candle in latest_marks.items() if candle},
        sampled_ms=ms(sampled.sampled_at) if sampled else 0,
        matches=[
            (StoredMatch(t.id, t.price_ticks, t.size_lots, cast(Side, t.taker_side), cast(FillKind, t.kind)), ms(t.executed_at))
            for t in reversed(trades)
        ],
    )


def _candle(row: models.Candle) -> Candle:
    return Candle(
        opened_ms=ms(row.opened_at),
        open_ticks=row.open_ticks,
        high_ticks=row.high_ticks,
        low_ticks=row.low_ticks,
        close_ticks=row.close_ticks,
        volume_lots=row.volume_lots,
        volume_quote_atoms=row.volume_quote_atoms,
        trades=row.trades,
    )


def _mark_candle(row: models.MarkCandle) -> Candle:
    return Candle(
        opened_ms=ms(row.opened_at),
        open_ticks=row.open_ticks,
        high_ticks=row.high_ticks,
        low_ticks=row.low_ticks,
        close_ticks=row.close_ticks,
        volume_lots=0,
        volume_quote_atoms=0,
        trades=0,
    )


def _rows(after_seq: int, until_seq: int) -> Iterable[journal.Row]:
    while after_seq < until_seq:
        rows = journal.read(after_seq, min(ROWS_AT_ONCE, until_seq - after_seq))
        yield from rows
        after_seq = rows[-1].seq


def _statuses(state: State) -> dict[int, MarketStatus]:
    return {0: state.status} | {market_id: market.status for market_id, market in state.markets.items()}


def _levels(state: State, market_id: int) -> BookChanges:
    book = state.markets[market_id].book
    bids: dict[tuple[Side, int], int] = {("buy", key): level.size_lots for key, level in book.bids.levels.items()}
    asks: dict[tuple[Side, int], int] = {("sell", -key): level.size_lots for key, level in book.asks.levels.items()}
    return bids | asks
