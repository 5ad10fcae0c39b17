"""What can be measured, by name. Each needs a process of its own: Django is set up once in one, and servers differ."""

import json
import os
import pickle
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from bench.peers.compiled import compiled_tree
from bench.rounds import Figure, Ratio, interleave
from bench.workload import operations

ENGINE_OPERATIONS = 50_000
ENGINE_ROUNDS = 5

ROOT = Path(__file__).resolve().parent.parent

Findings = tuple[list[Ratio], list[Figure]]


def engine() -> Findings:
    """The engine with margin against its own bare book, on the same operations; both plain and compiled."""
    from bench.peers.__main__ import Worker

    warm_up, timed, _ = operations(count=ENGINE_OPERATIONS)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "operations.pickle"
        made.write_bytes(pickle.dumps(([tuple(each) for each in warm_up], [tuple(each) for each in timed])))
        tree = compiled_tree()
        workers = {
            (name, form): Worker(name, operations=made, count=ENGINE_OPERATIONS, path=path)
            for name in ("quantdesk", "quantdesk-engine")
            for form, path in (("plain", ROOT), ("compiled", tree))
        }
        subjects = {f"{name} {form}": worker.run for (name, form), worker in workers.items()}
        measured = interleave(subjects, rounds=ENGINE_ROUNDS, title="engine and book")
        for worker in workers.values():
            worker.close()
    engine, compiled = measured["quantdesk-engine plain"], measured["quantdesk-engine compiled"]
    return [
        Ratio("engine with margin / bare book, plain", engine, measured["quantdesk plain"]),
        Ratio("engine with margin / bare book, compiled", compiled, measured["quantdesk compiled"]),
        Ratio("engine with margin, compiled / plain", compiled, engine, floor=2.0),
    ], []


def margin() -> Findings:
    from bench.margin import order_with_margin

    return order_with_margin(), []


def sweep() -> Findings:
    """In a process of its own for each form: the engine that is imported first stays."""
    found: list[Ratio] = []
    for form, tree in (("plain", ROOT), ("compiled", compiled_tree())):
        command = [sys.executable, "-m", "bench.sweep"]
        done = subprocess.run(command, cwd=tree, env=os.environ | {"PYTHONPATH": str(tree)}, check=True, capture_output=True, text=True)
        for weather, measured in json.loads(done.stdout).items():
            name = f"mark update over 100,000 accounts / numpy scan, {weather}, {form}"
            found.append(Ratio(name, measured["ours"], measured["numpy"], floor=1 / 3))
    return found, []


def stress() -> Findings:
    from bench.stress import stress_grid

    return stress_grid(), []


def durable() -> Findings:
    from bench.stack import Stack

    with Stack(tree=compiled_tree()) as stack:
        from bench.durable import latency, throughput

        return throughput(stack), latency(stack)


def front() -> Findings:
    from bench.stack import Stack

    with Stack(tree=compiled_tree()) as stack:
        from bench.front import front_doors

        return front_doors(stack), []


def fanout() -> Findings:
    from bench.stack import Stack

    with Stack(tree=compiled_tree()) as stack:
        from bench.fanout import fan_out

        return fan_out(stack), []


def rest() -> Findings:
    from bench.rest import at_rest

    return [], at_rest()


def market_data() -> Findings:
    from bench.stack import Stack

    with Stack(tree=compiled_tree()) as stack:
        from bench.market_data import candle_query, observations

        ratios, figures = candle_query(stack)
        return [*ratios, *observations(stack)], figures


def settlement() -> Findings:
    from bench.stack import Stack

    with Stack() as stack:
        from bench.settlement import settle

        return settle(stack)


MEASUREMENTS: dict[str, Callable[[], Findings]] = {
    "engine": engine,
    "margin": margin,
    "sweep": sweep,
    "stress": stress,
    "durable": durable,
    "front": front,
    "fanout": fanout,
    "rest": rest,
    "market_data": market_data,
    "settlement": settlement,
}


def measure(name: str) -> Findings:
    """Measure in this process. What goes wrong is handed on as text: the parent knows no classes of ours."""
    try:
        return MEASUREMENTS[name]()
    except Exception as error:
        raise RuntimeError("".join(traceback.format_exception(error))) from None
