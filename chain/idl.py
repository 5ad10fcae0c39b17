"""The programs that this exchange built, by their IDLs: instructions out, accounts and events back. Coding is anchorpy's."""

import base64
import hashlib
import warnings
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from anchorpy.coder.coder import Coder
from anchorpy_core.idl import Idl
from construct import ConstructError
from django.conf import settings
from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from chain.errors import ChainError

PROGRAMS = Path(__file__).parent / "programs"
DATA = "Program data: "


class WrongAccount(ChainError):
    """An account that is missing, belongs to another program or is of another kind: a wrong address or cluster."""

    code = "CHAIN_WRONG_ACCOUNT"
    status = 502


class AnchorProgram:
    """`folder` holds NAME.legacy.json, the form of IDL that anchorpy reads; by default the one of the setting."""

    def __init__(self, name: str, *, folder: Path | None = None) -> None:
        self.name = name
        self._text = ((folder or programs_folder()) / f"{name}.legacy.json").read_text()

    @cached_property
    def idl(self) -> Any:
        return Idl.from_json(self._text)

    @cached_property
    def id(self) -> Pubkey:
        return Pubkey.from_string(self.idl.metadata["address"])

    @cached_property
    def _coder(self) -> Any:
        with warnings.catch_warnings():
            # sumtypes, which anchorpy makes its enums with, gives attrs an argument that attrs no longer wants.
            warnings.filterwarnings("ignore", "The `repr_ns` argument", DeprecationWarning)
            return Coder(self.idl)

    @cached_property
    def _instructions(self) -> dict[str, Any]:
        return {snake_case(one.name): one for one in self.idl.instructions}

    def pda(self, *seeds: bytes) -> Pubkey:
        return Pubkey.find_program_address(list(seeds), self.id)[0]

    def instruction(
        self, name: str, arguments: dict[str, Any], accounts: dict[str, Pubkey], more: Iterable[AccountMeta] = ()
    ) -> Instruction:
        """Build an instruction; names are in snake case. An optional account may be left out: Anchor then takes the program's address."""
        described = self._instructions[name].accounts
        unknown = accounts.keys() - {snake_case(one.name) for one in described}
        assert not unknown, f"{name} has no accounts {unknown}"
        metas = [self._meta(one, accounts.get(snake_case(one.name))) for one in described]
        return Instruction(self.id, self._coder.instruction.encode(name, arguments), [*metas, *more])

    def encoded(self, name: str, arguments: bytes, accounts: dict[str, Pubkey], more: Iterable[AccountMeta] = ()) -> Instruction:
        """Build an instruction whose arguments are encoded already: the program's own bytes of an enum, say."""
        metas = [self._meta(one, accounts.get(snake_case(one.name))) for one in self._instructions[name].accounts]
        discriminator = hashlib.sha256(f"global:{name}".encode()).digest()[:8]
        return Instruction(self.id, discriminator + arguments, [*metas, *more])

    def accounts_of(self, instruction: str) -> list[str]:
        """Return what an instruction calls its accounts, in order."""
        return [snake_case(one.name) for one in self._instructions[instruction].accounts]

    def decode(self, data: bytes) -> tuple[str, Any] | None:
        """Return an instruction's name and arguments; None for what this program does not know."""
        try:
            found = self._coder.instruction.parse(data)
        except (ConstructError, KeyError):
            return None
        return found.name, found.data

    def error(self, code: int) -> str | None:
        """Return what one of this program's own errors says."""
        errors = self.idl.errors or ()
        return next((f"{one.name}: {one.msg}" for one in errors if one.code == code), None)

    def discriminator(self, kind: str) -> bytes:
        """Return what accounts of a kind begin with."""
        return bytes(self._coder.accounts.acc_name_to_discriminator[kind])

    def account(self, kind: str, account: Account | None) -> Any:
        """Decode an account of this program; WrongAccount unless it is one of that kind."""
        if account is None or account.owner != self.id:
            raise WrongAccount(f"There is no {kind} of {self.name} at this address.")
        data = bytes(account.data)
        if data[:8] != self._coder.accounts.acc_name_to_discriminator[kind]:
            raise WrongAccount(f"The account is no {kind} of {self.name}.")
        try:
            return self._coder.accounts.decode(data)
        except ConstructError as error:
            raise WrongAccount(f"The {kind} cannot be read: it was written by another version of {self.name}.") from error

    def events(self, logs: Iterable[str]) -> list[tuple[str, Any]]:
        """Return what this program itself told, in order. What a program that it calls, or that calls it, logs is not its word."""
        told: list[tuple[str, Any]] = []
        running: list[str] = []
        for line in logs:
            words = line.split()
            # "Program log: …" is what a program itself says: it must not pass for a call or its end.
            spoken = words[:1] != ["Program"] or words[1].endswith(":")
            if not spoken and words[2:3] == ["invoke"]:
                running.append(words[1])
            elif not spoken and words[2:3] in (["success"], ["failed:"]):
                running.pop()
            elif line.startswith(DATA) and running[-1:] == [str(self.id)]:
                event = self._coder.events.parse(base64.b64decode(line.removeprefix(DATA)))
                told += [(event.name, event.data)] if event is not None else []
        return told

    def _meta(self, described: Any, key: Pubkey | None) -> AccountMeta:
        if key is None:
            assert described.is_optional, f"{described.name} is missing"
            return AccountMeta(self.id, is_signer=False, is_writable=False)
        return AccountMeta(key, is_signer=described.is_signer, is_writable=described.is_mut)


def programs_folder() -> Path:
    """Return where the programs of this exchange are; without Django's settings those that were built here."""
    return Path(settings.CHAIN_PROGRAMS) if settings.configured else PROGRAMS


def snake_case(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
