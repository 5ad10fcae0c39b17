"""Writes a run's changes and its watermark in one transaction."""

from typing import Any, LiteralString

import msgspec
import psycopg
from psycopg.types.json import Jsonb

from markets.models import Candle, MarkCandle
from trading.projector import statements
from trading.projector.fold import Fold, order_line
from trading.projector.text import array, time_text

HOUR_MS = 3_600_000
RETENTION_MS = 72 * HOUR_MS  # of cancelled orders without a fill, in the journal's time

Connection = psycopg.Connection[Any]


def write(connection: Connection, fold: Fold, *, after_seq: int, after_stamp_ms: int) -> bool:
    """Make the tables current up to the fold's last row; False, and nothing written, unless they were so up to `after_seq`."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(statements.ADVANCE, [fold.seq, fold.stamp_ms, after_seq])
        if cursor.rowcount != 1:
            return False
        _write_markets(cursor, fold)
        _write_orders(cursor, fold)
        for name, target in statements.COPIES.items():
            _copy(cursor, target, getattr(fold, name))
        _write_positions(cursor, fold)
        _write_balances(cursor, fold)
        _write_candles(cursor, fold)
        _write_mark_candles(cursor, fold)
        _write_liquidations(cursor, fold)
        _forget_orders(cursor, after_stamp_ms, fold.stamp_ms)
    return True


def _copy(cursor: psycopg.Cursor[Any], target: LiteralString, lines: list[str]) -> None:
    if lines:
        with cursor.copy(f"copy {target} from stdin") as copy:
            copy.write("".join(lines))


def _set(cursor: psycopg.Cursor[Any], statement: LiteralString, rows: list[tuple[Any, ...]]) -> None:
    """Run a statement on a set of rows, handed over column by column."""
    if rows:
        cursor.execute(statement, [array(column) for column in zip(*rows, strict=True)], prepare=True)


def _write_orders(cursor: psycopg.Cursor[Any], fold: Fold) -> None:
    new: list[str] = []
    changed: list[tuple[Any, ...]] = []
    for order_id, order in fold.orders.items():
        if order.accepted is not None:
            new.append(order_line(order_id, order))
        else:
            changed.append(
                (
                    order_id, order.filled_lots, order.filled_quote_atoms, order.fee_atoms, order.price_ticks, order.size_lots,
                    order.trigger_ticks, order.status, order.reason, order.updated,
                )
            )  # fmt: skip
    _copy(cursor, statements.COPY_ORDERS, new)
    _set(cursor, statements.CHANGE_ORDERS, changed)


def _write_positions(cursor: psycopg.Cursor[Any], fold: Fold) -> None:
    opened: list[tuple[Any, ...]] = []
    changed: list[tuple[Any, ...]] = []
    closed: list[tuple[Any, ...]] = []
    for (account_id, market_id), position in fold.positions.items():
        size, cost = position.size_lots, position.cost_atoms
        sums = (position.realised_atoms, position.funding_atoms)
        if size == 0:
            closed.append((account_id, market_id))
        elif position.opened is None:
            changed.append((account_id, market_id, size, cost, *sums, position.updated))
        else:
            opened.append((account_id, market_id, size, cost, *sums, position.opened, position.updated))
    _set(cursor, statements.CLOSE_POSITIONS, closed)
    _set(cursor, statements.CHANGE_POSITIONS, changed)
    _set(cursor, statements.OPEN_POSITIONS, opened)


def _write_balances(cursor: psycopg.Cursor[Any], fold: Fold) -> None:
    rows = [(account_id, asset, delta) for asset, deltas in fold.balances.items() for account_id, delta in deltas.items()]
    _set(cursor, statements.CHANGE_BALANCES, rows)


def _write_candles(cursor: psycopg.Cursor[Any], fold: Fold) -> None:
    rows = [
        (
            market_id, interval, time_text(candle.opened_ms), candle.open_ticks, candle.high_ticks, candle.low_ticks,
            candle.close_ticks, candle.volume_lots, candle.volume_quote_atoms, candle.trades,
        )
        for market_id, interval, candle in fold.candles(Candle.INTERVALS_MS)
    ]  # fmt: skip
    _set(cursor, statements.EXTEND_CANDLES, rows)


def _write_mark_candles(cursor: psycopg.Cursor[Any], fold: Fold) -> None:
    rows = [
        (
            market_id, interval, time_text(candle.opened_ms), candle.open_ticks, candle.high_ticks, candle.low_ticks,
            candle.close_ticks, candle.open_interest_lots, time_text(candle.sampled_ms),
        )
        for market_id, interval, candle in fold.mark_candles(MarkCandle.INTERVALS_MS)
    ]  # fmt: skip
    _set(cursor, statements.EXTEND_MARK_CANDLES, rows)


def _write_markets(cursor: psycopg.Cursor[Any], fold: Fold) -> None:
    for market_id, change in fold.markets.items():
        if change.parameters:
            known = change.parameters
            parameters = Jsonb(msgspec.to_builtins(known))
            values = [market_id, known.symbol, known.base_asset, known.tick_e8, known.lot_e8, parameters]
            cursor.execute(statements.DEFINE_MARKET, values)
        if change.status:
            cursor.execute(statements.CHANGE_STATUS, [change.status, change.status_reason, market_id])
    rows = [
        (
            market_id, change.mark_ticks, change.index_e8, change.oracle_state, change.predicted_funding_ppb, change.last_ticks,
            change.open_interest_lots, change.updated,
        )
        for market_id, change in fold.markets.items()
    ]  # fmt: skip
    _set(cursor, statements.CHANGE_MARKETS, rows)


def _write_liquidations(cursor: psycopg.Cursor[Any], fold: Fold) -> None:
    for liquidation_id, change in fold.liquidations.items():
        if change.started:
            begun = [
                liquidation_id,
                change.account_id,
                change.equity_atoms,
                change.maintenance_atoms,
                change.started,
                change.pool_market_id,
            ]
            cursor.execute(statements.START_LIQUIDATION, begun)
        if change.ended:
            steps = [
                change.closed_quote_atoms,
                change.fee_atoms,
                change.insurance_paid_atoms,
                Jsonb(change.taken_over),
                Jsonb(change.deleveraged),
                change.steps,
            ]
            cursor.execute(statements.CHANGE_LIQUIDATION, [*steps, change.equity_after_atoms, change.ended, liquidation_id])


def _forget_orders(cursor: psycopg.Cursor[Any], before_ms: int, now_ms: int) -> None:
    """Once for each full hour that the journal passes, drop what was cancelled unfilled three days before that hour."""
    forgotten_ms, limit_ms = _retained_from(before_ms), _retained_from(now_ms)
    if limit_ms > forgotten_ms:
        cursor.execute(statements.FORGET_ORDERS, [time_text(forgotten_ms), time_text(limit_ms)])


def _retained_from(stamp_ms: int) -> int:
    return max(0, stamp_ms - stamp_ms % HOUR_MS - RETENTION_MS)
