"""Compile the engine with mypyc: the same annotated files, as extension modules beside them. Git ignores the results.

`compile.py` builds in place; `compile.py --clean` goes back to plain Python; `compile.py --into DIR` copies the sources there and
builds in the copy, so that both can be compared.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("markets", "oracle", "accounts", "risk", "trading", "chain", "quantdesk", "bench")
MODULES = (
    "markets/units.py",
    "oracle/actions.py",
    "oracle/aggregate.py",
    "oracle/sources.py",
    "risk/collateral.py",
    "risk/deleveraging.py",
    "risk/funding.py",
    "risk/liquidation.py",
    "risk/margin.py",
    "risk/mark.py",
    "risk/stable.py",
    "bench/bare_book.py",
    "trading/postings.py",
    "trading/projector/changes.py",
    "trading/projector/fold.py",
    "trading/projector/text.py",
    "trading/projector/waterfall.py",
)
# Structs and the query side stay interpreted: they are made by msgspec, or called rarely.
INTERPRETED = frozenset(
    {"__init__.py", "snapshot.py", "queries.py", "previews.py", "explain.py", "shadow.py", "invariants.py", "waterfalls.py"}
)
SETUP = """
from setuptools import setup
from mypyc.build import mypycify
setup(name="quantdesk_engine", packages=[], ext_modules=mypycify({arguments!r}, opt_level="3", group_name="quantdesk_engine"))
"""
# Without the project's mypy settings: its Django plugins would need a configured Django.
MYPY_ARGUMENTS = ("--config-file=", "--strict", "--follow-imports=silent", "--ignore-missing-imports")


class CompileError(Exception):
    """The compiler or its tools failed; the message is what they said last."""


def sources(root: Path) -> list[str]:
    """Return the modules to compile, relative to the root."""
    engine = sorted(path for path in (root / "trading/engine").glob("*.py") if path.name not in INTERPRETED)
    named = [module for module in MODULES if (root / module).exists()]
    return named + [str(path.relative_to(root)) for path in engine]


def clean(root: Path) -> None:
    """Remove extension modules, so that the Python files beside them are imported again."""
    places = [root, *(root / package for package in PACKAGES)]
    for place in places:
        for extension in place.rglob("*.so") if place != root else place.glob("*.so"):
            extension.unlink()


def build(root: Path) -> int:
    """Compile in place and return the number of modules."""
    clean(root)
    modules = sources(root)
    with tempfile.TemporaryDirectory() as scratch:
        setup = SETUP.format(arguments=[*MYPY_ARGUMENTS, *modules])
        command = [sys.executable, "-c", setup, "--quiet", "build_ext", "--inplace", "--build-temp", scratch]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    shutil.rmtree(root / "build", ignore_errors=True)
    if done.returncode:
        raise CompileError("\n".join((done.stdout + done.stderr).strip().splitlines()[-20:]))
    return len(modules)


def copy_sources(target: Path) -> None:
    for package in PACKAGES:
        if (ROOT / package).exists():
            ignored = shutil.ignore_patterns("*.so", "__pycache__")
            shutil.copytree(ROOT / package, target / package, ignore=ignored, dirs_exist_ok=True)
    shutil.copy(ROOT / "manage.py", target)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clean", action="store_true", help="remove what was compiled")
    parser.add_argument("--into", type=Path, metavar="DIR", help="compile a copy of the sources in DIR")
    options = parser.parse_args()
    root: Path = options.into.resolve() if options.into else ROOT
    if options.clean:
        clean(root)
        return 0
    if options.into:
        copy_sources(root)
    try:
        count = build(root)
    except CompileError as error:
        print(f"compile: {error}", file=sys.stderr)
        return 1
    print(f"compiled {count} modules in {root}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
