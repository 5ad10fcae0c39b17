"""Keeps the desk's processes running, and ends all of them."""

import contextlib
import gc
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from quantdesk.desk import child
from quantdesk.desk.errors import DeskError, Stopped
from quantdesk.desk.register import Register
from quantdesk.desk.roles import Role
from quantdesk.embedded.child import last_line
from quantdesk.embedded.errors import ServerError
from quantdesk.embedded.servers import Servers
from trading.runner.exits import Exit

Steps = Mapping[str, Sequence[str]]  # management commands by the name of the step
LONGEST_DELAY_S = 30.0
STEADY_S = 60.0  # a child that ran for so long starts again at once
STOP_S = {3: 3.0, 2: 7.0, 1: 7.0}  # by stage; with the servers' own limits below half a minute in all
MAX_LOG_BYTES = 20_000_000


@dataclass(slots=True, kw_only=True)
class Running:
    """A role, its process, and when it may start again after it died."""

    role: Role
    process: BaseProcess
    began: float
    failures: int = 0
    due: float | None = None


class Supervisor:
    """Starts children and setup steps; `tick` is to be called all the time."""

    def __init__(self, *, servers: Servers, register: Register, listener: socket.socket, logs: Path, say: Callable[[str], None]) -> None:
        self.servers = servers
        self.register = register
        self.listener = listener
        self.logs = logs
        self.say = say
        self.running: dict[str, Running] = {}
        self.stopping = False
        self.wakeup, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._logs_checked = 0.0

    def listen_to_signals(self) -> None:
        """Stop on SIGINT, SIGTERM and SIGHUP, also when a shell started this in the background and ignores SIGINT for it."""
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, self._stop_soon)

    def _stop_soon(self, *_: object) -> None:
        self.stopping = True

    def begin(self, role: Role) -> None:
        self.running[role.name] = Running(role=role, process=self._start(role), began=time.monotonic())
        self._note()

    def run_steps(self, steps: Steps, *, draw: Callable[[], None], meanwhile: Callable[[], None] | None = None) -> None:
        """Run management commands beside each other, and wait for all; DeskError tells what the first failure said last."""
        logs = {name: self.logs / f"{name}.log" for name in steps}
        processes = [self._fork(name, command, log=logs[name]) for name, command in steps.items()]
        try:
            if meanwhile:
                meanwhile()
            while any(process.is_alive() for process in processes):
                self.tick(0.1, *[process.sentinel for process in processes if process.is_alive()])
                draw()
        finally:
            for process in processes:
                process.kill()
                process.join()
        for process in processes:
            if process.exitcode:
                log = logs[process.name]
                raise DeskError(f"{process.name} failed: {last_line(log)} (all of it: {log})")

    def tick(self, timeout_s: float, *sentinels: int) -> None:
        """Wait for the next thing to happen, and start again what has died."""
        watched = [entry.process.sentinel for entry in self.running.values() if entry.due is None]
        connection.wait([self.wakeup, *watched, *sentinels], timeout=timeout_s)
        if self.stopping:
            raise Stopped
        now = time.monotonic()
        self._look_after_servers()
        for entry in self.running.values():
            self._look_after(entry, now)
        self._trim_logs(now)

    def stop(self) -> None:
        """End the children stage by stage, then the servers."""
        for stage, limit_s in STOP_S.items():
            self._end([entry.process for entry in self.running.values() if entry.role.stage == stage], limit_s)
        self.running.clear()
        self.servers.stop()
        self._note()

    def _look_after_servers(self) -> None:
        try:
            for name in self.servers.restart_dead():
                self.say(f"{name} ended and was started again")
        except ServerError as error:
            self.say(f"{error}; trying again")  # as long as the dead one's own children are not gone, for example

    def _look_after(self, entry: Running, now: float) -> None:
        if entry.due is None and not entry.process.is_alive():
            entry.process.join()
            self._kill_group(entry.process)
            log = self.logs / f"{entry.role.name}.log"
            if entry.process.exitcode == Exit.REFUSED:
                raise DeskError(f"{reason(log).rstrip('.')}. To give this data up and start afresh: --reset")
            entry.failures = 0 if now - entry.began > STEADY_S else entry.failures + 1
            delay_s = min(LONGEST_DELAY_S, 0.25 * 2 ** (entry.failures - 1)) if entry.failures > 1 else 0.0
            entry.due = now + delay_s
            when = f"in {delay_s:.1f} s" if delay_s else "now"
            self.say(f"{entry.role.name} ended ({_ending(entry.process)}) and starts again {when}; see {log}")
        if entry.due is not None and entry.due <= now:
            entry.process, entry.began, entry.due = self._start(entry.role), now, None
            self._note()

    def _start(self, role: Role) -> BaseProcess:
        return self._fork(role.name, role.command, log=self.logs / f"{role.name}.log", listener=self.listener if role.listens else None)

    def _fork(self, name: str, command: Sequence[str], *, log: Path, listener: socket.socket | None = None) -> BaseProcess:
        gc.freeze()  # what is shared with the child stays shared: no collection writes to it
        hidden: tuple[int, ...] = (self.wakeup.fileno(), self._waker.fileno(), self.register.lock.fileno())
        if not listener:
            hidden = (*hidden, self.listener.fileno())
        return child.start(child.Job(name=name, command=tuple(command), log=log, listener=listener, hidden=hidden))

    def _note(self) -> None:
        self.register.write({name: entry.process.pid or 0 for name, entry in self.running.items()})

    def _end(self, processes: list[BaseProcess], limit_s: float) -> None:
        for process in processes:
            if process.is_alive():
                process.terminate()
        deadline = time.monotonic() + limit_s
        for process in processes:
            process.join(max(0.0, deadline - time.monotonic()))
            self._kill_group(process)
            process.join()

    def _kill_group(self, process: BaseProcess) -> None:
        """End a child with whatever it started itself."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid or 0, signal.SIGKILL)

    def _trim_logs(self, now: float) -> None:
        if now - self._logs_checked < STEADY_S:
            return
        self._logs_checked = now
        for log in self.logs.glob("*.log"):
            if log.stat().st_size > MAX_LOG_BYTES:
                os.truncate(log, 0)  # writers append, so they go on at the new end


def reason(log: Path) -> str:
    """Return what a child that refuses its data said last: starting it again would change nothing."""
    line = last_line(log)
    try:
        return str(json.loads(line)["error"])
    except (ValueError, KeyError):
        return line


def _ending(process: BaseProcess) -> str:
    code = process.exitcode or 0
    return f"exit {code}" if code >= 0 else signal.Signals(-code).name
