"""PostgreSQL as a child: data checksums, passwords only, a Unix socket that its owner alone can open, no TCP."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psycopg

from quantdesk.embedded import child
from quantdesk.embedded.addresses import postgres_password, postgres_socket_folder, postgres_url
from quantdesk.embedded.binaries import postgres_programs
from quantdesk.embedded.errors import ServerError
from quantdesk.embedded.places import Identity, make_private, postgres_home, server_identity
from quantdesk.embedded.roles import ADMIN, APPLICATION, OWNER, READER, create_roles

WAL_FILE_MB = 4
WAL_FILES = 7  # with the one in use, min_wal_size
# Small, for a desk that shares a laptop: durable all the same (fsync and synchronous_commit stay on).
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "80",
    "shared_buffers": "48MB",
    "work_mem": "4MB",
    "maintenance_work_mem": "32MB",
    "io_method": "sync",
    "max_logical_replication_workers": "0",
    "max_worker_processes": "4",
    "jit": "off",
    "min_wal_size": "32MB",
    "max_wal_size": "96MB",
    "wal_compression": "on",
    "checkpoint_timeout": "10min",
    "autovacuum_max_workers": "2",
    "autovacuum_naptime": "20s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_vacuum_cost_limit": "1000",
    "log_min_messages": "warning",
    "log_timezone": "UTC",
    "timezone": "UTC",
}


class Postgres:
    """One server for one data folder."""

    name = "PostgreSQL"

    def __init__(self, data_dir: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir.resolve()
        self.settings = SETTINGS | dict(settings or {})
        self.identity: Identity = server_identity()
        self.home = postgres_home(self.data_dir)
        self.socket_folder = postgres_socket_folder(self.data_dir)
        self.log = self.data_dir / "logs" / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def admin_url(self) -> str:
        return postgres_url(self.data_dir, ADMIN, "postgres")

    def start(self) -> None:
        """Start the server, after making its data at the first time and ending one that was left behind."""
        make_private(self.log.parent)
        self._take_home()
        self.end_leftover()
        new = not (self.home / "data" / "PG_VERSION").exists()
        if new:
            self._initialise()
        options = [word for name, value in self.settings.items() for word in ("-c", f"{name}={value}")]
        command = [str(postgres_programs() / "postgres"), "-D", str(self.home / "data"), "-k", str(self.socket_folder), *options]
        self.process = child.spawn(command, log=self.log, on_parent_death=signal.SIGINT, run_as=self.identity)
        child.wait_until(self.is_ready, self.process, name=self.name, log=self.log, timeout_s=120)
        if new:
            self._lay_out_wal()
        create_roles(self.admin_url, {role: postgres_password(self.data_dir, role) for role in (OWNER, APPLICATION, READER)})

    def stop(self) -> None:
        """Shut down fast: sessions are ended, everything committed is on disk."""
        if self.process:
            child.stop(self.process, signal.SIGINT, timeout_s=20)
            self.process = None

    @property
    def has_died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def is_ready(self) -> bool:
        try:
            psycopg.connect(self.admin_url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def end_leftover(self) -> None:
        data = self.home / "data"
        child.end_leftover(data / "postmaster.pid", marker=str(data), sign=signal.SIGINT)

    def _take_home(self) -> None:
        if self.home.parent != self.data_dir:
            self.home.parent.mkdir(parents=True, exist_ok=True)
            self.home.parent.chmod(0o755)
        make_private(self.home, self.identity)
        make_private(self.socket_folder, self.identity)
        (self.home / "belongs-to").write_text(str(self.data_dir))

    def _initialise(self) -> None:
        """Make the data folder beside its place and move it there whole: a start that is cut off leaves nothing half made."""
        building, pwfile = self.home / "data.new", self.home / "password.new"
        shutil.rmtree(building, ignore_errors=True)
        pwfile.write_text(postgres_password(self.data_dir, ADMIN))
        pwfile.chmod(0o600)
        os.chown(pwfile, self.identity.uid, self.identity.gid)
        try:
            self._initdb(building, pwfile)
        finally:
            pwfile.unlink()
        building.rename(self.home / "data")

    def _lay_out_wal(self) -> None:
        """Fill the log up to its smallest size at once: its files are used in turn, so the folder hardly grows afterwards."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            for _ in range(WAL_FILES):
                connection.execute("SELECT pg_logical_emit_message(false, '', ''), pg_switch_wal()")
            connection.execute("CHECKPOINT")

    def _initdb(self, building: Path, pwfile: Path) -> None:
        arguments = ["-D", str(building), "-U", ADMIN, "--auth=scram-sha-256", f"--pwfile={pwfile}", "--data-checksums"]
        arguments += [
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
            f"--wal-segsize={WAL_FILE_MB}",
            "--no-instructions",
        ]
        command = [str(postgres_programs() / "initdb"), *arguments]
        process = child.spawn(command, log=self.log, on_parent_death=signal.SIGKILL, run_as=self.identity)
        if process.wait():
            raise ServerError(f"PostgreSQL's initdb failed: {child.last_line(self.log)}")
