"""Which processes belong to a desk, on disk: one desk a data folder, and what a killed one left behind is found."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from quantdesk.desk.errors import DeskError
from quantdesk.embedded.places import make_private, run_folder


class Register:
    """The lock and the list of children, under the data folder's run folder."""

    def __init__(self, data_dir: Path) -> None:
        folder = make_private(run_folder(data_dir))
        self.path = folder / "desk.json"
        # Locked by process, not by open file: forked children do not hold it.
        self.lock = (folder / "desk.lock").open("a+")

    def take(self) -> None:
        try:
            fcntl.lockf(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.lock.seek(0)
            raise DeskError(
                f"a desk is already running here (process {self.lock.read().strip()}); stop it, or choose another DATA_DIR"
            ) from error
        self.lock.truncate(0)
        self.lock.write(str(os.getpid()))
        self.lock.flush()

    def write(self, children: dict[str, int]) -> None:
        """Note the children by name, with their start times: a number alone may be another process by then."""
        entries = {name: {"pid": pid, "started": started(pid)} for name, pid in children.items()}
        temporary = self.path.with_suffix(".new")
        temporary.write_text(json.dumps({"desk": os.getpid(), "children": entries}))
        temporary.rename(self.path)

    def end_leftovers(self) -> list[str]:
        """End the children of a killed desk; return their names."""
        left = {name: entry for name, entry in self._entries().items() if entry["started"] and entry["started"] == started(entry["pid"])}
        for entry in left.values():
            os.kill(entry["pid"], signal.SIGKILL)  # each is safe to kill at any time, and recovers at its start
        for entry in left.values():
            while started(entry["pid"]) == entry["started"]:
                time.sleep(0.02)
        self.path.unlink(missing_ok=True)
        return sorted(left)

    def _entries(self) -> dict[str, dict[str, Any]]:
        try:
            return dict(json.loads(self.path.read_text())["children"])
        except (OSError, ValueError):
            return {}


def started(pid: int) -> str:
    """Return when a living process started, in the system's own words, or nothing."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        if sys.platform == "linux":
            return ""
        return subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout.strip()
    return "" if state in "ZX" else fields[18]
