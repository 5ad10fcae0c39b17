"""The jit program over an exchange whose operator is silent: Alice takes, Bob and Charlie make, Charlie manages a pool."""

import hashlib
from typing import Any

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.transaction_metadata import TransactionMetadata

from markets.signed_orders import SignedOrder, encode
from tests.programs.support.exchange import HOUR_S, USDC, Exchange, ed25519
from tests.programs.support.idl import Program
from tests.programs.support.prices import program_key
from tests.programs.support.svm import INSTRUCTIONS, SYSTEM, TOKEN

DAY_S = 24 * HOUR_S
PARAMETERS: dict[str, Any] = {
    "start_ppm": 2_500,
    "end_ppm": 5_000,
    "percent_slots": 100,
    "settle_slots": 100,
    "bond_lamports": 10**9,
    "min_join_atoms": USDC,
    "leave_s": 3 * DAY_S,
    "claim_s": DAY_S,
}


def digest(order: SignedOrder) -> bytes:
    return hashlib.sha256(encode(order)).digest()


class Auctions:
    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.program = Program("jit")
        exchange.chain.add(self.program)
        self.terms = self.program.pda(b"terms")

    def initialise(self, *, signer: Keypair | None = None, asset: int = 0, **changes: Any) -> None:
        signer, payer = signer or program_key("jit"), self.exchange.payer
        accounts = {"payer": payer.pubkey(), "program": signer.pubkey(), "asset": self.exchange.asset_accounts(asset)["asset"]}
        self.send("initialise", {"parameters": PARAMETERS | changes}, accounts, [payer, signer])

    # Auctions.

    def open(self, order: SignedOrder, by: Keypair, *, verified: list[Instruction] | None = None, **accounts: Pubkey) -> None:
        key = self.exchange.keys[by]
        named = {
            "payer": self.exchange.payer.pubkey(),
            "user": self.exchange.user(by),
            "trading_key": self.exchange.trading_key(by, key),
            "fills": self.exchange.fills(encode(order)),
            "auction": self.auction_of(order),
        }
        verified = [ed25519((key, encode(order)))] if verified is None else verified
        self.send("open_auction", {"order": digest(order)}, named | accounts, [self.exchange.payer], verified=verified)

    def bid(
        self, taken: SignedOrder, made: SignedOrder, by: Keypair, *, verified: list[Instruction] | None = None, **accounts: Pubkey
    ) -> None:
        key = self.exchange.keys[by]
        named = {
            "payer": by.pubkey(),
            "auction": self.auction_of(taken),
            "user": self.exchange.user(by),
            "trading_key": self.exchange.trading_key(by, key),
            "fills": self.exchange.fills(encode(made)),
            "bid": self.bid_of(taken, by),
        }
        verified = [ed25519((key, encode(made)))] if verified is None else verified
        self.send("bid", {"order": digest(made)}, named | accounts, [by], verified=verified)

    def settle(
        self, taken: SignedOrder, made: SignedOrder, *, taker: Keypair, maker: Keypair, named: dict[str, Pubkey] | None = None
    ) -> None:
        instructions = self.settle_instructions(taken, made, taker=taker, maker=maker, others=named or {})
        self.exchange.chain.send(instructions, [self.exchange.payer], label="jit settle_bid")

    def settle_instructions(
        self, taken: SignedOrder, made: SignedOrder, *, taker: Keypair, maker: Keypair, others: dict[str, Pubkey] | None = None
    ) -> list[Instruction]:
        signed = [(self.exchange.keys[taker], encode(taken)), (self.exchange.keys[maker], encode(made))]
        named = self._bid(taken, made, maker) | {
            "payer": self.exchange.payer.pubkey(),
            "taker": self.exchange.user(taker),
            "taker_key": self.exchange.trading_key(taker, self.exchange.keys[taker]),
        }
        ordered = signed if taken.side == "buy" else signed[::-1]
        return [ed25519(*ordered), self.instruction("settle_bid", {}, named | (others or {}), self.markets())]

    def default(self, taken: SignedOrder, made: SignedOrder, *, taker: Keypair, maker: Keypair, **accounts: Pubkey) -> None:
        named = self._bid(taken, made, maker) | {"taker_owner": taker.pubkey()}
        self.send("default_bid", {}, named | accounts, [self.exchange.payer], self.markets())

    def release(self, taken: SignedOrder, made: SignedOrder, *, maker: Keypair, **accounts: Pubkey) -> None:
        self.send("release_bid", {}, self._bid(taken, made, maker) | accounts, [self.exchange.payer])

    def _bid(self, taken: SignedOrder, made: SignedOrder, maker: Keypair) -> dict[str, Pubkey]:
        return {
            "auction": self.auction_of(taken),
            "bid": self.bid_of(taken, maker),
            "bidder": maker.pubkey(),
            "maker": self.exchange.user(maker),
            "maker_key": self.exchange.trading_key(maker, self.exchange.keys[maker]),
            "taker_fills": self.exchange.fills(encode(taken)),
            "maker_fills": self.exchange.fills(encode(made)),
        }

    # Pools.

    def create(self, manager: Keypair) -> None:
        accounts = {"manager": manager.pubkey(), "mint": self.exchange.mints[0]}
        self.send("create_pool", {}, accounts | self.pool_accounts(manager), [manager])

    def join(self, manager: Keypair, owner: Keypair, amount: int, **accounts: Pubkey) -> None:
        named = {"owner": owner.pubkey(), "source": self.exchange.wallet(owner), "member": self.member_of(manager, owner)}
        self.send("join", {"amount": amount}, self.pool_accounts(manager) | named | accounts, [owner], self.markets())

    def request(self, manager: Keypair, owner: Keypair, shares: int | None = None, *, signer: Keypair | None = None) -> None:
        signer = signer or owner
        shares = self.member(manager, owner)["shares"] if shares is None else shares
        named = self.pool_accounts(manager) | {"owner": signer.pubkey(), "member": self.member_of(manager, owner)}
        self.send("request_leave", {"shares": shares}, named, [signer], self.markets())

    def cancel(self, manager: Keypair, owner: Keypair, *, signer: Keypair | None = None) -> None:
        signer = signer or owner
        named = self.pool_accounts(manager) | {"owner": signer.pubkey(), "member": self.member_of(manager, owner)}
        self.send("cancel_leave", {}, named, [signer])

    def leave(self, manager: Keypair, owner: Keypair, *, signer: Keypair | None = None, **accounts: Pubkey) -> int:
        """Return what was paid."""
        signer = signer or owner
        wallet = self.exchange.wallet(signer)
        before = self.exchange.chain.tokens(wallet)
        named = {"owner": signer.pubkey(), "member": self.member_of(manager, owner), "destination": wallet}
        self.send("leave", {}, self.pool_accounts(manager) | named | accounts, [signer], self.markets())
        return self.exchange.chain.tokens(wallet) - before

    def deploy(self, manager: Keypair, amount: int, *, signer: Keypair | None = None, **accounts: Pubkey) -> None:
        signer = signer or manager
        named = self.pool_accounts(manager) | {"manager": signer.pubkey()} | self._listed()
        self.send("deploy", {"amount": amount}, named | accounts, [signer])

    def recall(self, manager: Keypair, amount: int, *, caller: Keypair | None = None, **accounts: Pubkey | None) -> None:
        caller = caller or manager
        member = self.member_of(manager, caller)
        named: dict[str, Pubkey | None] = {
            **self.pool_accounts(manager),
            **self._listed(),
            "caller": caller.pubkey(),
            "member": member if self.exchange.chain.exists(member) else None,
            "settler": self.exchange.settler.pubkey(),
            "vault_authority": self.exchange.asset_accounts(0)["vault_authority"],
            "voucher": None,
        }
        self.send("recall", {"amount": amount}, named | accounts, [caller], self.markets())

    def register_key(self, manager: Keypair, key: Keypair, *, signer: Keypair | None = None) -> None:
        signer = signer or manager
        arguments = {"key": key.pubkey(), "market_id": 2**32 - 1, "cap_atoms": 10**15, "expires_at": self.exchange.chain.now + 10**7}
        named = self.pool_accounts(manager) | {"manager": signer.pubkey(), "trading_key": self.key_of(manager, key)}
        self.send("register_pool_key", arguments, named, [signer])

    def revoke_key(self, manager: Keypair, key: Keypair, *, signer: Keypair | None = None) -> None:
        signer = signer or manager
        named = self.pool_accounts(manager) | {"manager": signer.pubkey(), "trading_key": self.key_of(manager, key)}
        self.send("revoke_pool_key", {}, named, [signer])

    def collect(self, manager: Keypair, source: Pubkey | None = None) -> None:
        named = self.pool_accounts(manager) | {"source": source}
        self.send("collect", {}, named, [self.exchange.payer])

    # Where things are, and what they say.

    def auction_of(self, order: SignedOrder) -> Pubkey:
        return self.program.pda(b"auction", digest(order))

    def bid_of(self, order: SignedOrder, maker: Keypair) -> Pubkey:
        return self.program.pda(b"bid", bytes(self.auction_of(order)), bytes(self.exchange.user(maker)))

    def auction(self, order: SignedOrder) -> dict[str, Any]:
        return self.program.account("Auction", self.exchange.chain.data(self.auction_of(order)))

    def pool_of(self, manager: Keypair) -> Pubkey:
        return self.program.pda(b"pool", bytes(manager.pubkey()))

    def owner_of(self, manager: Keypair) -> Pubkey:
        return self.program.pda(b"pool_owner", bytes(self.pool_of(manager)))

    def user_of(self, manager: Keypair) -> Pubkey:
        return self.exchange.dex.pda(b"user", bytes(self.owner_of(manager)), bytes(2))

    def key_of(self, manager: Keypair, key: Keypair) -> Pubkey:
        return self.exchange.dex.pda(b"key", bytes(self.user_of(manager)), bytes(key.pubkey()))

    def member_of(self, manager: Keypair, owner: Keypair) -> Pubkey:
        return self.program.pda(b"member", bytes(self.pool_of(manager)), bytes(owner.pubkey()))

    def pool(self, manager: Keypair) -> dict[str, Any]:
        return self.program.account("Pool", self.exchange.chain.data(self.pool_of(manager)))

    def member(self, manager: Keypair, owner: Keypair) -> dict[str, Any]:
        return self.program.account("Member", self.exchange.chain.data(self.member_of(manager, owner)))

    def vault_of(self, manager: Keypair) -> Pubkey:
        return self.program.pda(b"pool_vault", bytes(self.pool_of(manager)))

    def pool_accounts(self, manager: Keypair) -> dict[str, Pubkey]:
        return {
            "pool": self.pool_of(manager),
            "pool_owner": self.owner_of(manager),
            "vault": self.vault_of(manager),
            "user": self.user_of(manager),
        }

    def markets(self) -> list[AccountMeta]:
        return [AccountMeta(self.exchange.market(), is_signer=False, is_writable=False)]

    def _listed(self) -> dict[str, Pubkey]:
        listed = self.exchange.asset_accounts(0)
        return {"asset": listed["asset"], "dex_vault": listed["vault"]}

    def instruction(
        self, name: str, arguments: dict[str, Any], accounts: dict[str, Any], more: list[AccountMeta] | None = None
    ) -> Instruction:
        fixed = {
            "terms": self.terms,
            "exchange": self.exchange.exchange,
            "market": self.exchange.market(),
            "perp_dex": self.exchange.dex.id,
            "instructions": INSTRUCTIONS,
            "token_program": TOKEN,
            "system_program": SYSTEM,
        }
        described = {account["name"] for account in self.program.instructions[name]["accounts"]}
        named = {key: value for key, value in (fixed | accounts).items() if key in described}
        return self.program.instruction(name, arguments, named, more or [])

    def send(
        self,
        name: str,
        arguments: dict[str, Any],
        accounts: dict[str, Any],
        signers: list[Keypair],
        more: list[AccountMeta] | None = None,
        *,
        verified: list[Instruction] | None = None,
    ) -> TransactionMetadata:
        instruction = self.instruction(name, arguments, accounts, more)
        return self.exchange.chain.send([*(verified or []), instruction], signers, label=f"jit {name}")
