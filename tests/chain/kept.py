"""The exchange of tests/programs on a localnet, so that keepers find it over RPC; time passes when the test says so."""

from collections.abc import Iterator
from typing import Any

import pytest
from solders.account import Account
from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import TransactionMetadata

from chain.client import ChainClient
from chain.idl import PROGRAMS
from chain.keepers.actions import Action, Result, Sender, error_name
from chain.keepers.keeper import Keeper
from chain.keepers.programs import programs_in
from chain.keepers.running import JOBS, keep_once
from chain.keepers.sight import Sight
from markets.signed_orders import encode, order_hash
from oracle.feeds.pyth_solana.account import address
from tests.chain.localnets import Localnet
from tests.programs.support.exchange import PRICE, TICKS, Exchange, ed25519
from tests.programs.support.idl import Program
from tests.programs.support.prices import E8, FEED_ID, RECEIVER, Prices, price_update
from tests.programs.support.svm import START, Chain, Refused

RICH = 10**13
PYTH = Pubkey.from_string(address(FEED_ID.hex()))


class Machine:
    """What tests of the programs do to their SVM, done to the localnet's."""

    def __init__(self, net: Localnet) -> None:
        self._net = net

    def set_account(self, key: Pubkey, account: Account) -> None:
        def put() -> None:
            chain = self._net.chain
            chain.accounts.remember_original(key)
            chain.accounts.write(key, account, slot=chain.open.slot, final_slot=0)
            chain.bank.put(key, account)

        self._net.do(put)

    def get_account(self, key: Pubkey) -> Account | None:
        return self._net.do(lambda: self._net.chain.bank.account(key))

    def get_balance(self, key: Pubkey) -> int:
        account = self.get_account(key)
        return account.lamports if account else 0

    def airdrop(self, key: Pubkey, lamports: int) -> None:
        self.set_account(key, Account(lamports, b"", Pubkey.default()))


class NetChain(Chain):
    """A chain of tests/programs that is a localnet. Each transaction has a block of its own."""

    def __init__(self, net: Localnet) -> None:
        self.net, self.svm = net, Machine(net)  # type: ignore[assignment]
        self.programs, self.units, self._time_s = [], {}, START
        net.chain._now_s = lambda: self._time_s
        net.advance()

    @property
    def now(self) -> int:
        return self._time_s

    def add(self, program: object) -> None:
        """The localnet has every program from its beginning."""

    def warp(self, *, seconds: int, slots: int | None = None, start: int | None = None) -> None:
        self._time_s += seconds

        def skip() -> None:
            chain = self.net.chain
            chain.seal()
            chain._next_slot += slots or 0
            chain._open()

        self.net.do(skip)

    def send(self, instructions: list[Instruction], signers: list[Keypair], *, label: str = "", budget: bool = True) -> TransactionMetadata:
        transaction = VersionedTransaction(Message.new_with_blockhash(instructions, signers[0].pubkey(), self._blockhash()), signers)

        def land() -> tuple[object, list[str]]:
            assert self.net.chain.land(transaction)
            entry = self.net.chain.open.entries[-1]
            self.net.chain.seal()
            return entry.error, entry.logs

        error, logs = self.net.do(land)
        if error is not None:
            raise Refused(error_name(logs) or str(error), logs)
        return None  # type: ignore[return-value]

    def _blockhash(self) -> Hash:
        return self.net.do(lambda: self.net.chain.latest_sealed("processed").blockhash)


