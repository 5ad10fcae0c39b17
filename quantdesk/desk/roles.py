"""The processes of a desk, each one a management command that also runs on its own in a cluster."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One process. `stage` orders the end: higher ones stop first."""

    name: str
    command: tuple[str, ...]
    stage: int
    listens: bool = False  # is handed the desk's port


ENGINE = Role(name="engine", command=("engine",), stage=1)
PROJECTOR = Role(name="projector", command=("projector",), stage=1)
WEB = Role(name="web", command=("web",), stage=2, listens=True)
WORKER = Role(name="worker", command=("worker", "--beat"), stage=2)
CHAIN_WORKER = Role(name="chain", command=("worker", "--queue", "chain", "--threads", "6"), stage=2)


def localnet(port: int, final_after: int) -> Role:
    return Role(name="localnet", command=("localnet", "--port", str(port), "--final-after", str(final_after)), stage=1)


def oracle(options: Sequence[str]) -> Role:
    return Role(name="oracle", command=("oracle", *options), stage=2)


def makers(host: str, port: int) -> Role:
    return Role(name="makers", command=("makers", "--url", f"ws://{host}:{port}/ws/v1/"), stage=3)
