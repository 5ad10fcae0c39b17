"""The processes that a measurement needs, on servers of its own: PostgreSQL with fsync on, Valkey, engine, projector, web."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.load import free_port
from quantdesk.embedded.addresses import postgres_url, valkey_url
from quantdesk.embedded.places import postgres_home
from quantdesk.embedded.roles import OWNER
from quantdesk.embedded.servers import Servers

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30
PRICES = {"BTC": 60_000, "ETH": 3_000, "SOL": 150, "AVAX": 20, "LINK": 15, "DOGE": 1, "XRP": 2, "SUI": 3}


def wait_until(ready: Callable[[], bool], what: str) -> None:
    """Poll a process of ours that has just been started."""
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} was not ready after {START_SECONDS} s")
        time.sleep(0.02)


class Stack:
    """Engine and projector (compiled when `tree` is a compiled one), ready for commands; Django is set up in this process."""

    def __init__(self, *, tree: Path = ROOT) -> None:
        self.tree = tree
        self.data_dir = Path(tempfile.mkdtemp(prefix="quantdesk-bench-"))
        self.servers = Servers(self.data_dir)
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Stack":
        self.servers.start()
        os.environ |= {
            "ENVIRONMENT": "test",
            "SECRET_KEY": "bench-only-0123456789-bench-only-0123456789-bench-only",
            "DATABASE_URL": postgres_url(self.data_dir, OWNER),
            "REDIS_URL": valkey_url(self.data_dir),
            "DATA_DIR": str(self.data_dir),
            "DJANGO_SETTINGS_MODULE": "bench.settings",
        }
        subprocess.run([sys.executable, ROOT / "manage.py", "migrate", "--verbosity", "0"], check=True)
        self.start("engine")
        self.start("projector")
        self._set_up()
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.processes):
            process.terminate()
            process.wait(timeout=START_SECONDS)
        self.servers.stop()
        shutil.rmtree(postgres_home(self.data_dir), ignore_errors=True)
        shutil.rmtree(self.data_dir, ignore_errors=True)

    def start(self, *command: str) -> None:
        with (self.data_dir / f"{command[0]}.log").open("ab") as log:
            self.processes.append(
                subprocess.Popen([sys.executable, self.tree / "manage.py", *command], cwd=self.tree, stdout=log, stderr=log)
            )

    def serve(self, application: str = "") -> int:
        """Start our web process, or any other ASGI application with the same server; return its port."""
        port = free_port()
        if application:
            command = [sys.executable, "-m", "bench.server", str(port), application]
            self.processes.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        else:
            self.start("web", "--port", str(port))
        wait_until(lambda: accepts(port), f"the server of {application or 'quantdesk'}")
        return port

    def observe(self) -> None:
        """Publish a fresh price of every market; they are taken for old after a minute."""
        from markets.commands import Observation, ObservePrice
        from markets.gateway import gateway
        from markets.seed import MARKETS

        now_ms = time.time_ns() // 1_000_000
        gateway().submit(
            ObservePrice(
                observations=tuple(Observation(m.market_id, "simulation", PRICES[m.base_asset] * 10**8, 0, now_ms) for m in MARKETS)
            )
        )

    def caught_up(self) -> None:
        """Wait until every table is as far as the journal."""
        from markets.gateway import gateway
        from markets.queries import GetCommittedSeq
        from trading.models import Projection

        seq = gateway().query(GetCommittedSeq())
        wait_until(lambda: Projection.objects.filter(seq__gte=seq).exists(), "the projection")

    def _set_up(self) -> None:
        import django

        django.setup()
        from markets.commands import CreateMarket
        from markets.gateway import gateway
        from markets.seed import MARKETS

        wait_until(answers, "the engine")
        for market in MARKETS:
            gateway().submit(CreateMarket(parameters=market, author="bench"))
        self.observe()


def answers() -> bool:
    from markets.errors import GatewayError
    from markets.gateway import gateway
    from markets.queries import GetCommittedSeq

    try:
        gateway().query(GetCommittedSeq())
    except GatewayError:
        return False
    return True


def accepts(port: int) -> bool:
    import socket

    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def open_accounts(count: int, *, username: str, balance_atoms: int) -> list[Any]:
    """Create trading accounts with money, as Django and the engine know them."""
    from accounts.models import Account, User
    from markets import ledger
    from markets.commands import Deposit, OpenAccount
    from markets.gateway import gateway

    owner = User.objects.create_user(username=username)
    accounts = [Account.objects.create(owner=owner, name=str(number)) for number in range(count)]
    for account in accounts:
        gateway().submit(OpenAccount(account_id=account.id))
        gateway().submit(
            Deposit(account_id=account.id, asset="USDC", amount_atoms=balance_atoms, number=1, source_account_id=ledger.FAUCET)
        )
    return accounts
