"""A server as a child: it ends with its parent, writes to its own log, and leaves a pid file by which it is found again."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from quantdesk.embedded.errors import ServerError
from quantdesk.embedded.places import Identity

PR_SET_PDEATHSIG = 1


def end_with_parent(sign: signal.Signals, parent: int) -> None:
    """Have Linux send this process `sign` when its parent dies, also by kill -9; to be called in the child."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, sign)
    if os.getppid() != parent:  # the parent died before the call
        os.kill(os.getpid(), sign)


def spawn(command: Sequence[str], *, log: Path, on_parent_death: signal.Signals, run_as: Identity | None = None) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own, so that Ctrl-C in the terminal reaches the parent only."""
    parent = os.getpid()
    # A change of user clears the death signal: preexec_fn runs after it, and before exec.
    user = {"user": run_as.uid, "group": run_as.gid, "extra_groups": []} if run_as and os.geteuid() == 0 else {}
    with log.open("ab") as output:
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            process_group=0,
            preexec_fn=lambda: end_with_parent(on_parent_death, parent),  # noqa: PLW1509
            **user,
        )


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[bytes], *, name: str, log: Path, timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while not ready():
        if process.poll() is not None:
            raise ServerError(f"{name} ended at its start: {last_line(log)}")
        if time.monotonic() > deadline:
            raise ServerError(f"{name} did not answer within {timeout_s:.0f} s; see {log}")
        time.sleep(0.02)


def stop(process: subprocess.Popen[bytes], sign: signal.Signals, *, timeout_s: float) -> None:
    """Send `sign` and wait; SIGKILL what does not end in time."""
    if process.poll() is None:
        process.send_signal(sign)
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end_leftover(pid_file: Path, *, marker: str, sign: signal.Signals, timeout_s: float = 20) -> bool:
    """End the process that an earlier, killed parent left behind; `marker` is in its command line, so no other is hit."""
    try:
        pid = int(pid_file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return False
    if marker not in command_line(pid):
        return False
    os.kill(pid, sign)
    deadline = time.monotonic() + timeout_s
    while marker in command_line(pid):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            deadline += timeout_s
        time.sleep(0.05)
    return True


def command_line(pid: int) -> str:
    """Return a living process's command line, or nothing."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        if sys.platform == "linux":
            return ""
    return subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout


def last_line(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return f"no log at {log}"
    return lines[-1] if lines else f"it wrote nothing to {log}"
