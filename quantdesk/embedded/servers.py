"""Both servers of one data folder."""

from collections.abc import Mapping
from pathlib import Path

from quantdesk.embedded.places import forget_deleted, make_data_folder
from quantdesk.embedded.postgres import Postgres
from quantdesk.embedded.valkey import Valkey


class Servers:
    """PostgreSQL and Valkey, or the one of them that is wanted; `with Servers(...)` starts and stops them."""

    def __init__(
        self, data_dir: Path, *, with_postgres: bool = True, with_valkey: bool = True, postgres_settings: Mapping[str, str] | None = None
    ) -> None:
        self.data_dir = make_data_folder(data_dir)
        self.postgres = Postgres(data_dir, settings=postgres_settings) if with_postgres else None
        self.valkey = Valkey(data_dir) if with_valkey else None

    def start(self) -> None:
        forget_deleted()
        if self.postgres:
            self.postgres.start()
        if self.valkey:
            self.valkey.start()

    def stop(self) -> None:
        """Stop both; PostgreSQL last, as it holds what must not be lost."""
        if self.valkey:
            self.valkey.stop()
        if self.postgres:
            self.postgres.stop()

    def end_leftovers(self) -> None:
        """End servers that a killed parent left behind; a start does so, too."""
        for server in (self.valkey, self.postgres):
            if server:
                server.end_leftover()

    def restart_dead(self) -> list[str]:
        """Start again what has died; return the names."""
        dead = [server for server in (self.postgres, self.valkey) if server and server.has_died]
        for server in dead:
            server.start()
        return [server.name for server in dead]

    def __enter__(self) -> "Servers":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
