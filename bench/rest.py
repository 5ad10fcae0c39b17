"""What the desk costs while nobody uses it but its own makers, and how long it takes to start."""

import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import psutil

from bench.load import free_port, server_environment
from bench.rounds import Figure, console
from bench.stack import ROOT
from quantdesk.embedded.places import postgres_home

SETTLE_SECONDS = 40
MEASURE_SECONDS = 120
FIRST_START_SECONDS = 600
STOP_SECONDS = 30
MIB, MB = 1 << 20, 1_000_000


class Clone:
    """The committed tree as a newcomer has it, in a folder of its own."""

    def __init__(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="quantdesk-rest-"))
        self.project = self.place / "project"
        subprocess.run(["git", "clone", "--quiet", ROOT, self.project], check=True)
        (self.place / "home").mkdir()

    def start(self) -> tuple["subprocess.Popen[bytes]", float]:
        """Run bin/run; return the desk and the seconds until its first page."""
        port = free_port()
        environment = {name: value for name, value in server_environment(HOME=str(self.place / "home")).items() if name not in INHERITED}
        began = time.monotonic()
        with (self.place / "log").open("ab") as log:
            desk = subprocess.Popen(["sh", "bin/run", "--port", str(port)], cwd=self.project, env=environment, stdout=log, stderr=log)
        while not serves(port):
            if desk.poll() is not None or time.monotonic() - began > FIRST_START_SECONDS:
                raise RuntimeError((self.place / "log").read_text()[-2000:])
            time.sleep(0.1)
        return desk, time.monotonic() - began

    def size(self) -> int:
        """Return the bytes of the data folder, and of PostgreSQL's where that lies elsewhere (as it does for root)."""
        data = (self.project / ".desk").resolve()
        home = postgres_home(data)
        folders = [data] if home.is_relative_to(data) else [data, home]
        return sum(path.stat().st_blocks * 512 for folder in folders for path in folder.rglob("*") if path.is_file())

    def remove(self) -> None:
        shutil.rmtree(self.place, ignore_errors=True)


INHERITED = {
    "DATABASE_URL",
    "REDIS_URL",
    "DATA_DIR",
    "ENGINE_URL",
    "ENVIRONMENT",
    "SECRET_KEY",
    "DJANGO_SETTINGS_MODULE",
    "VIRTUAL_ENV",
    "PYTHONPATH",
}


def serves(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/trade/BTC-PERP/", timeout=2) as reply:
            return b"BTC-PERP" in reply.read()
    except OSError:
        return False


def family(desk: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    root = psutil.Process(desk.pid)
    return [root, *root.children(recursive=True)]


def cpu_seconds(processes: list[psutil.Process]) -> float:
    return sum(float(times.user + times.system) for times in (process.cpu_times() for process in processes if process.is_running()))


def memory(processes: list[psutil.Process]) -> int:
    """Sum the proportional shares, so that what forks have in common counts once."""
    return sum(int(process.memory_full_info().pss) for process in processes if process.is_running())


def stop(desk: "subprocess.Popen[bytes]") -> None:
    desk.send_signal(signal.SIGINT)
    desk.wait(STOP_SECONDS)


def at_rest() -> list[Figure]:
    """Start twice from a fresh clone, let it settle, then measure."""
    clone = Clone()
    try:
        desk, first = clone.start()
        stop(desk)
        desk, second = clone.start()
        with console.status("the desk settles"):
            time.sleep(SETTLE_SECONDS)
        processes = family(desk)
        used, size, began = cpu_seconds(processes), clone.size(), time.monotonic()
        with console.status("the desk at rest"):
            time.sleep(MEASURE_SECONDS)
        seconds = time.monotonic() - began
        cpu, grown = (cpu_seconds(processes) - used) / seconds, (clone.size() - size) / seconds * 3600
        held = memory(family(desk))
        stop(desk)
    finally:
        clone.remove()
    return [
        Figure("first run to first page, packages installed on the way", first, "s"),
        Figure("second run to first page", second, "s", aim=10),
        Figure("memory of all processes at rest", held / MIB, "MiB", aim=1.2 * 1024),
        Figure("CPU at rest", cpu, "cores", aim=0.4),
        Figure("growth of the data folder", grown / MB, "MB an hour", aim=100),
    ]
