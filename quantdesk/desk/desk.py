"""The whole exchange on one machine: servers, set-up, and every process, until somebody stops it."""

import importlib
import json
import os
import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.urls import get_resolver

from chain.deployment import FILE, REFUSAL, chain_is_on
from chain.deployment import refusal as refusal_of
from chain.setup import refusal
from markets.commands import SetTradingLease
from markets.errors import GatewayError
from markets.gateway import gateway
from quantdesk.desk import child, localnet, roles
from quantdesk.desk.credentials import STAFF, Credentials
from quantdesk.desk.errors import DeskError, Stopped
from quantdesk.desk.progress import Progress
from quantdesk.desk.readiness import readiness
from quantdesk.desk.register import Register
from quantdesk.desk.seed import BALANCES
from quantdesk.desk.supervisor import Supervisor
from quantdesk.embedded.places import make_data_folder, make_private, postgres_home
from quantdesk.embedded.servers import Servers

HOST = "127.0.0.1"
MIN_FREE_BYTES = 300_000_000
READY_TIMEOUT_S = 60.0
# What most children import: once, before the forks.
SHARED_MODULES = ("uvicorn", "uvloop", "httptools", "websockets", "httpx", "celery.apps.worker", "kombu.transport.redis", "chain.tasks")
KEPT_AT_RESET = {"run", "secrets"}
NO_CHAIN = "This desk was started with --no-chain."


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    port: int
    reset: bool
    oracle: tuple[str, ...]  # the oracle's options
    chain: bool = True


