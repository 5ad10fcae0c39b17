"""Valkey as a child: a Unix socket for its owner alone, and an append-only file so that the broker's queue survives."""

import signal
import subprocess
from pathlib import Path

import redis

from quantdesk.embedded import child
from quantdesk.embedded.addresses import valkey_socket
from quantdesk.embedded.binaries import valkey_program
from quantdesk.embedded.places import make_private

SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "auto-aof-rewrite-min-size": "8mb",
    "save": "",
    "maxmemory": "128mb",
    "maxmemory-policy": "noeviction",  # a broker must refuse, never forget
    "io-threads": "1",
    "loglevel": "warning",
}


class Valkey:
    """One server for one data folder."""

    name = "Valkey"

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.resolve()
        self.log = self.data_dir / "logs" / "valkey.log"
        self.socket = valkey_socket(self.data_dir)
        self.pid_file = self.data_dir / "valkey" / "valkey.pid"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        make_private(self.log.parent)
        make_private(self.pid_file.parent)
        make_private(self.socket.parent)
        self.end_leftover()
        settings = SETTINGS | {"dir": str(self.pid_file.parent), "pidfile": str(self.pid_file), "unixsocket": str(self.socket)}
        options = [word for name, value in settings.items() for word in (f"--{name}", value)]
        self.process = child.spawn([str(valkey_program()), *options], log=self.log, on_parent_death=signal.SIGTERM)
        child.wait_until(self.is_ready, self.process, name=self.name, log=self.log)

    def end_leftover(self) -> None:
        # Valkey rewrites its title to its program and its socket.
        child.end_leftover(self.pid_file, marker=f"unixsocket:{self.socket}", sign=signal.SIGTERM)

    def stop(self) -> None:
        if self.process:
            child.stop(self.process, signal.SIGTERM, timeout_s=10)
            self.process = None

    @property
    def has_died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def is_ready(self) -> bool:
        try:
            with redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
