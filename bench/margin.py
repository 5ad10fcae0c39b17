"""What margin costs an order: the engine against itself with every margin function left out, and both against the bare book.

The first says what margin alone costs: the same commands through the same validation, matching, settling and events, in a copy of
the tree whose `trading.engine.margin` answers yes and nothing. The others say what an exchange costs beside matching (decision 0019).
"""

import ast
import pickle
import shutil
import tempfile
from pathlib import Path

from bench.peers.__main__ import PEERS, ROOT, Worker
from bench.peers.compiled import compiled_tree
from bench.rounds import Ratio, interleave
from bench.workload import operations
from tools.compile import build, copy_sources

COUNT = 50_000
ROUNDS = 5
AIM = 1 / 4
ANSWERS = {"bool": "return True", "int": "return 0", "None": "return None"}


def blanked(source: str) -> str:
    """Let each function of a module answer at once, whatever it is asked: yes, 0 or nothing."""
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.returns is not None and ast.unparse(node.returns) in ANSWERS:
            node.body = ast.parse(ANSWERS[ast.unparse(node.returns)]).body
    return ast.unparse(tree)


def tree_without_margin(*, compiled: bool) -> Path:
    target = PEERS / f"without-margin-{'compiled' if compiled else 'plain'}"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    copy_sources(target)
    margin = target / "trading" / "engine" / "margin.py"
    margin.write_text(blanked(margin.read_text()))
    if compiled:
        build(target)
    return target


def order_with_margin() -> list[Ratio]:
    warm_up, timed, _ = operations(count=COUNT)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "operations.pickle"
        made.write_bytes(pickle.dumps(([tuple(each) for each in warm_up], [tuple(each) for each in timed])))
        trees = {"plain": (ROOT, tree_without_margin(compiled=False)), "compiled": (compiled_tree(), tree_without_margin(compiled=True))}
        workers: dict[str, Worker] = {}
        for form, (whole, without) in trees.items():
            workers[f"book {form}"] = Worker("quantdesk", operations=made, count=COUNT, path=whole)
            workers[f"margined {form}"] = Worker("quantdesk-engine", operations=made, count=COUNT, path=whole)
            workers[f"unmargined {form}"] = Worker("quantdesk-engine", operations=made, count=COUNT, path=without)
        measured = interleave({name: worker.run for name, worker in workers.items()}, rounds=ROUNDS, title="margin")
        for worker in workers.values():
            worker.close()
    # The bare book knows no self-trades, and ends one or two orders apart.
    ends = {tuple(sorted(worker.ended.items())) for name, worker in workers.items() if not name.startswith("book")}
    assert len(ends) == 1, f"they ended in different books: {ends}"
    return [each for form in trees for each in ratios(measured, form)]


def ratios(measured: dict[str, list[float]], form: str) -> list[Ratio]:
    """Margin alone must cost less than three more orders; what the rest of an exchange costs beside matching is shown next to it."""
    book, margined, unmargined = (measured[f"{name} {form}"] for name in ("book", "margined", "unmargined"))
    return [
        Ratio(f"order with margin / same path on the book only, {form}", margined, unmargined, floor=AIM),
        Ratio(f"same path on the book only / bare book, {form}", unmargined, book),
        Ratio(f"order with margin / bare book, {form}", margined, book, aim=AIM),
    ]
