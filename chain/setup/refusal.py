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
ANOTHER = "Nothing is settled. Take the database and the CHAIN_DIR that belong to it."


class ChainRefusedHere(ChainOff):
    """The chain that was found is not this exchange's."""


def journal_identity() -> str:
    """Return what no other exchange's journal has: its first row's hash; empty before there is one."""
    first = Journal.objects.order_by("seq").values_list("hash", flat=True).first()
    return bytes(first).hex() if first else ""


def check_identity(*, record: Record | None, genesis_hash: Hash, batches: int, advice: str = AFRESH) -> None:
    """Raise ChainRefusedHere unless chain and database grew up together. `batches`: how many the chain has settled."""
    if record is None:
        if batches:
            raise ChainRefusedHere(f"The chain has settled another exchange's trades, or deployment.json is gone. {advice}")
        if any(_rows(name) for name in TRACES):
            raise ChainRefusedHere(f"The database speaks of a chain, but that chain's data is gone. {advice}")
    elif record.genesis_hash != str(genesis_hash):
        raise ChainRefusedHere(f"The chain is not the one that this database settles on: its data was lost or replaced. {advice}")
    elif record.journal != journal_identity():
        raise ChainRefusedHere(f"The chain belongs to another database than this one. {advice}")


def _rows(name: str) -> bool:
    model: Any = apps.get_app_config("chain").get_model(name)
    return bool(model.objects.exists())


def note(folder: Path, reason: str) -> None:
    """Keep the reason where every process of the exchange finds it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(folder / REFUSAL, reason + "\n")


def clear(folder: Path) -> None:
    (folder / REFUSAL).unlink(missing_ok=True)
