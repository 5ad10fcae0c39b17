"""Both servers of one data folder, and the addresses under which running ones are found."""

import json
from collections.abc import Mapping
from pathlib import Path

from quantdesk.embedded.places import forget_deleted, make_private
from quantdesk.embedded.postgres import Postgres
from quantdesk.embedded.roles import ADMIN, APPLICATION, OWNER
from quantdesk.embedded.valkey import Valkey

ADDRESSES = "servers.json"


class Servers:
    """PostgreSQL and Valkey; `with Servers(...)` starts and stops them."""

    def __init__(self, data_dir: Path, *, postgres_settings: Mapping[str, str] | None = None) -> None:
        self.data_dir = make_private(data_dir)
        forget_deleted()
        self.postgres = Postgres(data_dir, settings=postgres_settings)
        self.valkey = Valkey(data_dir)

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables by which the processes of the exchange find the servers."""
        return {
            "DATABASE_URL": self.postgres.url(APPLICATION),
            "DATABASE_OWNER_URL": self.postgres.url(OWNER),
            "REDIS_URL": self.valkey.url,
        }

    @property
    def admin_url(self) -> str:
        return self.postgres.url(ADMIN)

    def start(self) -> None:
        self.postgres.start()
        self.valkey.start()
        path = make_private(self.data_dir / "secrets") / ADDRESSES
        path.touch(mode=0o600)
        path.write_text(json.dumps(self.environment))

    def stop(self) -> None:
        """Stop both; PostgreSQL last, as it holds what must not be lost."""
        (self.data_dir / "secrets" / ADDRESSES).unlink(missing_ok=True)
        self.valkey.stop()
        self.postgres.stop()

    def __enter__(self) -> "Servers":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def running(data_dir: Path) -> dict[str, str]:
    """Return the addresses of the servers that a running desk started, so that other commands find them; else nothing."""
    try:
        return dict(json.loads((data_dir / "secrets" / ADDRESSES).read_text()))
    except OSError:
        return {}