class Desk:
    """One run of the desk."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.data_dir: Path = settings.DATA_DIR
        self.progress = Progress()

    def run(self) -> None:
        """Start everything and stay until a signal; DeskError and ServerError are for the caller to show."""
        os.umask(0o077)
        make_data_folder(self.data_dir)
        register = Register(self.data_dir)
        register.take()
        self._end_leftovers(register)
        listener = listen(self.options.port)
        if self.options.reset:
            self._reset()
        self._check_space()
        servers = Servers(self.data_dir, with_postgres=settings.EMBEDDED_POSTGRES, with_valkey=settings.EMBEDDED_VALKEY)
        logs = make_private(self.data_dir / "logs")
        supervisor = Supervisor(servers=servers, register=register, listener=listener, logs=logs, say=self.progress.say)
        supervisor.listen_to_signals()
        try:
            self._start(supervisor)
            while True:
                supervisor.tick(1.0)
        except Stopped:
            self.progress.say("Stopping …")
        finally:
            supervisor.stop()
        self.progress.say("Stopped.")

    def _start(self, supervisor: Supervisor) -> None:
        self._start_servers(supervisor)
        with self.progress.step("Tables and static files"):
            steps = {"tables": ("tables",), "static": ("static",)}
            supervisor.run_steps(steps, draw=self.progress.draw, meanwhile=lambda: share(*SHARED_MODULES))
            share("quantdesk.asgi")  # reads the list of hashed static files
            _ = get_resolver().url_patterns
        rpc_url = self._start_localnet(supervisor)
        supervisor.begin(roles.ENGINE)
        supervisor.begin(roles.PROJECTOR)
        supervisor.begin(roles.WEB)
        supervisor.begin(roles.oracle(self.options.oracle))  # early: it looks for live prices, which takes seconds without a network
        with self.progress.step("Markets and demo accounts"):
            supervisor.run_steps({"seed": ("seed",)}, draw=self.progress.draw)
        supervisor.begin(roles.makers(HOST, self.options.port))
        self._set_up_chain(supervisor, rpc_url)
        supervisor.begin(roles.WORKER)
        if chain_is_on():
            supervisor.begin(roles.CHAIN_WORKER)
        elif settings.LOCALNET:
            self._free_trading()
        with self.progress.step("Engine, projector, web, worker, oracle, makers"):
            self._wait_until_ready(supervisor)
        self._welcome()

    def _start_servers(self, supervisor: Supervisor) -> None:
        started = [server.name for server in (supervisor.servers.postgres, supervisor.servers.valkey) if server]
        if started:
            with self.progress.step(" and ".join(started)):
                supervisor.servers.start()

    def _start_localnet(self, supervisor: Supervisor) -> str:
        """Begin the localnet early; return where the chain's node is, or nothing without a chain."""
        if not self.options.chain:
            refusal.note(settings.CHAIN_DIR, NO_CHAIN)
            return ""
        if refusal_of(settings.CHAIN_DIR) == NO_CHAIN:
            refusal.clear(settings.CHAIN_DIR)
        if not settings.LOCALNET:
            return str(settings.SOLANA_RPC_URL)
        port = localnet.choose_port(self.data_dir / "localnet")
        supervisor.begin(roles.localnet(port, localnet.FINAL_AFTER))
        return f"http://{HOST}:{port}"

    def _set_up_chain(self, supervisor: Supervisor, rpc_url: str) -> None:
        """Set the exchange up on chain. An exchange whose chain cannot be used goes on without it, and says so."""
        if not rpc_url:
            return
        try:
            with self.progress.step("Chain"):
                supervisor.run_steps({"chain_setup": ("chain_setup", "--rpc-url", rpc_url)}, draw=self.progress.draw)
        except DeskError as error:
            self.progress.say(f"The exchange goes on without its chain: {error}", style="yellow")

    def _free_trading(self) -> None:
        """Nobody can match on a localnet that does not run: trading needs no lease of it."""
        try:
            gateway().submit(SetTradingLease(until_ms=0))
        except GatewayError as error:
            self.progress.say(f"Trading may stay halted: {error}", style="yellow")
        finally:
            gateway().close()

    def _wait_until_ready(self, supervisor: Supervisor) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        while True:
            supervisor.tick(0.1)
            self.progress.draw()
            ready, details = readiness(HOST, self.options.port)
            if ready:
                return
            if time.monotonic() > deadline:
                self.progress.say(f"Not ready after {READY_TIMEOUT_S:.0f} s: {details}; logs are in {supervisor.logs}", style="yellow")
                return

    def _welcome(self) -> None:
        credentials = Credentials.load(self.data_dir)
        notes = json.loads((self.data_dir / BALANCES).read_text()) | {STAFF: "staff, /admin/"}
        self.progress.say(f"\nQuantDesk  http://{HOST}:{self.options.port}/trade/BTC-PERP/\n", style="bold")
        for name, password in credentials.passwords.items():
            self.progress.say(f"  {name:<8}{password}  {notes.get(name, '')}")
        self.progress.say(f"\nPasswords are in {credentials.path}, logs in {self.data_dir / 'logs'}. Ctrl-C stops everything.\n")

    def _end_leftovers(self, register: Register) -> None:
        names = register.end_leftovers()
        if names:
            self.progress.say(f"Ended what an earlier desk left behind: {', '.join(names)}")

    def _reset(self) -> None:
        """Delete all data. The servers' passwords and the secret key stay: this process has read them already."""
        if not settings.EMBEDDED_POSTGRES:
            raise DeskError("--reset deletes the embedded servers' data only; empty the database of DATABASE_URL yourself")
        home = postgres_home(self.data_dir)
        Servers(self.data_dir).end_leftovers()
        kept = KEPT_AT_RESET if settings.LOCALNET else {*KEPT_AT_RESET, "chain"}  # a real cluster's keys are the operator's
        if settings.LOCALNET:
            for name in (FILE, REFUSAL):
                (settings.CHAIN_DIR / name).unlink(missing_ok=True)
        for path in (home, *self.data_dir.iterdir()):
            if path.name not in kept and path.is_dir():
                shutil.rmtree(path)
            elif path.is_file():
                path.unlink()

    def _check_space(self) -> None:
        free = shutil.disk_usage(self.data_dir).free
        if free < MIN_FREE_BYTES:
            raise DeskError(f"{self.data_dir} has {free // 1_000_000} MB free; the desk needs at least {MIN_FREE_BYTES // 1_000_000} MB")


def listen(port: int) -> socket.socket:
    """Open the desk's port. The desk holds it, so that callers wait instead of failing while the web process starts again."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise DeskError(
            f"port {port} cannot be used ({(error.strerror or str(error)).lower()}); choose another: bin/run --port {port + 1}"
        ) from error
    listener.listen(2048)
    return listener


def share(*modules: str) -> None:
    """Import what the children need, so that their forks share it."""
    if child.LINUX:
        for name in modules:
            importlib.import_module(name)
