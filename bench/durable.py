"""Durable acknowledged orders through the gateway, every table current at the end, against COPY of the order row alone."""

import asyncio
import gc
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from random import Random
from statistics import quantiles

import psycopg
import uvloop

from bench.rounds import Figure, Ratio, interleave
from bench.stack import Stack, open_accounts
from markets.commands import MAX_BATCH, AnyCommand, PlaceBatch, PlaceOrder
from markets.gateway import async_gateway

ACCOUNTS = 100
MONEY_ATOMS = 10**15
ORDERS = 20_000
ROUNDS = 5
CENTRE_TICKS = 600_000


class Orders:
    """Small limit orders of many accounts around one price, about 0.4 fills each; the book stays shallow."""

    def __init__(self, account_ids: list[int]) -> None:
        self.account_ids = account_ids
        self.random = Random(7)  # noqa: S311 - a workload, not a secret

    def order(self, account_id: int) -> PlaceOrder:
        buy = self.random.random() < 0.5
        away = int(self.random.expovariate(1 / 8)) - 3
        return PlaceOrder(
            account_id=account_id,
            market_id=1,
            side="buy" if buy else "sell",
            type="limit",
            size_lots=self.random.randint(2, 40),
            price_ticks=CENTRE_TICKS + (-away if buy else away),
            time_in_force="gtc" if self.random.random() < 0.6 else "ioc",
        )

    def batch(self) -> PlaceBatch:
        account_id = self.random.choice(self.account_ids)
        return PlaceBatch(account_id=account_id, items=tuple(self.order(account_id) for _ in range(MAX_BATCH)))


def durable(stack: Stack, orders: Orders, at_once: int) -> Callable[[], float]:
    """Send groups of `at_once` orders, each as soon as the one before is acknowledged, and wait for the tables."""

    def measure() -> float:
        stack.observe()
        groups = [[orders.batch() for _ in range(at_once // MAX_BATCH)] for _ in range(ORDERS // at_once)]
        began = time.perf_counter()
        uvloop.run(send_groups(groups))
        stack.caught_up()
        return ORDERS / (time.perf_counter() - began)

    return measure


async def send_groups(groups: list[list[PlaceBatch]]) -> None:
    """Two groups are in flight: the engine works on one while the other is written."""

    async def lane(own: list[list[PlaceBatch]], submit: Callable[[AnyCommand], Awaitable[object]]) -> None:
        for group in own:
            await asyncio.gather(*map(submit, group))

    link = async_gateway()
    await asyncio.gather(lane(groups[::2], link.submit), lane(groups[1::2], link.submit))
    await link.close()


CREATE = """
create table if not exists bench_order (id bigint primary key, account_id bigint, market_id int, client_order_id text, side text, type text,
time_in_force text, price_ticks bigint, size_lots bigint, filled_lots bigint, status text, created_at timestamptz)
"""
COPY = "copy bench_order from stdin"


class Copy:
    """COPY of order rows made beforehand, one transaction a batch: the limit that PostgreSQL sets."""

    def __init__(self, at_once: int) -> None:
        self.connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
        self.connection.execute(CREATE)
        self.at_once = at_once

    def rows(self) -> list[bytes]:
        line = "{}\t1001\t1\tqd-{}\tbuy\tlimit\tgtc\t600000\t17\t0\topen\t2026-01-01 00:00:00+00\n"
        ids = range(ORDERS)
        return ["".join(line.format(i, i) for i in ids[at : at + self.at_once]).encode() for at in range(0, ORDERS, self.at_once)]

    def measure(self) -> float:
        self.connection.execute("truncate bench_order")
        rows = self.rows()
        began = time.perf_counter()
        with self.connection.cursor() as cursor:
            for chunk in rows:
                with cursor.copy(COPY) as copy:
                    copy.write(chunk)
        return ORDERS / (time.perf_counter() - began)


def throughput(stack: Stack) -> list[Ratio]:
    orders = Orders([account.id for account in open_accounts(ACCOUNTS, username="throughput", balance_atoms=MONEY_ATOMS)])
    ratios = []
    for at_once in (100, 1_000):
        subjects = {"ours": durable(stack, orders, at_once), "copy": Copy(at_once).measure}
        measured = interleave(subjects, rounds=ROUNDS, title=f"durable orders, batches of {at_once}")
        ratios.append(
            Ratio(f"durable orders, tables current / raw COPY, {at_once}", measured["ours"], measured["copy"], floor=0.15, aim=0.4)
        )
    return ratios


def one_row_commit_ms() -> float:
    """Return the median time of a one-row commit: what an acknowledgement cannot be faster than."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("create table if not exists bench_row (id bigint generated always as identity primary key, body bytea)")
        taken = []
        for _ in range(500):
            began = time.perf_counter()
            connection.execute("insert into bench_row (body) values (%s)", (b"x" * 200,))
            taken.append(time.perf_counter() - began)
    return sorted(taken)[len(taken) // 2] * 1000


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the load generator's own garbage collection, which walks every order it has sent, out of what it measures."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def open_loop(orders: Orders, rate: int, seconds: float) -> list[float]:
    """Send at Poisson times whatever the answers do; return each order's time from when it was due to its acknowledgement."""
    loop = asyncio.get_running_loop()
    link = async_gateway()
    await link.submit(orders.batch())
    taken: list[float] = []
    due, end = loop.time() + 0.1, loop.time() + 0.1 + seconds
    tasks: list[asyncio.Task[None]] = []

    async def send(due: float) -> None:
        await link.submit(orders.order(orders.random.choice(orders.account_ids)))
        taken.append((loop.time() - due) * 1000)

    while due < end:
        await asyncio.sleep(max(0.0, due - loop.time()))
        tasks.append(loop.create_task(send(due)))
        due += orders.random.expovariate(rate)
    await asyncio.gather(*tasks)
    await link.close()
    return taken


def latency(stack: Stack) -> list[Figure]:
    orders = Orders([account.id for account in open_accounts(ACCOUNTS, username="latency", balance_atoms=MONEY_ATOMS)])
    figures = [Figure("one-row commit, p50", one_row_commit_ms(), "ms")]
    for rate in (1_000, 5_000):
        stack.observe()
        with uncollected():
            cuts = quantiles(uvloop.run(open_loop(orders, rate, 8.0)), n=100)
        figures += [Figure(f"order to durable reply at {rate:,}/s, p{at}", cuts[at - 1], "ms") for at in (50, 99)]
    return figures
