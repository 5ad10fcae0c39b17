"""A management command in a process of its own, forked from the desk where that is safe.

A fork shares the desk's imported modules: it is ready at once and costs little memory. macOS cannot fork safely, so the
command starts in a fresh interpreter there.
"""

import ctypes
import multiprocessing
import os
import signal
import socket
import sys
import threading
from dataclasses import dataclass
from multiprocessing.context import ForkProcess, SpawnProcess
from multiprocessing.process import BaseProcess
from pathlib import Path

from quantdesk.embedded.child import end_with_parent

LINUX = sys.platform == "linux"
PR_SET_NAME = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A management command to run. `listener` is handed on as --fd; the file descriptors in `hidden` are closed in a fork."""

    name: str
    command: tuple[str, ...]
    log: Path
    listener: socket.socket | None = None
    hidden: tuple[int, ...] = ()


def start(job: Job) -> BaseProcess:
    kind: type[BaseProcess] = ForkProcess if LINUX else SpawnProcess
    process = kind(name=job.name, target=_run, args=(job, os.getpid()))
    process.start()
    return process


def _run(job: Job, parent: int) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setpgid(0, 0)  # Ctrl-C in the terminal reaches the desk only
    _end_with(parent)
    _rename(job.name)
    if LINUX:
        for descriptor in job.hidden:
            os.close(descriptor)
    _redirect(job.log)
    sys.argv = ["manage.py", *job.command]
    if job.listener:
        sys.argv += ["--fd", str(job.listener.fileno())]
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


def _end_with(parent: int) -> None:
    if LINUX:
        end_with_parent(signal.SIGKILL, parent)
        return
    original = multiprocessing.parent_process()
    assert original, "only a child runs this"

    def watch() -> None:
        original.join()
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def _rename(name: str) -> None:
    """Give the process its role's name, as `ps -o comm` and `top` show it."""
    if LINUX:
        ctypes.CDLL(None).prctl(PR_SET_NAME, f"qd-{name}".encode()[:15])


def _redirect(log: Path) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    with log.open("ab") as output, Path(os.devnull).open("rb") as empty:
        os.dup2(empty.fileno(), 0)
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
