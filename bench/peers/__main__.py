"""Compare our book with others on the same operations; each must end in the same book. Run by `make bench-peers`.

Every peer has an environment of its own under .peers/, with the Python that it needs.
"""

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench.peers.compiled import compiled_tree
from bench.rounds import Ratio, console, interleave, report
from bench.workload import operations

ROOT = Path(__file__).resolve().parent.parent.parent
PEERS = ROOT / ".peers"
WORKER = Path(__file__).with_name("worker.py")
COUNT = 200_000
ROUNDS = 7


class Worker:
    """One engine in its own process, told when to run; an interpreter and a path say which."""

    def __init__(self, engine: str, *, operations: Path, count: int, python: str | Path = sys.executable, path: Path | None = None) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | (
            {"PYTHONPATH": str(path)} if path else {}
        )
        command: list[str | Path] = [python, WORKER, engine, operations]
        self.count = count
        self.process = subprocess.Popen(
            command, cwd=operations.parent, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.ended: dict[str, int | None] = {}

    def run(self) -> float:
        """Return operations per second."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print("go", file=self.process.stdin, flush=True)
        answer = json.loads(self.process.stdout.readline())
        seconds: float = answer.pop("seconds")
        self.ended = answer
        return self.count / seconds

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def environment(name: str, requirement: str, python: str) -> Path:
    """Make a peer's environment once and return its interpreter."""
    interpreter = PEERS / name / "bin" / "python"
    if not interpreter.exists():
        console.print(f"Installing {requirement}")
        subprocess.run([python, "-m", "venv", PEERS / name], check=True)
        subprocess.run([interpreter, "-m", "pip", "install", "--quiet", requirement], check=True)
    return interpreter


def newer_python() -> str:
    """Find a Python of at least 3.12, which matching-engine needs."""
    named = [f"python3.{minor}" for minor in (12, 13, 14)]
    installed = [*filter(None, map(shutil.which, named)), *map(str, sorted(Path.home().glob(".pyenv/versions/3.1[2-9]*/bin/python")))]
    for candidate in installed:
        check = [candidate, "-c", "import sys; sys.exit(sys.version_info < (3, 12))"]
        if subprocess.run(check, check=False, capture_output=True).returncode == 0:
            return candidate
    sys.exit("matching-engine needs Python 3.12 or newer, and none was found on the PATH or under pyenv.")


def main() -> None:
    PEERS.mkdir(exist_ok=True)
    warm_up, timed, book = operations(count=COUNT)
    (PEERS / "operations.pickle").write_bytes(pickle.dumps(([tuple(each) for each in warm_up], [tuple(each) for each in timed])))
    expected = {"fills": book.fills, "live": len(book.live), "size": book.live_size()}
    made = PEERS / "operations.pickle"
    peers = {
        "plain": Worker("quantdesk", operations=made, count=COUNT, path=ROOT),
        "compiled": Worker("quantdesk", operations=made, count=COUNT, path=compiled_tree()),
        "limit-order-book": Worker(
            "limit-order-book", operations=made, count=COUNT, python=environment("lob", "limit-order-book==2.0.0", sys.executable)
        ),
        "matching-engine": Worker(
            "matching-engine", operations=made, count=COUNT, python=environment("me", "matching-engine==0.1.1", newer_python())
        ),
    }
    subjects: dict[str, Callable[[], float]] = {name: peer.run for name, peer in peers.items()}
    measured = interleave(subjects, rounds=ROUNDS, title="order books")
    for name, peer in peers.items():
        peer.close()
        if any(value is not None and value != expected[key] for key, value in peer.ended.items()):
            sys.exit(f"{name} ended in another book: {peer.ended} instead of {expected}")
    met = report(
        [
            Ratio("compiled book / limit-order-book 2.0.0 (C++)", measured["compiled"], measured["limit-order-book"], floor=1.5),
            Ratio("compiled book / matching-engine 0.1.1", measured["compiled"], measured["matching-engine"], floor=5),
            Ratio("plain book / matching-engine 0.1.1", measured["plain"], measured["matching-engine"], floor=2.5),
        ]
    )
    sys.exit(not met)


if __name__ == "__main__":
    main()
