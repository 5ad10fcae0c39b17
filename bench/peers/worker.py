"""Run one order book over the shared operations, once for each line on standard input. Needs only the engine that it measures.

    python worker.py ENGINE OPERATIONS_FILE

Every engine runs with garbage collection as its own server has it. Each answer is a line of JSON: seconds of processor time for the
timed operations, and where the book ended.
"""

import gc
import json
import pickle
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Ended = dict[str, int | None]
Prepared = tuple[Callable[[], None], Callable[[], Ended]]
Operations = list[tuple[str, int, int, bool, int, int]]


def limit_order_book(warm_up: Operations, timed: Operations) -> Prepared:
    """limit-order-book 2.0.0: C++ behind ctypes; it returns no fills, so none are counted."""
    from limit_order_book import LimitOrderBook  # type: ignore[import-not-found]

    book = LimitOrderBook()

    def run(operations: Operations) -> None:
        limit, cancel = book.limit, book.cancel
        for kind, order_id, _, buy, price, size in operations:
            if kind == "limit":
                limit(buy, order_id, size, price)
            else:
                cancel(order_id)

    run(warm_up)
    return lambda: run(timed), lambda: {"fills": None, "live": book.count(), "size": book.volume()}


def matching_engine(warm_up: Operations, timed: Operations) -> Prepared:
    """matching-engine 0.1.1: pure Python 3.12, typed events, self-trade prevention off as in the others."""
    from matching_engine.domain import CancelOrder, NewOrder, SelfTradePrevention, SequencedCommand, Side  # type: ignore[import-not-found]
    from matching_engine.engine import MatchingEngine  # type: ignore[import-not-found]
    from matching_engine.events import Trade  # type: ignore[import-not-found]

    engine, fills = MatchingEngine(), 0

    def run(operations: Operations) -> None:
        nonlocal fills
        process, at = engine.process, engine.last_seq
        for kind, order_id, account, buy, price, size in operations:
            at += 1
            if kind == "limit":
                command = NewOrder(order_id, account, Side.BUY if buy else Side.SELL, price, size, stp=SelfTradePrevention.NONE)
            else:
                command = CancelOrder(order_id, account)
            for event in process(SequencedCommand(at, 0, command)):
                if type(event) is Trade:
                    fills += 1

    def ended() -> Ended:
        entries = list(engine.book.entries())
        return {"fills": fills, "live": len(entries), "size": sum(entry.qty for entry in entries)}

    run(warm_up)
    return lambda: run(timed), ended


def quantdesk(warm_up: Operations, timed: Operations) -> Prepared:
    """Our book alone, plain or compiled: whichever the path leads to."""
    from bench.bare_book import BareBook

    book = BareBook()
    fills = 0

    def run(operations: Operations) -> None:
        nonlocal fills
        limit, cancel = book.limit, book.cancel
        for kind, order_id, _, buy, price, size in operations:
            if kind == "limit":
                fills += len(limit(order_id, buy, price, size))
            else:
                cancel(order_id)

    run(warm_up)
    return lambda: run(timed), lambda: {"fills": fills, "live": len(book.orders), "size": book.live_lots()}


def quantdesk_engine(warm_up: Operations, timed: Operations) -> Prepared:
    """Our whole engine: accounts, margin on both sides, fees, positions, events; a batch is 100 operations."""
    from bench.margined import Exchange

    rehearsal, exchange = Exchange(accounts=1_000), Exchange(accounts=1_000)
    exchange.run(rehearsal.commands(warm_up))
    commands = rehearsal.commands(timed)
    return lambda: exchange.run(commands), exchange.ended


ENGINES: dict[str, Callable[[Operations, Operations], Prepared]] = {
    "quantdesk": quantdesk,
    "quantdesk-engine": quantdesk_engine,
    "limit-order-book": limit_order_book,
    "matching-engine": matching_engine,
}


COLLECTOR_OFF = frozenset({"quantdesk", "quantdesk-engine"})  # as our engine's process runs; matching-engine's own server leaves it on


def serve(engine: Callable[[Operations, Operations], Prepared], warm_up: Operations, timed: Operations, *, collector_off: bool) -> None:
    for _ in sys.stdin:
        measured, ended = engine(warm_up, timed)
        gc.collect()
        if collector_off:
            gc.disable()
        began = time.process_time()
        measured()
        seconds = time.process_time() - began
        gc.enable()
        answer: dict[str, Any] = {"seconds": seconds} | ended()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    made = pickle.loads(Path(sys.argv[2]).read_bytes())  # noqa: S301 - written by bench.peers a moment ago
    serve(ENGINES[sys.argv[1]], *made, collector_off=sys.argv[1] in COLLECTOR_OFF)
