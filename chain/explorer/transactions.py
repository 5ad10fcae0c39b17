"""A transaction as a person reads it: what was asked, by whom, and what came of it."""

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from construct import Container, ListContainer
from solders.pubkey import Pubkey

from chain import base58
from chain.explorer.names import COMPUTE_BUDGET, own_programs
from chain.idl import AnchorProgram, snake_case
from markets.stamps import at_seconds
from markets.units import decimal_from_atoms

SHOWN_BYTES = 32
MAX_VALUE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedAddress:
    """`role`: what the instruction calls it, or how the transaction uses it."""

    address: str
    name: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructionRow:
    program: NamedAddress
    name: str
    values: list[tuple[str, str]]
    accounts: list[NamedAddress]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    program: str
    name: str
    values: list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    owner: NamedAddress
    mint: NamedAddress
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    signature: str
    slot: int
    time: datetime
    error: str
    fee_sol: str
    units: int
    signers: list[NamedAddress]
    instructions: list[InstructionRow]
    events: list[EventRow]
    tokens: list[TokenRow]
    logs: list[str]


def read(found: dict[str, Any], names: dict[str, str]) -> Transaction:
    """Read what getTransaction answered in JSON."""
    message, meta = found["transaction"]["message"], found["meta"]
    loaded = meta.get("loadedAddresses") or {"writable": [], "readonly": []}
    keys = [*message["accountKeys"], *loaded["writable"], *loaded["readonly"]]
    reader = _Reader(keys=keys, names=names)
    logs = list(meta.get("logMessages") or [])
    error = meta["err"]
    return Transaction(
        signature=found["transaction"]["signatures"][0],
        slot=found["slot"],
        time=at_seconds(found.get("blockTime") or 0),
        error="" if error is None else _failure(error, message["instructions"], keys),
        fee_sol=f"{Decimal(meta['fee']).scaleb(-9):.9f}".rstrip("0"),
        units=meta.get("computeUnitsConsumed") or 0,
        signers=[reader.named(key, "pays" if place == 0 else "signs") for place, key in enumerate(_signers(message))],
        instructions=[reader.instruction(one) for one in message["instructions"] if keys[one["programIdIndex"]] != COMPUTE_BUDGET],
        events=reader.events(logs),
        tokens=reader.tokens(meta.get("preTokenBalances") or [], meta.get("postTokenBalances") or []),
        logs=logs,
    )


def _signers(message: dict[str, Any]) -> list[str]:
    return list(message["accountKeys"][: message["header"]["numRequiredSignatures"]])


class _Reader:
    def __init__(self, *, keys: list[str], names: dict[str, str]) -> None:
        self._keys, self._names = keys, names

    def named(self, key: str, role: str = "") -> NamedAddress:
        return NamedAddress(address=key, name=self._names.get(key, ""), role=role)

    def instruction(self, one: dict[str, Any]) -> InstructionRow:
        program = self._keys[one["programIdIndex"]]
        accounts = [self._keys[index] for index in one["accounts"]]
        built = own_programs().get(program)
        described = _described(built, base58.decode(one["data"]) or b"") if built else None
        name, values, roles = described or ("", [], [])
        values = self.values(values)
        roles += [""] * (len(accounts) - len(roles))
        return InstructionRow(
            program=self.named(program),
            name=name,
            values=values,
            accounts=[self.named(key, role) for key, role in zip(accounts, roles, strict=False)],
        )

    def values(self, values: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return values with the names of the addresses among them."""
        return [(name, f"{self._names[text]} · {text}" if text in self._names else text) for name, text in values]

    def events(self, logs: list[str]) -> list[EventRow]:
        return [
            EventRow(program=program.name, name=_words(name), values=self.values(values_of(data)))
            for program in own_programs().values()
            if any(str(program.id) in line for line in logs)
            for name, data in program.events(logs)
        ]

    def tokens(self, before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[TokenRow]:
        amounts = [{row["accountIndex"]: row for row in rows} for rows in (before, after)]
        changed: list[TokenRow] = []
        for index in sorted(amounts[0].keys() | amounts[1].keys()):
            row = amounts[1].get(index) or amounts[0][index]
            first, last = (_amount(rows.get(index)) for rows in amounts)
            if first != last:
                owner, mint = self.named(row.get("owner", "")), self.named(row["mint"])
                changed.append(TokenRow(owner=owner, mint=mint, before=first, after=last))
        return changed


def _amount(row: dict[str, Any] | None) -> str:
    """Return an amount of tokens with all its decimals."""
    if row is None:
        return "0"
    amount = row["uiTokenAmount"]
    return f"{decimal_from_atoms(int(amount['amount']), amount['decimals']):,f}"


def _described(program: AnchorProgram, data: bytes) -> tuple[str, list[tuple[str, str]], list[str]] | None:
    """Return an instruction's name, arguments and the names of its accounts."""
    found = program.decode(data)
    if found is None:
        return None
    name, arguments = found
    roles = [role.replace("_", " ") for role in program.accounts_of(name)]
    return _words(name), values_of(arguments), roles


def _words(name: str) -> str:
    """Return a name in snake or camel case as words: Register key."""
    return snake_case(name).strip("_").replace("_", " ").capitalize()


def values_of(arguments: Any) -> list[tuple[str, str]]:
    """Return named values as short texts."""
    fields = vars(arguments) if hasattr(arguments, "__dict__") and not isinstance(arguments, dict) else dict(arguments or {})
    return [(name.replace("_", " "), _text(value)) for name, value in fields.items() if not name.startswith("_")]


def _text(value: Any) -> str:
    plain = _plain(value)
    text = plain if isinstance(plain, str) else json.dumps(plain)
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]} …"


def _plain(value: Any) -> Any:
    """Return addresses in base58, bytes in hex, and variants by their names."""
    if isinstance(value, Pubkey):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Container | dict):
        return {str(name): _plain(one) for name, one in value.items() if not str(name).startswith("_")}
    if isinstance(value, list | tuple | ListContainer):
        values = list(value)
        if len(values) == SHOWN_BYTES and all(isinstance(one, int) for one in values):
            return bytes(values).hex()
        return [_plain(one) for one in values]
    if value is None or isinstance(value, bool | int | str):
        return value
    fields = {name: _plain(getattr(value, name)) for name in getattr(value, "__slots__", ()) or vars(value)}
    return {type(value).__name__: fields} if fields else type(value).__name__


def _failure(error: Any, instructions: list[dict[str, Any]], keys: list[str]) -> str:
    """Say in a program's own words why it failed, where it has some."""
    if isinstance(error, dict) and "InstructionError" in error:
        place, reason = error["InstructionError"]
        program = own_programs().get(keys[instructions[place]["programIdIndex"]]) if place < len(instructions) else None
        custom = reason.get("Custom") if isinstance(reason, dict) else None
        words = program.error(custom) if program and custom is not None else None
        return f"Instruction {place + 1}: {words or json.dumps(reason)}"
    return error if isinstance(error, str) else json.dumps(error)
