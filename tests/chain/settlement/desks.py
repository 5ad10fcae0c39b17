"""An engine whose life is journalled and projected, and an exchange on a localnet that settles it."""

import time
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest
from solders.account import Account as SolanaAccount
from solders.instruction import Instruction
from solders.keypair import Keypair

from accounts.models import Account
from chain import merkle
from chain.building import build
from chain.client import ChainClient
from chain.cranks import turn_prices
from chain.custody.instructions import WalletInstructions
from chain.errors import ChainUnavailable
from chain.models import ChainAccount, OutboxEntry
from chain.outbox.settler import Progress, Settler, Step, ignore
from chain.settlement.batches import SHARD, make_batch
from chain.settlement.models import SettlementBatch
from chain.settlement.reading import batch_address, outlook
from chain.settlement.route import BatchRoute
from chain.setup import tokens
from chain.setup.parameters import FAUCET_ATOMS
from markets.commands import OpenAccount, PlaceOrder, Side
from markets.ledger import CLEARING, CUSTODY, FAUCET, PENDING_WITHDRAWALS
from markets.signed_orders import Domain, SignedOrder, encode, put_together
from tests.chain.markets import view
from tests.chain.settlement.test_fold import engine_slots
from tests.chain.templates import localnet_with_exchange
from tests.engine import desk as engine_desk
from tests.engine.desk import MARKET, OTHER, USDC, parameters
from tests.trading.lives import JournalledDesk
from trading.models import Journal
from trading.projector.projector import Projector

PRICE = 1_000  # dollars: 10,000 ticks
SLOT_MS = 20
MOST_STEPS = 2_000
SLOWLY = 100  # steps with a block after each: who is not done then waits for a transaction to expire
_nonces = count(1)
OFF_CHAIN = {CLEARING, CUSTODY, PENDING_WITHDRAWALS}


class SettlementDesk(JournalledDesk):
    """Everything that the engine does is journalled at once; batches are made and settled when the test says so."""

    listed: ClassVar[tuple[tuple[int, str], ...]] = ((MARKET, "BTC"), (OTHER, "ETH"))  # on chain
    whole = False  # with insurance, auctions and governance

    def __init__(self, *, folder: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, **options: Any) -> None:
        monkeypatch.setattr(engine_desk, "START_MS", int(time.time() * 1_000) - 30_000)
        settings.CHAIN_DIR = folder / "chain"
        self.stored = 0
        super().__init__(**options)
        self.journal()
        views = [view(parameters(market_id, base_asset=asset), price=PRICE) for market_id, asset in self.listed]
        name = f"settlement of {self.listed}, {'whole' if self.whole else 'as far as it trades'}"
        self.localnet, self.deployment = localnet_with_exchange(name, folder=folder, views=views, whole=self.whole)
        self.client = ChainClient(self.localnet.url, retry_after_s=())

    def adopt(self, account_id: int, usdc: int = 10_000) -> "Owner":
        """Open an account that its owner's wallet holds, with a trading key that is registered on chain, and money of the faucet's."""
        owner = Owner(self, account_id)
        self.now_ms = int(time.time() * 1_000)  # what a key signs is filled after its registration
        self.do(OpenAccount(account_id=account_id, self_custody=True))
        self.deposit(account_id, usdc * USDC)
        return owner

    def join(self, account_id: int, atoms: int) -> None:
        """Open another custodied account with money."""
        self.do(OpenAccount(account_id=account_id))
        self.deposit(account_id, atoms)

    def submit(self, payer: Keypair, *instructions: Instruction) -> None:
        """Send, and see that it does what it should."""
        signed = build(client=self.client, payer=payer, instructions=list(instructions))
        self.client.send(signed.transaction)
        self.localnet.finalize()
        status = self.client.status(signed.signature)
        assert status is not None
        assert status.error is None

    def pass_on(self, payer: Keypair, *instructions: Instruction) -> None:
        """Send and do not look."""
        self.client.send(build(client=self.client, payer=payer, instructions=list(instructions)).transaction)

    def fund_wallet(self, owner: "Owner", usdc: int) -> None:
        """Give a wallet test money of the faucet's key."""
        faucet = self.deployment.keys.faucet
        assert faucet is not None
        given = tokens.give(
            payer=faucet.pubkey(),
            mint=self.deployment.usdc_mint,
            authority=faucet.pubkey(),
            owner=owner.wallet.pubkey(),
            atoms=usdc * USDC,
        )
        self.submit(faucet, *given)

    def reprice(self, dollars: int) -> None:
        """Publish another price on chain, and have the markets observe it."""
        views = [view(parameters(market_id), price=dollars) for market_id in (MARKET, OTHER)]
        turn_prices(deployment=self.deployment, client=self.client, views=views)
        self.localnet.finalize()

    def batch_account(self, seq: int) -> SolanaAccount | None:
        return self.client.account(batch_address(self.deployment, seq), commitment="finalized")

    def pass_time(self, until_s: int) -> None:
        """Let the chain's clock go past a moment."""
        self.localnet.chain._now_s = lambda: until_s + 1
        self.localnet.finalize()

    def rich(self) -> Keypair:
        return self.localnet.rich()

    def journal(self) -> None:
        """Write what happened to the journal, and project it."""
        new = self.sealed[self.stored :]
        self.stored = len(self.sealed)
        Journal.objects.bulk_create(
            Journal(
                seq=row.seq,
                epoch=row.epoch,
                previous_hash=row.previous_hash,
                hash=row.hash,
                stamp_ms=row.stamp_ms,
                rules_version=row.rules_version,
                commands=row.commands,
                payload=row.payload,
            )
            for row in new
        )
        Projector().catch_up()

    def make(self, *, interval_ms: int = 0, heartbeat_ms: int = 10**9) -> SettlementBatch | None:
        self.journal()
        now_ms = max(self.now_ms + 1_000, 0)
        return make_batch(deployment=self.deployment, now_ms=now_ms, interval_ms=interval_ms, heartbeat_ms=heartbeat_ms)

    def route(self) -> BatchRoute:
        return BatchRoute(self.deployment)

    def settler(self, observe: Any = ignore) -> Settler:
        return Settler(shard=SHARD, client=self.client, route=self.route(), resend_after_s=0, observe=observe)

    def settle(self, observe: Any = ignore) -> Progress:
        """Step through everything, a block after each step; a settler that is killed is followed by a new one."""
        worker = self.settler(observe)
        for number in range(MOST_STEPS):
            try:
                progress = worker.step()
            except ChainUnavailable:
                progress = "waiting"
            except Killed:
                worker, progress = self.settler(), "waiting"
            if progress in ("idle", "halted"):
                return progress
            self.localnet.advance(1 if number < SLOWLY else 10)
        raise AssertionError("it never ends")

    def settle_batch(self) -> SettlementBatch:
        batch = self.make()
        assert batch is not None
        assert self.settle() == "idle"
        return SettlementBatch.objects.get(pk=batch.pk)

    def on_chain(self, account_id: int) -> dict[int, int]:
        """Return what an account has on chain, with what is pending."""
        account = self.client.account(self.deployment.account_address(account_id), commitment="finalized")
        if account is None:
            return {}
        return dict(outlook(self.deployment.dex.program.account("User", account)))

    def assert_equal(self) -> None:
        """The chain has of every account what the engine has."""
        for account_id in self.engine.state.accounts:
            if account_id in OFF_CHAIN:
                continue
            held = engine_slots(self.engine.state, account_id)
            if account_id == FAUCET:
                held = dict(merkle.canonical([*held.items(), (0, FAUCET_ATOMS)]))
            assert self.on_chain(account_id) == held, f"account {account_id}"

    def assert_settled_once(self, batches: int) -> None:
        exchange = self.deployment.dex.read_exchange(self.client, commitment="finalized")
        assert exchange.last_seq == batches
        assert set(OutboxEntry.objects.values_list("state", flat=True)) == {OutboxEntry.State.FINAL}
        last = SettlementBatch.objects.get(seq=batches)
        assert bytes(last.hash or b"") == bytes(exchange.last_hash)
        self.assert_equal()

    def end(self) -> None:
        self.client.close()
        self.localnet.end()


