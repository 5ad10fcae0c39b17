"""The compiled engine, in a copy of the tree, so that it and plain Python can be compared."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
COMPILED = ROOT / ".peers" / "compiled"


def compiled_tree() -> Path:
    """Compile the present sources and return the folder to put on the path."""
    COMPILED.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, ROOT / "tools" / "compile.py", "--into", COMPILED], check=True, stdout=subprocess.DEVNULL)
    return COMPILED
