"""Whether a chain and a database belong together. Where they do not, nothing is settled, and one line says why."""

from pathlib import Path
from typing import Any

from django.apps import apps
from solders.hash import Hash

from chain.deployment import REFUSAL, ChainOff, Record
from chain.setup.keys import write_private
from trading.models import Journal

TRACES = ("OutboxEntry", "ChainEvent", "ChainAccount")  # rows that speak of a chain
AFRESH = "Nothing is settled. To start both afresh: --reset"


class ChainRefusedHere(ChainOff):
    """The chain that was found is not this exchange's."""


def journal_identity() -> str:
    """Return what no other exchange's journal has: its first row's hash; empty before there is one."""
    first = Journal.objects.order_by("seq").values_list("hash", flat=True).first()
    return bytes(first).hex() if first else ""


def check_identity(*, record: Record | None, genesis_hash: Hash, batches: int) -> None:
    """Raise ChainRefusedHere unless chain and database grew up together. `batches`: how many the chain has settled."""
    if record is None:
        if batches:
            raise ChainRefusedHere(f"The localnet has settled another exchange's trades (its deployment.json is gone). {AFRESH}")
        if any(_rows(name) for name in TRACES):
            raise ChainRefusedHere(f"The database speaks of a chain, but the localnet's data is gone. {AFRESH}")
    elif record.genesis_hash != str(genesis_hash):
        raise ChainRefusedHere(f"The localnet is not the one that this database settles on: its data was lost or replaced. {AFRESH}")
    elif record.journal != journal_identity():
        raise ChainRefusedHere(f"The localnet belongs to another database than this one. {AFRESH}")


def _rows(name: str) -> bool:
    model: Any = apps.get_app_config("chain").get_model(name)
    return bool(model.objects.exists())


def note(folder: Path, reason: str) -> None:
    """Keep the reason where every process of the exchange finds it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(folder / REFUSAL, reason + "\n")


def clear(folder: Path) -> None:
    (folder / REFUSAL).unlink(missing_ok=True)
