"""The risk program over an exchange: figures, portfolios, margin calls."""

import struct
from typing import Any

from solders.instruction import AccountMeta
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.transaction_metadata import TransactionMetadata

from tests.programs.support.exchange import Exchange
from tests.programs.support.idl import Program
from tests.programs.support.svm import SYSTEM

Figures = tuple[int, int, int, int]


class Risks:
    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.program = Program("risk")
        exchange.chain.add(self.program)

    def check(self, owner: Keypair, *, markets: bool = True, **accounts: Pubkey) -> Figures:
        """Return equity, initial and maintenance margin, and what is free."""
        named = {"user": self.exchange.user(owner)} | accounts
        return figures(self._send("check_account", {}, named, [self.exchange.charlie], self._markets() if markets else []))

    def portfolio(self, owner: Keypair, users: list[Pubkey]) -> Figures:
        more = [AccountMeta(user, is_signer=False, is_writable=False) for user in users] + self._markets()
        return figures(self._send("check_portfolio", {"accounts": len(users)}, {"owner": owner.pubkey()}, [self.exchange.charlie], more))

    def call(self, owner: Keypair) -> None:
        accounts = {
            "caller": self.exchange.charlie.pubkey(),
            "user": self.exchange.user(owner),
            "margin_call": self.margin_call(owner),
            "system_program": SYSTEM,
        }
        self._send("call_margin", {}, accounts, [self.exchange.charlie], self._markets())

    def end(self, owner: Keypair, *, caller: Keypair | None = None) -> None:
        caller = caller or self.exchange.charlie
        accounts = {"user": self.exchange.user(owner), "caller": caller.pubkey(), "margin_call": self.margin_call(owner)}
        self._send("end_margin_call", {}, accounts, [self.exchange.bob], self._markets())

    def margin_call(self, owner: Keypair) -> Pubkey:
        return self.program.pda(b"margin_call", bytes(self.exchange.user(owner)))

    def _markets(self) -> list[AccountMeta]:
        return [AccountMeta(self.exchange.market(), is_signer=False, is_writable=False)]

    def _send(
        self, name: str, arguments: dict[str, Any], accounts: dict[str, Any], signers: list[Keypair], more: list[AccountMeta]
    ) -> TransactionMetadata:
        named = {"exchange": self.exchange.exchange} | accounts
        instruction = self.program.instruction(name, arguments, named, more)
        return self.exchange.chain.send([instruction], signers, label=f"risk {name}")


def figures(result: TransactionMetadata) -> Figures:
    equity, initial, maintenance, free = struct.unpack("<4q", bytes(result.return_data().data))  # type: ignore[attr-defined]  # the stubs lack it
    return equity, initial, maintenance, free
