"""The exchange's program as the chain app reads it."""

from typing import Any

from solders.pubkey import Pubkey

from chain.client import ChainClient, Commitment
from chain.idl import AnchorProgram
from chain.outbox.route import ChainSequence


class PerpDex:
    def __init__(self) -> None:
        self.program = AnchorProgram("perp_dex")
        self.exchange = self.program.pda(b"exchange")

    def user(self, owner: Pubkey, sub_account: int = 0) -> Pubkey:
        return self.program.pda(b"user", bytes(owner), sub_account.to_bytes(2, "little"))

    def asset(self, mint: Pubkey) -> dict[str, Pubkey]:
        """Return the accounts of a listed asset, as instructions name them."""
        seeds = {"asset": b"asset", "vault": b"vault", "vault_authority": b"vault_authority"}
        return {name: self.program.pda(seed, bytes(mint)) for name, seed in seeds.items()}

    def read_exchange(self, client: ChainClient, *, commitment: Commitment, min_slot: int | None = None) -> Any:
        return self.program.account("Exchange", client.account(self.exchange, commitment=commitment, min_slot=min_slot))

    def sequence(self, client: ChainClient, *, commitment: Commitment, min_slot: int) -> ChainSequence:
        """Return the last batch that the program closed: the outbox's reader for batches."""
        exchange = self.read_exchange(client, commitment=commitment, min_slot=min_slot)
        return ChainSequence(seq=exchange.last_seq, hash=bytes(exchange.last_hash))
