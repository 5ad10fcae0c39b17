"""A page of candles over ten million fills against the same rows by bare SQL; prices of a hundred markets against one commit."""

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
import psycopg
import uvloop

from bench.rounds import Figure, Ratio, interleave
from bench.stack import Stack
from markets.stamps import ms

FILLS = int(os.environ.get("BENCH_FILLS", "10000000"))
BARS = 1_500
QUERIES = 20
ROUNDS = 7
DAYS = 30
CHUNK = 100_000
FIRST = datetime(2026, 10, 5, tzinfo=UTC)  # a Monday
MARKET_ID = 1

MARKETS = 100
TICKS = 150
COPY = "copy markets_trade (id, market_id, price_ticks, size_lots, taker_side, kind, executed_at) from stdin"
BARE = """
    select opened_at, open_ticks, high_ticks, low_ticks, close_ticks, volume_lots, volume_quote_atoms, trades from markets_candle
    where market_id = %s and interval = '1m' and opened_at >= %s and opened_at < %s order by opened_at
"""


def candle_query(stack: Stack) -> tuple[list[Ratio], list[Figure]]:
    """Load the tape, roll it up as the product does, and read the last page of its minutes."""
    from django.db import connection

    from markets import rollups
    from trading import partitions

    last = FIRST + timedelta(days=DAYS)
    partitions.ensure_days(FIRST.date(), last.date())
    stack.caught_up()
    load_seconds = _taken(lambda: _load(stack))
    roll_seconds = _taken(lambda: rollups.rebuild(since=FIRST, until=last - timedelta(days=1)))
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze markets_candle")
    measured = interleave({"ours": _ours(last), "bare": _bare(last)}, rounds=ROUNDS, title=f"{BARS:,} bars")
    name = f"{BARS:,} bars over {FILLS:,} fills, as JSON / bare SQL"
    return [Ratio(name, measured["ours"], measured["bare"], floor=1 / 3)], [
        Figure(f"COPY of {FILLS:,} fills", load_seconds, "s"),
        Figure(f"roll-up of {FILLS:,} fills into every interval", roll_seconds, "s"),
    ]


def observations(stack: Stack) -> list[Ratio]:
    """Publish a hundred prices at once and hear of the commit, while all tickers are watched; between any two, commit one row."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("create table bench_price (id bigint generated always as identity primary key, body bytea)")
        taken = uvloop.run(
            _observe(_open_markets(), lambda: connection.execute("insert into bench_price (body) values (%s)", (b"x" * 200,)))
        )
    ours, peer = ([1 / seconds for seconds in side] for side in zip(*taken, strict=True))
    return [Ratio(f"prices of {MARKETS} markets heard / one-row commit", ours, peer, floor=0.2)]


def _load(stack: Stack) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        for lines in _tape():
            with cursor.copy(COPY) as copy:
                copy.write(lines)


def _tape() -> Iterator[str]:
    """Yield lines of a random walk, evenly spread over the days."""
    random = Random(11)  # noqa: S311 - a workload, not a secret
    price, step = 600_000, timedelta(days=DAYS) / FILLS
    for first in range(0, FILLS, CHUNK):
        lines = []
        for number in range(first, min(FILLS, first + CHUNK)):
            price += random.getrandbits(3) - 3 if price > 300_000 else 4
            at = FIRST + number * step
            lines.append(f"{number}\t{MARKET_ID}\t{price}\t{1 + random.getrandbits(8)}\tbuy\ttrade\t{at}\n")
        yield "".join(lines)


def _ours(last: datetime) -> Callable[[], float]:
    from markets import series
    from markets.api import bodies
    from markets.selectors import market_by_id

    market, now_ms = market_by_id(MARKET_ID), ms(last) - 1

    def page() -> bytes:
        found = series.columns(series.Asked(market_id=MARKET_ID, kind="trade", interval="1m", limit=BARS, now_ms=now_ms))
        return msgspec.json.encode({"results": bodies.candles(found, market)})

    if len(msgspec.json.decode(page())["results"]) != BARS:
        raise AssertionError("the page is not full")
    return lambda: QUERIES / _taken(lambda: [page() for _ in range(QUERIES)])


def _bare(last: datetime) -> Callable[[], float]:
    connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    since = last - timedelta(minutes=BARS)

    def page() -> list[tuple[object, ...]]:
        return connection.execute(BARE, [MARKET_ID, since, last]).fetchall()

    if len(page()) != BARS:
        raise AssertionError("the page is not full")
    return lambda: QUERIES / _taken(lambda: [page() for _ in range(QUERIES)])


def _taken(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _open_markets() -> list[int]:
    """Create markets until there are a hundred; return their ids."""
    from markets.commands import CreateMarket
    from markets.gateway import gateway
    from markets.seed import MARKETS as SEEDED

    ids = [market.market_id for market in SEEDED]
    for market_id in range(max(ids) + 1, max(ids) + 1 + MARKETS - len(ids)):
        parameters = msgspec.structs.replace(SEEDED[0], market_id=market_id, symbol=f"B{market_id}-PERP", base_asset=f"B{market_id}")
        reply = gateway().submit(CreateMarket(parameters=parameters, author="bench"))
        if reply.reject is not None:
            raise AssertionError(reply.reject)
        ids.append(market_id)
    return ids


async def _observe(market_ids: list[int], commit: Callable[[], object]) -> list[tuple[float, float]]:
    """Return how many seconds each round of prices took from its submission until its commit was heard of, and a one-row commit."""
    import asyncio

    from markets.commands import Observation, ObservePrice
    from markets.gateway import async_gateway

    link = async_gateway()
    heard: dict[int, asyncio.Event] = {}
    latest = 0

    def listen(message: object) -> None:
        nonlocal latest
        if getattr(message, "topic", "") == "journal":
            latest = max(latest, message.seq)  # type: ignore[attr-defined]
            for seq in [seq for seq in heard if seq <= latest]:
                heard.pop(seq).set()

    link.listen(listen)
    await link.snapshot("journal")
    await link.snapshot("tickers")
    taken: list[tuple[float, float]] = []
    for number in range(TICKS):
        bare = _taken(commit)
        now_ms = time.time_ns() // 1_000_000
        prices = tuple(
            Observation(market_id, source, (60_000 + number % 7) * 10**8, 0, now_ms)
            for market_id in market_ids
            for source in ("simulation", "simulation_2")
        )
        began = time.perf_counter()
        reply = await link.submit(ObservePrice(observations=prices))
        if latest < reply.seq:
            await heard.setdefault(reply.seq, asyncio.Event()).wait()
        taken.append((time.perf_counter() - began, bare))
        await asyncio.sleep(0.02)
    await link.close()
    return taken
