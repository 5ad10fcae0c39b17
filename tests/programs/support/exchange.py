"""An exchange on a real SVM: Alice and Bob trade, Charlie is the stranger, the settler posts batches."""

import hashlib
import struct
from collections.abc import Sequence
from typing import Any

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.transaction_metadata import TransactionMetadata

from chain import merkle
from markets.signed_orders import Domain, SignedOrder, encode
from tests.programs.support.batches import GIVING_UP, TICK_LOT_ATOMS, Batch, Entry, Leaf, nodes, trade
from tests.programs.support.idl import Program
from tests.programs.support.prices import E8, Prices, program_key
from tests.programs.support.svm import INSTRUCTIONS, SYSTEM, TOKEN, Chain

ED25519 = Pubkey.from_string("Ed25519SigVerify111111111111111111111111111")
GENESIS = bytes([9] * 32)
MARKET = 1
PRICE = 100_000  # dollars
TICKS = PRICE * 10
USDC = 10**6
HOUR_S = 3_600
TIER = {"notional_from_atoms": 0, "maintenance_ppm": 12_500, "deduction_atoms": 0, "max_leverage": 40}
MARKET_PARAMETERS: dict[str, Any] = {
    "tick_e8": 10_000_000,
    "lot_e8": 100_000,
    "max_price_age_s": 120,
    "band_ppm": 50_000,
    "mark_band_ppm": 0,
    "funding_cap_ppb": 5_000_000,
    "liquidation_fee_ppm": 10_000,
    "tiers": [TIER],
}
PARAMETERS = {
    "challenge_window_s": 600,
    "answer_window_s": 300,
    "silent_slots": 1_000,
    "exit_s": 86_400,
    "freeze_slots": 1_000,
    "bond_lamports": 10**8,
    "loosening_s": 7 * 86_400,
}
LIMITS = {"deposit_cap_atoms": 10**9 * USDC, "hour_atoms": 10**6 * USDC, "day_atoms": 5 * 10**6 * USDC}
WALLET = 10**7 * USDC


def ed25519(*signed: tuple[Keypair, bytes]) -> Instruction:
    """Return the Ed25519 program's instruction over messages, each entry inside itself."""
    start = 2 + 14 * len(signed)
    offsets, blob = b"", b""
    for key, message in signed:
        at = start + len(blob)
        offsets += struct.pack("<7H", at, 0xFFFF, at + 64, 0xFFFF, at + 96, len(message), 0xFFFF)
        blob += bytes(key.sign_message(message)) + bytes(key.pubkey()) + message
    return Instruction(ED25519, bytes([len(signed), 0]) + offsets + blob, [])


