"""A route whose entries are SPL transfers: each also moves one unit of a counter, which is the on-chain sequence.

Nothing on chain stops a second transfer, unlike a real program: if the outbox sent one, the balances would show it.
"""

import struct
from dataclasses import dataclass

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import TransferParams, transfer

from chain.client import ChainClient, Commitment
from chain.models import OutboxEntry
from chain.outbox.queue import enqueue
from chain.outbox.route import ChainSequence
from tests.chain.localnets import Localnet
from tests.chain.minting import Mint

AMOUNT_OFFSET = 64
SHARD = "transfers"
MONEY = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    money: str
    receiver: str
    counter: str
    counted: str


class TransferRoute:
    def __init__(self, payer: Keypair, accounts: Accounts) -> None:
        self.payer = payer
        self._accounts = accounts

    def sequence(self, client: ChainClient, *, commitment: Commitment, min_slot: int) -> ChainSequence:
        account = client.account(Pubkey.from_string(self._accounts.counted), commitment=commitment, min_slot=min_slot)
        assert account is not None
        (seq,) = struct.unpack_from("<Q", account.data, AMOUNT_OFFSET)
        return ChainSequence(seq=seq)

    def instructions(self, entry: OutboxEntry) -> list[Instruction]:
        amount = int.from_bytes(entry.payload, "little")
        return [
            self._move(self._accounts.money, self._accounts.receiver, amount),
            self._move(self._accounts.counter, self._accounts.counted, 1),
        ]

    def _move(self, source: str, target: str, amount: int) -> Instruction:
        owner = self.payer.pubkey()
        return transfer(TransferParams(TOKEN_PROGRAM_ID, Pubkey.from_string(source), Pubkey.from_string(target), owner, amount))


class Desk:
    """Alice pays Bob by the outbox."""

    def __init__(self, localnet: Localnet) -> None:
        self.localnet = localnet
        self.alice, bob = localnet.rich(), Keypair().pubkey()
        self.mint, counter = Mint(localnet, self.alice), Mint(localnet, self.alice)
        self.accounts = Accounts(
            money=str(self.mint.open(self.alice.pubkey(), MONEY)),
            receiver=str(self.mint.open(bob)),
            counter=str(counter.open(self.alice.pubkey(), 1_000)),
            counted=str(counter.open(bob)),
        )
        self.counter = counter
        self.route = TransferRoute(self.alice, self.accounts)

    def queue(self, *amounts: int) -> None:
        for amount in amounts:
            enqueue(shard=SHARD, payload=amount.to_bytes(8, "little"))

    def landed_anything(self) -> bool:
        """Whether the open block holds a transaction."""
        return self.localnet.do(lambda: bool(self.localnet.chain.open.entries))

    def received(self) -> int:
        return self.mint.balance(Pubkey.from_string(self.accounts.receiver), "finalized")

    def counted(self) -> int:
        return self.counter.balance(Pubkey.from_string(self.accounts.counted), "finalized")