class KeptExchange(Exchange):
    """Dave and Erin keep: Dave has an account, Erin has none."""

    def __init__(self, net: Localnet) -> None:
        self.net, self.chain = net, NetChain(net)
        self.dex, oracle = Program("perp_dex"), Program("oracle")
        key = self.chain.key
        self.payer, self.authority, self.settler, self.custodian = key(1), key(2), key(3), key(4)
        self.alice, self.bob, self.charlie, self.dave, self.erin = key(11), key(12), key(13), key(14), key(15)
        self.keys = {self.alice: key(21), self.bob: key(22)}
        self.prices = Prices(self.chain, oracle, self.payer, self.authority)
        self.exchange = self.dex.pda(b"exchange")
        self.mints = [self.chain.mint(501), self.chain.mint(502)]
        self.sub_accounts, self.wallets, self.batches, self.nonce = {}, {}, [], 0
        self.client, self.programs = ChainClient(net.url, timeout_s=60, retry_after_s=()), programs_in(PROGRAMS)
        self.feed_pyth(PRICE)

    def feed_pyth(self, dollars: int) -> None:
        """Let Pyth's receiver hold a price where Pyth pushes it: who keeps the oracle brings it into the feed."""
        data = price_update(price=dollars * E8, published_at=self.chain.now)
        self.chain.svm.set_account(PYTH, Account(10**9, data, RECEIVER))

    def fall(self, dollars: int) -> None:
        """Another price from all sources; nobody has told feeds and markets of Pyth's."""
        self.chain.warp(seconds=10)
        for publisher in self.prices.publishers:
            self.prices.publish(publisher, dollars)
        self.feed_pyth(dollars)
        self.net.advance()

    def keep(self, by: Keypair, *jobs: str, client: ChainClient | None = None, sender: Sender | None = None, **wishes: Any) -> list[Result]:
        """Make one pass; blocks come while the keeper waits."""
        keeper = Keeper(programs=self.programs, key=by.pubkey(), **wishes)
        chosen = client or self.client
        results, errors = keep_once(jobs=jobs or tuple(JOBS), keeper=keeper, client=chosen, sender=sender or self.sender(by, chosen))
        assert errors == []
        return results

    def due(self, by: Keypair, job: str, **wishes: Any) -> list[Action]:
        """Return what a keeper would do now."""
        return JOBS[job](Keeper(programs=self.programs, key=by.pubkey(), **wishes), Sight(self.programs, self.client))

    def send_actions(self, by: Keypair, actions: list[Action]) -> list[Result]:
        return self.sender(by).send(actions)

    def sender(self, by: Keypair, client: ChainClient | None = None) -> Sender:
        return Sender(client=client or self.client, payer=by, pause=lambda _: self.net.advance())


class WideExchange(KeptExchange):
    """With four markets on one feed."""

    markets = (1, 2, 3, 4)

    def spread(self, buyer: Keypair, seller: Keypair, lots: int) -> None:
        """Match two owners in each market, one after the other."""
        more = [AccountMeta(self.market(one), is_signer=False, is_writable=False) for one in self.markets]
        for market_id in self.markets:
            buy = self.order(buyer, "buy", lots, market_id=market_id)
            sell = self.order(seller, "sell", lots, market_id=market_id)
            verified = ed25519((self.keys[buyer], encode(buy)), (self.keys[seller], encode(sell)))
            named = {
                "matcher": self.charlie.pubkey(),
                "market": self.market(market_id),
                "buyer": self.user(buyer),
                "seller": self.user(seller),
                "buyer_key": self.trading_key(buyer, self.keys[buyer]),
                "seller_key": self.trading_key(seller, self.keys[seller]),
                "buyer_fills": self.fills(encode(buy)),
                "seller_fills": self.fills(encode(sell)),
            }
            terms = {"size_lots": lots, "price_ticks": TICKS, "buy_order": order_hash(encode(buy)), "sell_order": order_hash(encode(sell))}
            self.chain.send([verified, self.instruction("match_orders", terms, named, more)], [self.charlie])


@pytest.fixture
def wide() -> Iterator[WideExchange]:
    net = Localnet(programs=PROGRAMS)
    exchange = WideExchange(net)
    exchange.begin()
    yield exchange
    exchange.client.close()
    net.end()


@pytest.fixture
def kept() -> Iterator[KeptExchange]:
    """A live exchange; Alice, Bob and Charlie have accounts, Dave has one with money."""
    net = Localnet(programs=PROGRAMS)
    exchange = KeptExchange(net)
    exchange.begin()
    exchange.create_user(exchange.dave)
    yield exchange
    exchange.client.close()
    net.end()


def outcomes(results: list[Result]) -> dict[str, str]:
    """Return what became of each action, by its title."""
    return {result.title: result.outcome for result in results}
