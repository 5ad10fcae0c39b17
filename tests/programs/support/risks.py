"""The risk program over an exchange: figures, portfolios, margin calls."""

import struct
from collections.abc import Sequence
from typing import Any

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.transaction_metadata import TransactionMetadata

from tests.programs.support.exchange import MARKET, Exchange
from tests.programs.support.idl import Program
from tests.programs.support.svm import INSTRUCTIONS, SYSTEM

Weights = Sequence[tuple[int, int, int]]
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

    def collateral(self, owner: Keypair, *, leave_out: Sequence[Pubkey] = (), feed: int = 2) -> Figures:
        """Return the figures with collateral at haircuts, and add-ons for large positions."""
        exchange = self.exchange
        book = [exchange.market(), self.limits(), self.haircut(1), exchange.prices.feed(feed)]
        more = [AccountMeta(key, is_signer=False, is_writable=False) for key in book if key not in leave_out and exchange.chain.exists(key)]
        return figures(self._send("check_collateral", {}, {"user": exchange.user(owner)}, [exchange.charlie], more))

    def room(self, owner: Keypair, *, buys: bool) -> int:
        """Return how many lots an account may add."""
        accounts = {"user": self.exchange.user(owner), "limits": self.limits()}
        result = self._send("position_room", {"buys": buys}, accounts, [self.exchange.charlie], [])
        return int(struct.unpack("<Q", bytes(result.return_data().data))[0])  # type: ignore[attr-defined]  # the stubs lack it

    def set_haircut(self, weights: Weights, *, asset: int = 1, feed: int = 2, authority: Keypair | None = None) -> None:
        authority = authority or self.exchange.authority
        instruction = self.haircut_instruction(weights, asset=asset, feed=feed, authority=authority)
        self.exchange.chain.send([instruction], [self.exchange.payer, authority], label="risk set_haircut")

    def haircut_instruction(
        self, weights: Weights, *, asset: int = 1, feed: int = 2, authority: Keypair | None = None, payer: Keypair | None = None
    ) -> Instruction:
        names = ("value_from_atoms", "initial_ppm", "maintenance_ppm")
        accounts: dict[str, Pubkey | None] = {
            "asset": self.exchange.asset_accounts(asset)["asset"],
            "mint": self.exchange.mints[asset],
            "feed": self.exchange.prices.feed(feed),
            "haircut": self.haircut(asset),
        }
        arguments = {"weights": [dict(zip(names, weight, strict=True)) for weight in weights]}
        return self.program.instruction("set_haircut", arguments, self._signed(authority, payer) | accounts, [])

    def set_limits(self, *, lots: int, from_atoms: int = 2**63, rate_ppm: int = 0, authority: Keypair | None = None) -> None:
        authority = authority or self.exchange.authority
        instruction = self.limits_instruction(lots=lots, from_atoms=from_atoms, rate_ppm=rate_ppm, authority=authority)
        self.exchange.chain.send([instruction], [self.exchange.payer, authority], label="risk set_market_limits")

    def limits_instruction(
        self,
        *,
        lots: int,
        from_atoms: int = 2**63,
        rate_ppm: int = 0,
        authority: Keypair | None = None,
        payer: Keypair | None = None,
    ) -> Instruction:
        limits = {"max_position_lots": lots, "concentration_from_atoms": from_atoms, "concentration_ppm": rate_ppm}
        accounts = self._signed(authority, payer) | {"market": self.exchange.market(), "limits": self.limits()}
        return self.program.instruction("set_market_limits", {"limits": limits}, accounts, [])

    def _signed(self, authority: Keypair | None, payer: Keypair | None) -> dict[str, Pubkey | None]:
        signers = {"payer": (payer or self.exchange.payer).pubkey(), "authority": (authority or self.exchange.authority).pubkey()}
        return {"exchange": self.exchange.exchange, "system_program": SYSTEM, "instructions": INSTRUCTIONS, **signers}

    def haircut(self, asset: int) -> Pubkey:
        return self.program.pda(b"haircut", bytes(self.exchange.mints[asset]))

    def limits(self) -> Pubkey:
        return self.program.pda(b"limits", MARKET.to_bytes(4, "little"))

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
