"""The oracle program's feeds, and Pyth accounts as the receiver would write them."""

import hashlib
import struct
from typing import Any

from solders.account import Account
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from tests.programs.support.idl import Program
from tests.programs.support.svm import INSTRUCTIONS, SYSTEM, Chain

RECEIVER = Pubkey.from_string("rec5EKMGg6MxZYaMdyBfgwp4d5rB9T1VQH5pJv5LtFJ")
FEED_ID = bytes(range(32))
E8 = 10**8


def program_key(name: str) -> Keypair:
    """The key of a program on localnet: known to everybody, so worth nothing elsewhere."""
    return Keypair.from_seed(hashlib.sha256(f"quantdesk localnet {name}".encode()).digest())


def price_update(
    *,
    price: int,
    published_at: int,
    confidence: int = 1,
    exponent: int = -8,
    feed_id: bytes = FEED_ID,
    level: bytes = b"\x01",
    discriminator: bytes = bytes.fromhex("22f123639d7ef4cd"),
) -> bytes:
    """Return a PriceUpdateV2 account's data; `level` is 01 when verified in full, 00 and a number of signatures when partly."""
    body = feed_id + struct.pack("<qQiqqqQQ", price, confidence, exponent, published_at, published_at - 1, price, confidence, 1)
    return (discriminator + bytes(32) + level + body).ljust(134, b"\0")


class Prices:
    """A feed with two publishers beside Pyth."""

    def __init__(self, chain: Chain, program: Program, payer: Keypair, authority: Keypair) -> None:
        self.chain = chain
        self.program = program
        self.payer = payer
        self.authority = authority
        self.publishers = [chain.key(901), chain.key(902)]
        self.oracle = program.pda(b"oracle")

    def feed(self, index: int = 1) -> Pubkey:
        return self.program.pda(b"feed", index.to_bytes(4, "little"))

    def parameters(self, **changes: Any) -> dict[str, Any]:
        return {
            "pyth_feed_id": FEED_ID,
            "publishers": [key.pubkey() for key in self.publishers],
            "quorum": 2,
            "max_age_s": 60,
            "max_confidence_ppm": 20_000,
            "agreement_ppm": 5_000,
            "max_jump_ppm": 100_000,
        } | changes

    def initialise(self, *, program_signer: Keypair | None = None) -> None:
        signer = program_signer or program_key("oracle")
        accounts = {"payer": self.payer.pubkey(), "program": signer.pubkey(), "oracle": self.oracle, "system_program": SYSTEM}
        self.send("initialise", {"authority": self.authority.pubkey()}, accounts, [self.payer, signer])

    def create(self, index: int = 1, *, authority: Keypair | None = None, **changes: Any) -> None:
        authority = authority or self.authority
        accounts = {"payer": self.payer.pubkey(), "authority": authority.pubkey(), "oracle": self.oracle, "feed": self.feed(index)}
        self.send("create_feed", {"index": index, "parameters": self.parameters(**changes)}, accounts, [self.payer, authority])

    def offering(self, offered: Pubkey, authority: Pubkey) -> Instruction:
        return self.instruction("offer_authority", {"offered": offered}, self._authorised(authority))

    def accepting(self, authority: Pubkey) -> Instruction:
        return self.instruction("accept_authority", {}, self._authorised(authority))

    def hand_on(self, to: Keypair) -> None:
        """Let the authority offer itself, and the next one accept."""
        self.chain.send([self.offering(to.pubkey(), self.authority.pubkey())], [self.authority], label="oracle offer_authority")
        self.chain.send([self.accepting(to.pubkey())], [to], label="oracle accept_authority")

    def _authorised(self, authority: Pubkey) -> dict[str, Any]:
        return {"authority": authority, "oracle": self.oracle, "instructions": INSTRUCTIONS}

    def write_pyth(self, data: bytes, *, owner: Pubkey = RECEIVER) -> Pubkey:
        address = Keypair.from_seed(hashlib.sha256(data).digest()).pubkey()
        self.chain.svm.set_account(address, Account(10**9, data, owner))
        return address

    def update(self, address: Pubkey, index: int = 1) -> None:
        self.send("update_from_pyth", {}, {"feed": self.feed(index), "price_update": address}, [self.payer])

    def pyth(self, price: int, *, index: int = 1, owner: Pubkey = RECEIVER, **changes: Any) -> None:
        """Let Pyth say a price in whole dollars, now."""
        data = price_update(**({"price": price * E8, "published_at": self.chain.now} | changes))
        self.update(self.write_pyth(data, owner=owner), index)

    def publish(self, publisher: Keypair, price: int, *, index: int = 1, confidence_e8: int = E8, published_at: int | None = None) -> None:
        at = self.chain.now if published_at is None else published_at
        arguments = {"price_e8": price * E8, "confidence_e8": confidence_e8, "published_at": at}
        self.send("publish", arguments, {"publisher": publisher.pubkey(), "feed": self.feed(index)}, [self.payer, publisher])

    def agree(self, price: int, index: int = 1) -> None:
        """Let every source say the same price: the publishers first, so that Pyth's word makes it valid."""
        for publisher in self.publishers:
            self.publish(publisher, price, index=index)
        self.pyth(price, index=index)

    def state(self, index: int = 1) -> dict[str, Any]:
        return self.program.account("Feed", self.chain.data(self.feed(index)))

    def oracle_state(self) -> dict[str, Any]:
        return self.program.account("Oracle", self.chain.data(self.oracle))

    def send(self, name: str, arguments: dict[str, Any], accounts: dict[str, Any], signers: list[Keypair]) -> None:
        self.chain.send([self.instruction(name, arguments, accounts)], signers, label=f"oracle {name}")

    def instruction(self, name: str, arguments: dict[str, Any], accounts: dict[str, Any]) -> Instruction:
        return self.program.instruction(name, arguments, accounts, [])