class Owner:
    """Somebody who holds his account himself."""

    def __init__(self, desk: SettlementDesk, account_id: int) -> None:
        self.desk, self.account_id = desk, account_id
        self.wallet, self.key = desk.rich(), Keypair()
        self.place = WalletInstructions(desk.deployment, self.wallet.pubkey())
        registered = self.place.register_key(
            key=self.key.pubkey(), market_id=None, cap_atoms=10**15, expires_at_s=int(time.time()) + 86_400
        )
        desk.submit(self.wallet, self.place.create_user(self.wallet.pubkey()), registered)
        Account.objects.create(id=account_id, name=f"wallet {account_id}")
        ChainAccount.objects.create(account_id=account_id, owner=str(self.wallet.pubkey()), address=str(self.place.user))

    def order(self, side: Side, size: int, price: int, *, signed_lots: int = 0, **more: Any) -> PlaceOrder:
        chain = self.desk.deployment
        order = SignedOrder(
            domain=Domain(program=bytes(chain.dex.program.id), genesis_hash=chain.genesis_hash),
            market_id=MARKET,
            owner=bytes(self.wallet.pubkey()),
            sub_account=0,
            side=side,
            size_lots=signed_lots or size,
            limit_ticks=price,
            fee_cap_ppm=600,
            reduce_only=False,
            expiry_ms=self.desk.now_ms + 86_400_000,
            nonce=next(_nonces),
        )
        return self.desk.order(self.account_id, side, size, price, signed=put_together(encode(order), key=self.key), **more)

    def trade(self, side: Side, size: int, price: int, *, other: int) -> None:
        """Take from the book what another account has put there."""
        self.desk.place(other, "sell" if side == "buy" else "buy", size, price)
        reply = self.desk.do(self.order(side, size, price, time_in_force="ioc"))
        assert reply.reject is None


class Killed(BaseException):
    """The settler ends between two steps, as by kill -9."""


__all__ = ["Killed", "SettlementDesk", "Step"]