class Exchange:
    markets: Sequence[int] = (MARKET,)
    market_parameters: dict[str, Any] = MARKET_PARAMETERS

    def __init__(self) -> None:
        self.dex, oracle = Program("perp_dex"), Program("oracle")
        self.chain = Chain(self.dex, oracle)
        key = self.chain.key
        self.payer, self.authority, self.settler, self.custodian = key(1), key(2), key(3), key(4)
        self.alice, self.bob, self.charlie = key(11), key(12), key(13)
        self.keys = {self.alice: key(21), self.bob: key(22)}
        self.prices = Prices(self.chain, oracle, self.payer, self.authority)
        self.exchange = self.dex.pda(b"exchange")
        self.mints = [self.chain.mint(501), self.chain.mint(502)]
        self.sub_accounts: dict[Keypair, int] = {}  # whose account is not the first
        self.wallets: dict[tuple[Keypair, int], Pubkey] = {}
        self.batches: list[Batch] = []
        self.nonce = 0

    # What the operator sets up.

    def begin(self) -> None:
        self.found()
        self.admit()

    def found(self) -> None:
        """Set up everything that is there before the first account."""
        self.prices.initialise()
        self.prices.create()
        self.prices.agree(PRICE)
        self.initialise()
        for asset in range(2):
            self.list_asset(asset)
        for market_id in self.markets:
            self.create_market(market_id)
            self.observe(market_id)

    def admit(self) -> None:
        for owner in (self.alice, self.bob, self.charlie, self.authority):
            self.create_user(owner)
        for owner, trading_key in self.keys.items():
            self.register_key(owner, trading_key)

    def initialise(self, *, program_signer: Keypair | None = None, **changes: Any) -> None:
        signer = program_signer or program_key("perp_dex")
        arguments = {
            "authority": self.authority.pubkey(),
            "settler": self.settler.pubkey(),
            "custodian": self.custodian.pubkey(),
            "genesis_hash": GENESIS,
            "parameters": PARAMETERS | changes,
        }
        self.send("initialise", arguments, {"payer": self.payer.pubkey(), "program": signer.pubkey()}, [self.payer, signer])

    def list_asset(self, asset: int, *, authority: Keypair | None = None) -> None:
        authority = authority or self.authority
        accounts = {"payer": self.payer.pubkey(), "authority": authority.pubkey(), **self.asset_accounts(asset)}
        self.send("list_asset", {"limits": LIMITS}, accounts, [self.payer, authority])

    def create_market(
        self, market_id: int = MARKET, *, feed: Pubkey | None = None, authority: Keypair | None = None, **changes: Any
    ) -> None:
        authority = authority or self.authority
        accounts = {"payer": self.payer.pubkey(), "authority": authority.pubkey(), "market": self.market(market_id)}
        accounts["feed"] = feed or self.prices.feed()
        arguments = {"market_id": market_id, "parameters": self.market_parameters | changes}
        self.send("create_market", arguments, accounts, [self.payer, authority])

    def observe(self, market_id: int = MARKET, *, feed: Pubkey | None = None) -> None:
        self.send("observe_market", {}, {"market": self.market(market_id), "feed": feed or self.prices.feed()}, [self.charlie])

    def reprice(self, dollars: int) -> None:
        self.prices.agree(dollars)
        self.observe()

    def offering(self, offered: Pubkey, authority: Pubkey) -> Instruction:
        return self.instruction("offer_authority", {"offered": offered}, {"authority": authority})

    def accepting(self, authority: Pubkey) -> Instruction:
        return self.instruction("accept_authority", {}, {"authority": authority})

    def hand_on(self, to: Keypair) -> None:
        """Let the authority offer itself, and the next one accept."""
        self.chain.send([self.offering(to.pubkey(), self.authority.pubkey())], [self.authority], label="offer_authority")
        self.chain.send([self.accepting(to.pubkey())], [to], label="accept_authority")

    # What users do.

    def create_user(self, owner: Keypair, sub_account: int = 0) -> None:
        accounts = {"payer": self.payer.pubkey(), "user": self.user(owner, sub_account)}
        chosen = sub_account or self.sub_accounts.get(owner, 0)
        self.send("create_user", {"owner": owner.pubkey(), "sub_account": chosen}, accounts, [self.payer])

    def register_key(self, owner: Keypair, trading_key: Keypair, **changes: Any) -> None:
        arguments = {
            "key": trading_key.pubkey(),
            "market_id": 2**32 - 1,
            "cap_atoms": 10**15,
            "expires_at": self.chain.now + 10**7,
            "custodied": False,
        } | changes
        accounts = {"owner": owner.pubkey(), "user": self.user(owner), "trading_key": self.trading_key(owner, trading_key)}
        self.send("register_key", arguments, accounts, [owner])

    def deposit(self, owner: Keypair, amount: int, asset: int = 0, sub_account: int = 0, **accounts: Pubkey) -> None:
        named = {"depositor": owner.pubkey(), "source": self.wallet(owner, asset), "user": self.user(owner, sub_account)}
        self.send("deposit", {"amount": amount}, self.asset_accounts(asset) | named | accounts, [owner])

    def voucher(self, owner: Keypair, number: int) -> Pubkey:
        return self.dex.pda(b"voucher", bytes(self.user(owner)), number.to_bytes(8, "little"))

    def grant(
        self, owner: Keypair, amount: int, *, number: int = 1, asset: int = 0, settler: Keypair | None = None, age_s: int = HOUR_S
    ) -> None:
        settler = settler or self.settler
        arguments = {"number": number, "asset": asset, "amount": amount, "expires_at": self.chain.now + age_s}
        accounts = {"settler": settler.pubkey(), "user": self.user(owner), "voucher": self.voucher(owner, number)}
        self.send("grant_voucher", arguments, accounts, [settler])

    def withdraw(
        self, owner: Keypair, amount: int, *, number: int | None = 1, asset: int = 0, signer: Keypair | None = None, **accounts: Pubkey
    ) -> None:
        signer = signer or owner
        named = {
            "signer": signer.pubkey(),
            "settler": self.settler.pubkey(),
            "user": self.user(owner),
            "destination": self.wallet(owner, asset),
            "voucher": None if number is None else self.voucher(owner, number),
        }
        more = [AccountMeta(self.market(), is_signer=False, is_writable=False)]
        self.send("withdraw", {"amount": amount}, self.asset_accounts(asset) | named | accounts, [signer], more)

    def pay(self, owner: Keypair, amount: int, *, number: int = 1) -> None:
        self.grant(owner, amount, number=number)
        self.withdraw(owner, amount, number=number)

    def order(self, by: Keypair, side: str, size_lots: int, limit_ticks: int = TICKS, **changes: Any) -> SignedOrder:
        self.nonce += 1
        fields: dict[str, Any] = {
            "domain": Domain(program=bytes(self.dex.id), genesis_hash=GENESIS),
            "market_id": MARKET,
            "owner": bytes(by.pubkey()),
            "sub_account": 0,
            "side": side,
            "size_lots": size_lots,
            "limit_ticks": limit_ticks,
            "fee_cap_ppm": 500,
            "reduce_only": False,
            "expiry_ms": (self.chain.now + 10**6) * 1_000,
            "nonce": self.chain.now * 1_000 + self.nonce,
        }
        return SignedOrder(**(fields | changes))

    # What the settler does.

    def traded(self, order: SignedOrder, *, owner: Keypair, size_lots: int = 0, price_ticks: int = TICKS, **changes: Any) -> Leaf:
        return trade(
            order,
            self.keys[owner],
            **({"size_lots": size_lots or order.size_lots, "price_ticks": price_ticks, "time_ms": self.chain.now * 1_000} | changes),
        )

    def fill(
        self, size_lots: int, price_ticks: int = TICKS, fee_atoms: int = 0, *, buyer: Keypair | None = None, seller: Keypair | None = None
    ) -> dict[Keypair, list[Leaf]]:
        """Return the leaves of one buying from another, Alice from Bob unless said otherwise; the buyer pays the fee."""
        buyer, seller = buyer or self.alice, seller or self.bob
        buy, sell = self.order(buyer, "buy", size_lots, price_ticks), self.order(seller, "sell", size_lots, price_ticks)
        bought = self.traded(buy, owner=buyer, price_ticks=price_ticks, fee_atoms=fee_atoms)
        return {buyer: [bought], seller: [self.traded(sell, owner=seller, price_ticks=price_ticks)]}

    def build(self, leaves: dict[Keypair, list[Leaf]]) -> Batch:
        users = sorted(((self.user(owner), owner) for owner in leaves), key=lambda pair: bytes(pair[0]))
        entries = [Entry(user=user, before=self.outlook(user), leaves=leaves[owner]) for user, owner in users]
        return Batch(seq=self.state()["last_seq"] + 1, entries=entries)

    def open_instruction(self, seq: int, *, settler: Keypair | None = None, **changes: Any) -> Instruction:
        state = self.state()
        header = {
            "seq": seq,
            "prev_hash": state["last_hash"],
            "begin_ms": state["last_end_ms"],
            "end_ms": self.chain.now * 1_000 + 1_000,
            "chain_events": state["chain_events"],
        } | changes
        accounts = {"settler": (settler or self.settler).pubkey(), "batch": self.batch(seq)}
        return self.instruction("open_batch", {"header": header}, accounts)

    def post_instruction(self, batch: Batch, changes: list[dict[str, Any]] | None = None, users: list[Pubkey] | None = None) -> Instruction:
        changes = [entry.change for entry in batch.entries] if changes is None else changes
        more = [AccountMeta(user, is_signer=False, is_writable=True) for user in users or [entry.user for entry in batch.entries]]
        accounts = {"settler": self.settler.pubkey(), "batch": self.batch(batch.seq)}
        return self.instruction("post_changes", {"changes": changes}, accounts, more)

    def close_instruction(
        self, batch: Batch, *, root: bytes | None = None, paid: dict[str, int] | None = None, markets: int = 1
    ) -> Instruction:
        more = [AccountMeta(self.market(), is_signer=False, is_writable=True)] * markets
        terms = paid or {"hour": 0, "index_e8": 0, "rate_ppb": 0}
        accounts = {"settler": self.settler.pubkey(), "batch": self.batch(batch.seq)}
        return self.instruction("close_batch", {"root": root or batch.root.hash, "funding": [terms] * markets}, accounts, more)

    def settle(self, leaves: dict[Keypair, list[Leaf]], *, paid: dict[str, int] | None = None, **header: Any) -> Batch:
        """Post a whole batch in one transaction."""
        batch = self.build(leaves)
        steps = [self.open_instruction(batch.seq, **header), self.post_instruction(batch), self.close_instruction(batch, paid=paid)]
        self.chain.send(steps, [self.settler], label=f"batch of {len(batch.entries)} accounts")
        self.batches.append(batch)
        self.chain.warp(seconds=2)
        return batch

    def turn(self) -> None:
        self.send("turn_epoch", {}, {}, [self.charlie])

    def finalise(self) -> None:
        """Let every batch so far become final, with prices kept fresh."""
        self.turn()
        self.chain.warp(seconds=601)
        self.turn()
        self.reprice(self.prices.state()["price_e8"] // E8)

    # What anyone does.

    def challenge(self, batch: Batch, owner: Keypair, *, challenger: Keypair | None = None, **changes: Any) -> None:
        challenger = challenger or self.charlie
        user = self.user(owner)
        accounts = {
            "challenger": challenger.pubkey(),
            "batch": self.batch(batch.seq),
            "user": user,
            "challenge": self.challenged(batch, owner),
        }
        self.send("challenge", {"proof": batch.proof(user) | changes}, accounts, [challenger])

    def answer(self, batch: Batch, owner: Keypair) -> None:
        for index in range(len(batch.entry(self.user(owner)).leaves)):
            self.show(batch, owner, index)

    def show(self, batch: Batch, owner: Keypair, index: int, *, verified: list[Instruction] | None = None, **accounts: Any) -> None:
        user = self.user(owner)
        entry = batch.entry(user)
        leaf = entry.leaves[index]
        name = leaf.name(user, index)
        named: dict[str, Pubkey | None] = {
            "answerer": self.settler.pubkey(),
            "batch": self.batch(batch.seq),
            "challenge": self.challenged(batch, owner),
            "user": self.user(owner),
            "trading_key": self.trading_key(owner, leaf.signer) if leaf.signer else None,
            "fills": self.fills(leaf.order) if leaf.order else None,
            "bankruptcy": self.bankruptcy(batch, name) if leaf.kind in GIVING_UP else None,
        }
        arguments = {
            "leaf": leaf.shown,
            "siblings": nodes(merkle.prove(entry.nodes, index).siblings),
            "named": name,
        }
        more = [AccountMeta(self.market(), is_signer=False, is_writable=False)]
        if verified is None:
            verified = [ed25519((leaf.signer, leaf.order))] if leaf.signer else []
        instruction = self.instruction("show_leaf", arguments, named | accounts, more)
        self.chain.send([*verified, instruction], [self.settler], label=f"show_leaf {leaf.kind}")

    def freeze_unanswered(self, batch: Batch, owner: Keypair, *, challenger: Keypair | None = None) -> None:
        accounts = {"challenge": self.challenged(batch, owner), "challenger": (challenger or self.charlie).pubkey()}
        self.send("freeze_unanswered", {}, accounts, [self.alice])

    def request_exit(self, owner: Keypair, *, signer: Keypair | None = None) -> None:
        signer = signer or owner
        self.send("request_exit", {}, {"owner": signer.pubkey(), "user": self.user(owner)}, [signer])

    def end_exit(self, owner: Keypair) -> None:
        self.send("end_exit", {}, {"user": self.user(owner)}, [self.charlie])

    def fall_back(self, owner: Keypair | None = None) -> None:
        self.send("fall_back", {}, {"user": self.user(owner) if owner else None}, [self.charlie])

    def silence(self) -> None:
        """Let the operator be silent until anyone may act."""
        self.chain.warp(seconds=1, slots=1_001)
        self.fall_back()
        self.reprice(self.prices.state()["price_e8"] // E8)

    def match(
        self,
        buy: SignedOrder,
        sell: SignedOrder,
        size_lots: int,
        price_ticks: int = TICKS,
        *,
        verified: list[Instruction] | None = None,
        **accounts: Any,
    ) -> TransactionMetadata:
        bought, sold = encode(buy), encode(sell)
        named = {
            "matcher": self.charlie.pubkey(),
            "market": self.market(),
            "buyer": self.user(self.alice),
            "seller": self.user(self.bob),
            "buyer_key": self.trading_key(self.alice, self.keys[self.alice]),
            "seller_key": self.trading_key(self.bob, self.keys[self.bob]),
            "buyer_fills": self.fills(bought),
            "seller_fills": self.fills(sold),
        }
        arguments = {
            "size_lots": size_lots,
            "price_ticks": price_ticks,
            "buy_order": hashlib.sha256(bought).digest(),
            "sell_order": hashlib.sha256(sold).digest(),
        }
        if verified is None:
            verified = [ed25519((self.keys[self.alice], bought), (self.keys[self.bob], sold))]
        more = [AccountMeta(self.market(), is_signer=False, is_writable=False)]
        instruction = self.instruction("match_orders", arguments, named | accounts, more)
        return self.chain.send([*verified, instruction], [self.charlie], label="match_orders")

    def liquidate(self, owner: Keypair, liquidator: Keypair, lots: int, **accounts: Any) -> None:
        named = {"owner": liquidator.pubkey(), "market": self.market(), "user": self.user(owner), "liquidator": self.user(liquidator)}
        more = [AccountMeta(self.market(), is_signer=False, is_writable=False)]
        self.send("liquidate", {"lots": lots}, named | accounts, [liquidator], more)

    def value(self, owner: Keypair, sub_account: int = 0) -> None:
        more = [AccountMeta(self.market(), is_signer=False, is_writable=False)]
        self.send("value_user", {}, {"user": self.user(owner, sub_account)}, [self.charlie], more)

    def open_escapes(self, asset: int = 0) -> None:
        self.send("open_escapes", {}, {"asset": self.asset_accounts(asset)["asset"]}, [self.charlie])

    def escape(self, owner: Keypair, asset: int = 0, sub_account: int = 0, **accounts: Pubkey) -> int:
        wallet = self.wallet(owner, asset)
        before = self.chain.tokens(wallet)
        named = {"user": self.user(owner, sub_account), "destination": wallet}
        self.send("escape", {}, self.asset_accounts(asset) | named | accounts, [self.charlie])
        return self.chain.tokens(wallet) - before

    # Where things are.

    def market(self, market_id: int = MARKET) -> Pubkey:
        return self.dex.pda(b"market", market_id.to_bytes(4, "little"))

    def user(self, owner: Keypair, sub_account: int = 0) -> Pubkey:
        chosen = sub_account or self.sub_accounts.get(owner, 0)
        return self.dex.pda(b"user", bytes(owner.pubkey()), chosen.to_bytes(2, "little"))

    def trading_key(self, owner: Keypair, key: Keypair) -> Pubkey:
        return self.dex.pda(b"key", bytes(self.user(owner)), bytes(key.pubkey()))

    def batch(self, seq: int) -> Pubkey:
        return self.dex.pda(b"batch", seq.to_bytes(8, "little"))

    def challenged(self, batch: Batch, owner: Keypair) -> Pubkey:
        return self.dex.pda(b"challenge", batch.seq.to_bytes(8, "little"), bytes(self.user(owner)))

    def fills(self, order: bytes) -> Pubkey:
        return self.dex.pda(b"fills", hashlib.sha256(order).digest())

    def bankruptcy(self, batch: Batch, name: bytes) -> Pubkey:
        return self.dex.pda(b"bankruptcy", batch.seq.to_bytes(8, "little"), name)

    def asset_accounts(self, asset: int) -> dict[str, Pubkey]:
        mint = self.mints[asset]
        names = {"asset": b"asset", "vault": b"vault", "vault_authority": b"vault_authority"}
        return {"mint": mint} | {name: self.dex.pda(seed, bytes(mint)) for name, seed in names.items()}

    def wallet(self, owner: Keypair, asset: int = 0) -> Pubkey:
        if (owner, asset) not in self.wallets:
            self.wallets[owner, asset] = self.chain.token_account(self.mints[asset], owner.pubkey(), WALLET)
        return self.wallets[owner, asset]

    def vault_atoms(self, asset: int = 0) -> int:
        return self.chain.tokens(self.asset_accounts(asset)["vault"])

    # What the chain says.

    def state(self) -> dict[str, Any]:
        return self.dex.account("Exchange", self.chain.data(self.exchange))

    def account(self, owner: Keypair, sub_account: int = 0) -> dict[str, Any]:
        return self.dex.account("User", self.chain.data(self.user(owner, sub_account)))

    def outlook(self, user: Pubkey, *, final_only: bool = False) -> merkle.Sums:
        """Return balances and positions: final, and with everything that is pending unless it is not wanted."""
        account, state = self.dex.account("User", self.chain.data(user)), self.state()
        frozen = state["phase"] in {"Frozen", "Escaping"}
        changes = read(account["holdings"])
        for pending in account["pending"]:
            final = 0 < pending["epoch"] <= state["final_epoch"]
            if final or (pending["epoch"] and not frozen and not final_only):
                changes += read(pending["changes"])
        return merkle.canonical(changes)

    def balance(self, owner: Keypair, asset: int = 0) -> int:
        """Return the final balance."""
        return dict(self.outlook(self.user(owner), final_only=True)).get(asset, 0)

    def lots(self, owner: Keypair) -> int:
        return dict(self.outlook(self.user(owner), final_only=True)).get(merkle.position_slot(MARKET), 0)

    def instruction(
        self, name: str, arguments: dict[str, Any], accounts: dict[str, Any], more: list[AccountMeta] | None = None
    ) -> Instruction:
        fixed = {"exchange": self.exchange, "system_program": SYSTEM, "token_program": TOKEN, "instructions": INSTRUCTIONS}
        return self.dex.instruction(name, arguments, fixed | accounts, more or [])

    def send(
        self, name: str, arguments: dict[str, Any], accounts: dict[str, Any], signers: list[Keypair], more: list[AccountMeta] | None = None
    ) -> TransactionMetadata:
        return self.chain.send([self.instruction(name, arguments, accounts, more)], signers, label=name)


def read(holdings: dict[str, Any]) -> list[tuple[int, int]]:
    balances = list(enumerate(holdings["balances"]))
    return balances + [(merkle.position_slot(item["market_id"]), item["lots"]) for item in holdings["positions"]]


def value_atoms(lots: int, price_ticks: int) -> int:
    return lots * price_ticks * TICK_LOT_ATOMS
