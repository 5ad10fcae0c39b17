"""A real `manage.py desk` in a data folder of its own, with the servers it brings."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from quantdesk.desk.register import started
from quantdesk.embedded.places import postgres_home, run_folder
from quantdesk.env import BASE_DIR

PATIENCE_S = 240
WELCOME = "Ctrl-C stops everything"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def process_is_alive(pid: int) -> bool:
    return bool(started(pid))


class DeskProcess:
    """Starts and stops desks, one after the other, in one folder that no other user can enter."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="quantdesk-desk-"))
        self.data_dir = self.folder / "data"
        self.port = free_port()
        self.lines: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._changed = threading.Condition()

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process, "the desk was not started"
        return self._process

    def command(self, *options: str) -> list[str]:
        return [sys.executable, "manage.py", "desk", "--port", str(self.port), "--feed", "sim", *options]

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        return inherited | {"DATA_DIR": str(self.data_dir), "PYTHONUNBUFFERED": "1"}

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Run a desk that is expected to refuse."""
        command = self.command(*options)
        return subprocess.run(command, cwd=BASE_DIR, env=self.environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S)

    def start(self, *options: str) -> None:
        self.lines = []
        self._process = subprocess.Popen(
            self.command(*options), cwd=BASE_DIR, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def wait_for(self, text: str) -> str:
        """Wait until the desk has printed a line with `text`; return the line."""

        def seen() -> list[str]:
            return [line for line in self.lines if text in line]

        with self._changed:
            found = self._changed.wait_for(lambda: seen() or self.process.poll() is not None, timeout=PATIENCE_S)
        lines = seen()
        assert found and lines, f"no line with {text!r} in: {''.join(self.lines)}"
        return lines[0]

    @property
    def register(self) -> Path:
        return run_folder(self.data_dir) / "desk.json"

    def children(self) -> dict[str, int]:
        """Return the process numbers by role."""
        entries: dict[str, dict[str, Any]] = json.loads(self.register.read_text())["children"]
        return {name: entry["pid"] for name, entry in entries.items()}

    def note_children(self, entries: dict[str, dict[str, Any]]) -> None:
        """Write what a killed desk would have left in its register."""
        self.register.write_text(json.dumps({"desk": 0, "children": entries}))

    def family(self) -> list[int]:
        """Return every living process below the desk, servers and their own children included."""
        listing = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        parents = {int(pid): int(parent) for pid, parent in (line.split() for line in listing.splitlines())}
        found = [self.process.pid]
        for pid in found:
            found.extend(child for child, parent in parents.items() if parent == pid)
        return found[1:]

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE_S) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def interrupt(self) -> int:
        """Press Ctrl-C; return the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self._join()

    def kill(self) -> None:
        self.process.kill()
        self._join()

    def remove(self) -> None:
        if self._process and self._process.poll() is None:
            self.interrupt()
        shutil.rmtree(postgres_home(self.data_dir), ignore_errors=True)
        shutil.rmtree(self.folder)

    def _join(self) -> int:
        code = self.process.wait(PATIENCE_S)
        if self._reader:
            self._reader.join(PATIENCE_S)
        return code

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        with process.stdout:
            for line in process.stdout:
                with self._changed:
                    self.lines.append(line)
                    self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()
