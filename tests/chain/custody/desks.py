"""An exchange with a chain: a localnet set up as the desk does it, a real engine, and Alice with a wallet.

def test_it_…(desk): …       # desk.link(alice): a wallet linked and on chain; desk.run(): passes of custody until nothing moves
"""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from accounts.models import Account, User
from chain.building import build
from chain.client import ChainClient
from chain.custody.instructions import WalletInstructions
from chain.custody.models import ChainAccount
from chain.custody.running import custody_pass
from chain.custody.wallets import wallet_challenge, wallet_link
from chain.deployment import Deployment, deployment
from chain.setup import tokens
from markets.ledger import NAMES
from markets.queries import GetAccount, GetMarkets
from markets.units import QUOTE_ATOMS
from tests.chain.localnets import SOL, Localnet
from tests.chain.templates import localnet_with_exchange
from tests.support.engine import EngineProcesses

USDC = QUOTE_ATOMS
PATIENCE = 400


class Person:
    """A user with a wallet."""

    def __init__(self, desk: "CustodyDesk", name: str) -> None:
        self.desk = desk
        self.user = User.objects.create_user(name, password="an-evening-in-november")
        self.key = Keypair()
        self.wallet = WalletInstructions(desk.chain, self.key.pubkey())
        self.address = str(self.key.pubkey())

    def link(self) -> ChainAccount:
        """Prove the wallet and link it."""
        message = wallet_challenge(user=self.user, address=self.address, domain="desk.example", chain=self.desk.chain)
        wallet_link(user=self.user, address=self.address, signature=str(self.key.sign_message(message.encode())), chain=self.desk.chain)
        return self.place

    @property
    def place(self) -> ChainAccount:
        return ChainAccount.objects.get(owner=self.address)

    @property
    def account(self) -> Account:
        return self.place.account

    def engine_atoms(self) -> int:
        view = self.desk.engine.gateway.query(GetAccount(account_id=self.account.id))
        assert view is not None
        return view.balances.get("USDC", 0)

    def wallet_atoms(self) -> int:
        return self.desk.token_atoms(self.wallet.token_account)

    def chain_atoms(self) -> int:
        """Return the account's final balance on chain."""
        return int(self.desk.user(self.wallet.user).holdings.balances[0])

    def send(self, *instructions: Instruction) -> Signature:
        """Sign and send; it is confirmed when this returns, and fails the test when it fails."""
        signature = self.desk.submit(self.key, *instructions)
        assert self.desk.landed(signature) is None
        return signature


class CustodyDesk:
    def __init__(self, localnet: Localnet, engine: EngineProcesses, chain: Deployment) -> None:
        self.localnet, self.engine, self.chain = localnet, engine, chain
        self.client: ChainClient = chain.client()

    def person(self, name: str, *, usdc: int = 1_000) -> Person:
        """Return somebody whose wallet has SOL and USDC."""
        person = Person(self, name)
        self.localnet.client.request_airdrop(person.key.pubkey(), 10 * SOL)
        faucet = self.chain.keys.faucet
        assert faucet is not None
        given = tokens.give(
            payer=faucet.pubkey(), mint=self.chain.usdc_mint, authority=faucet.pubkey(), owner=person.key.pubkey(), atoms=usdc * USDC
        )
        assert self.landed(self.submit(faucet, *given)) is None
        return person

    def linked(self, name: str, *, usdc: int = 1_000) -> Person:
        """Return somebody whose wallet is linked and has its account on chain."""
        person = self.person(name, usdc=usdc)
        person.link()
        self.run_until(lambda: person.place.created_at is not None)
        return person

    def submit(self, payer: Keypair, *instructions: Instruction) -> Signature:
        signed = build(client=self.client, payer=payer, instructions=list(instructions))
        self.client.send(signed.transaction)
        return signed.signature

    def landed(self, signature: Signature) -> str | None:
        """Wait until a transaction is final; return its error."""
        for _ in range(PATIENCE):
            self.localnet.advance()
            status = self.client.status(signature)
            if status is not None and status.commitment == "finalized":
                return status.error
        raise AssertionError(f"{signature} did not land")

    def run(self) -> None:
        """Make a pass of custody."""
        assert custody_pass(client=self.client, chain=self.chain)

    def run_until(self, done: Callable[[], Any]) -> None:
        """Make passes, a block after each, until it is so."""
        for _ in range(PATIENCE):
            self.run()
            if done():
                return
            self.localnet.advance()
        raise AssertionError("it did not come to that")

    def pass_time(self, passed: timedelta) -> None:
        """Set the chain's clock forwards."""
        self.localnet.chain._now_s = lambda: int(time.time() + passed.total_seconds())
        self.localnet.finalize()

    def user(self, address: Pubkey) -> Any:
        return self.chain.dex.program.account("User", self.client.account(address, commitment="finalized"))

    def token_atoms(self, account: Pubkey) -> int:
        return int(self.localnet.client.get_token_account_balance(account).value.amount)

    def ledger_atoms(self, account_id: int) -> int:
        view = self.engine.gateway.query(GetAccount(account_id=account_id))
        assert view is not None
        return view.balances.get("USDC", 0)

    def vault_atoms(self) -> int:
        return self.token_atoms(self.chain.dex.asset(self.chain.usdc_mint)["vault"])


@pytest.fixture
def custody_desk(engine_process: EngineProcesses, settings: Any, tmp_path: Path) -> Iterator[CustodyDesk]:
    for account_id, name in NAMES.items():  # a flush after another test has taken what the migration made
        Account.objects.get_or_create(id=account_id, defaults={"name": name})
    views = [view for view in engine_process.gateway.query(GetMarkets()) if view.parameters.symbol == "BTC-PERP"]
    localnet, _ = localnet_with_exchange("custody", folder=tmp_path, views=views)
    settings.SOLANA_RPC_URL, settings.LOCALNET, settings.CHAIN_DIR = localnet.url, True, tmp_path / "chain"
    try:
        desk = CustodyDesk(localnet, engine_process, deployment())
        yield desk
        desk.client.close()
    finally:
        localnet.end()
