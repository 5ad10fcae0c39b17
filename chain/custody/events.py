"""What the exchange's program told in a transaction: the events that it numbers, from the logs.

Logs end after 10 KB, and anybody can fill them: a gap in the numbers is closed from the instructions (rebuilding).
"""

from dataclasses import dataclass
from typing import Any, Final

from solders.pubkey import Pubkey

from chain.idl import AnchorProgram

COUNTED: Final = {
    "Deposited", "Withdrawn", "KeyRegistered", "KeyRevoked", "NoncesCancelled", "ExitRequested", "OrdersMatched", "PositionLiquidated",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event by its number. `data` is as JSON has it: whole numbers, addresses in base58."""

    number: int
    kind: str
    signature: str
    slot: int
    time_s: int | None
    data: dict[str, Any]

    @property
    def account_address(self) -> str:
        return str(self.data.get("user", ""))


def told(program: AnchorProgram, *, signature: str, transaction: dict[str, Any]) -> list[Told]:
    """Return the numbered events of a transaction that did not fail, in order."""
    logs = transaction["meta"]["logMessages"] or []
    return [
        Told(
            number=data["number"],
            kind=kind,
            signature=signature,
            slot=transaction["slot"],
            time_s=transaction.get("blockTime"),
            data=data,
        )
        for kind, data in ((name, plain(fields)) for name, fields in program.events(logs))
        if kind in COUNTED
    ]


def plain(event: Any) -> dict[str, Any]:
    """Return the fields of a decoded event, none of which is a struct, as JSON has them; hashes are lists of numbers."""
    return {name: _plain(value) for name, value in vars(event).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Pubkey):
        return str(value)
    return list(value) if isinstance(value, bytes | bytearray | list | tuple) else value
