"""Mutation testing of the pure maths that decides about money: small faults are put into it one by one, and a test must notice each.

    python tools/mutation.py    # about five minutes; fails below the floor, writes docs/mutation.md

Works in a copy, with the fast pure tests alone. A mutant that no test reaches counts as alive, one that never ends as noticed.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "mutation.md"
MODULES = ("margin", "funding", "mark", "liquidation", "deleveraging", "collateral", "stable")
TESTS = ("margin", "funding", "mark", "liquidation", "collateral", "stable", "crowding", "vectors", "edges")
COPIED = ("markets", "oracle", "risk", "tests/__init__.py", "tests/risk", "tests/vectors")
FLOOR_PERCENT = 85
# Without the project's conftest, which would set Django up: the same examples every time are all that is needed of it.
CONFTEST = """import hypothesis

slow = [hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile("steady", derandomize=True, deadline=None, suppress_health_check=slow)
hypothesis.settings.load_profile("steady")
"""


def present(folder: str, prefix: str, names: tuple[str, ...]) -> list[str]:
    paths = [f"{folder}/{prefix}{name}.py" for name in names]
    return [path for path in paths if (ROOT / path).exists()]


def settings() -> str:
    def listed(name: str, values: list[str]) -> str:
        return "\n".join([f"{name}=", *(f"    {value}" for value in values)])

    return "\n".join(
        [
            "[mutmut]",
            listed("source_paths", present("risk", "", MODULES)),
            listed("also_copy", ["markets", "oracle", "risk", "tests", "conftest.py"]),
            listed("pytest_add_cli_args_test_selection", present("tests/risk", "test_", TESTS)),
            listed("pytest_add_cli_args", ["-p", "no:cacheprovider"]),
            "",
        ]
    )


def copy_into(folder: Path) -> None:
    for name in COPIED:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.so", "__pycache__", "migrations", "management", "feeds"))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    (folder / "setup.cfg").write_text(settings())
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "conftest.py").write_text(CONFTEST)


def mutate(folder: Path) -> tuple[dict[str, int], list[str]]:
    """Run all mutants in the folder; return how many ended how, and the names of those that live."""
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    def mutmut(*arguments: str) -> str:
        command = [sys.executable, "-m", "mutmut", *arguments]
        done = subprocess.run(command, check=False, cwd=folder, env=environment, capture_output=True, text=True)
        if done.returncode:
            sys.exit((done.stdout + done.stderr)[-3_000:])
        return done.stdout

    mutmut("run")
    mutmut("export-cicd-stats")
    found: dict[str, int] = json.loads((folder / "mutants" / "mutmut-cicd-stats.json").read_text())
    named = [line.split(":") for line in mutmut("results").splitlines() if ":" in line]
    return found, sorted(name.strip() for name, outcome, *_ in named if outcome.strip() in {"survived", "no tests"})


def document(stats: dict[str, int], alive: list[str], percent: float) -> str:
    by_function: dict[str, int] = {}
    for name in alive:
        function = name.split("__mutmut")[0].replace(".x_", ".").replace(".xǁ", ".").replace("ǁ", ".")
        by_function[function] = by_function.get(function, 0) + 1
    rows = [f"| `{function}` | {count} |" for function, count in sorted(by_function.items())]
    return "\n".join(
        [
            "# Mutation testing of risk/",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}: **{percent:.1f} %** of {stats['total']} mutants were noticed; the floor is {FLOOR_PERCENT} %.",
            "`tools/mutation.py` makes this page (mutmut, the pure tests of `tests/risk`); `make nightly` runs it.",
            "",
            "Alive, by function. Many change nothing that can be seen (`>= 0` for `> 0` where zero gives zero either way).",
            "",
            "| function | mutants |",
            "|---|---|",
            *rows,
            "",
        ]
    )


def main() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        copy_into(Path(scratch))
        stats, alive = mutate(Path(scratch))
    percent = 100 * (stats["killed"] + stats["timeout"]) / stats["total"]
    DOCUMENT.write_text(document(stats, alive, percent))
    print(f"{percent:.1f} % of {stats['total']} mutants noticed; the floor is {FLOOR_PERCENT} %")
    return 0 if percent >= FLOOR_PERCENT else 1


if __name__ == "__main__":
    sys.exit(main())
