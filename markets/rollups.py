"""Makes candles from the tape in SQL, larger ones from smaller ones, and compares them with those that the projector keeps.

The projector extends candles as fills are journalled; here the same rows come out of the trades at once. `rebuild` replaces them,
`mismatches` proves that there was no need to.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString, NamedTuple

from django.db import connection

INTERVALS: tuple[LiteralString, ...] = ("1m", "5m", "15m", "1h", "4h", "1d", "1w")
LENGTHS: dict[str, LiteralString] = {
    "1m": "1 minute", "5m": "5 minutes", "15m": "15 minutes", "1h": "1 hour", "4h": "4 hours", "1d": "1 day", "1w": "7 days",
}  # fmt: skip
ORIGIN: LiteralString = "timestamptz '2001-01-01 00:00:00+00'"  # a Monday
WEEK = timedelta(days=7)

COLUMNS: dict[str, LiteralString] = {
    "markets_candle": "market_id, interval, opened_at, open_ticks, high_ticks, low_ticks, close_ticks, volume_lots, volume_quote_atoms, "
    "trades",
    "markets_markcandle": "market_id, interval, opened_at, open_ticks, high_ticks, low_ticks, close_ticks, open_interest_lots, sampled_at",
}
# First and last by the smallest and largest pair: no sorting of ten million rows.
FROM_TRADES: LiteralString = """
    select t.market_id, '1m' as interval, date_bin('1 minute', t.executed_at, {origin}) as opened_at,
           (min(array[t.id, t.price_ticks]))[2] as open_ticks, max(t.price_ticks) as high_ticks, min(t.price_ticks) as low_ticks,
           (max(array[t.id, t.price_ticks]))[2] as close_ticks, sum(t.size_lots)::bigint as volume_lots,
           sum(t.price_ticks * t.size_lots * (m.tick_e8 * m.lot_e8 / 10000000000))::bigint as volume_quote_atoms,
           count(*)::int as trades
    from markets_trade t join markets_market m on m.id = t.market_id
    where t.executed_at >= %(since)s and t.executed_at < %(until)s
    group by 1, 3
"""
OHLC: LiteralString = """
    select market_id, '{name}' as interval, date_bin('{length}', opened_at, {origin}) as opened_at,
           (min(array[extract(epoch from opened_at)::bigint, open_ticks]))[2] as open_ticks,
           max(high_ticks) as high_ticks, min(low_ticks) as low_ticks,
           (max(array[extract(epoch from opened_at)::bigint, close_ticks]))[2] as close_ticks,
"""
SUMS: dict[str, LiteralString] = {
    "markets_candle": """
           sum(volume_lots)::bigint as volume_lots, sum(volume_quote_atoms)::bigint as volume_quote_atoms, sum(trades)::int as trades
    from markets_candle""",
    "markets_markcandle": """
           (max(array[extract(epoch from opened_at)::bigint, open_interest_lots]))[2] as open_interest_lots,
           max(sampled_at) as sampled_at
    from markets_markcandle""",
}
FROM_SMALLER: LiteralString = """
    where interval = '{smaller}' and opened_at >= %(since)s and opened_at < %(until)s
    group by 1, 3
"""
DIFFER: LiteralString = """
select market_id, interval, opened_at from (
    (select {columns} from {table} where interval = '{name}' and opened_at >= %(since)s and opened_at < %(until)s
     except all select {columns} from ({expected}) expected)
    union all
    (select {columns} from ({expected}) expected
     except all select {columns} from {table} where interval = '{name}' and opened_at >= %(since)s and opened_at < %(until)s)
) differing
group by 1, 2, 3 order by 1, 3
"""


class Mismatch(NamedTuple):
    """A stored candle that differs from what it is made of, or is missing, or should not be there."""

    market_id: int
    interval: str
    opened_at: datetime


def rebuild(*, since: datetime, until: datetime) -> int:
    """Replace the candles of the whole weeks that hold these times by those that the trades give; return how many there are.

    Nobody may write trades or candles meanwhile: the caller sees to it.
    """
    values = {"since": week_of(since), "until": week_of(until) + WEEK}
    made = 0
    with connection.cursor() as cursor:
        cursor.execute("delete from markets_candle where opened_at >= %(since)s and opened_at < %(until)s", values)
        for name in INTERVALS:
            cursor.execute(f"insert into markets_candle ({COLUMNS['markets_candle']}) {_expected('markets_candle', name)}", values)
            made += cursor.rowcount
    return made


def mismatches(*, now: datetime, days: int = 1) -> list[Mismatch]:
    """Compare the candles of the last whole days and of today so far: minutes with their trades, larger ones with smaller ones.

    Each interval is compared in one statement, so that no transaction of the projector comes between the two sides.
    """
    since = _midnight(now) - timedelta(days=days)
    found: list[Mismatch] = []
    for table, name in _compared():
        window = {"since": week_of(since) if name == "1w" else since, "until": week_of(now) + WEEK}
        statement = DIFFER.format(columns=COLUMNS[table], table=table, name=name, expected=_expected(table, name))
        found += [Mismatch(*row) for row in _rows(statement, window)]
    return found


def week_of(moment: datetime) -> datetime:
    """Return the Monday, in UTC, of a time's week."""
    midnight = _midnight(moment)
    return midnight - timedelta(days=midnight.weekday())


def _compared() -> list[tuple[str, LiteralString]]:
    """Return what has something smaller to be compared with: samples of marks are kept nowhere else."""
    return [(table, name) for table in COLUMNS for name in INTERVALS if table == "markets_candle" or name != "1m"]


def _expected(table: str, name: LiteralString) -> LiteralString:
    """Return the select that makes an interval's candles."""
    if name == "1m":
        return FROM_TRADES.format(origin=ORIGIN)
    smaller = INTERVALS[INTERVALS.index(name) - 1]
    return (OHLC + SUMS[table] + FROM_SMALLER).format(name=name, length=LENGTHS[name], origin=ORIGIN, smaller=smaller)


def _rows(statement: LiteralString, values: dict[str, datetime]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _midnight(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
