"""The operator is silent, strangers match and liquidate on chain, and he comes back: with everything that they did, or not at all."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

import pytest
from solders.account import Account as SolanaAccount
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from accounts.signing import domain
from chain import tasks
from chain.building import build
from chain.cranks import turn_prices
from chain.custody.indexer import index
from chain.custody.rebuilding import rebuilt
from chain.custody.trades import KINDS
from chain.models import BookedTrade, ChainEvent, SettlementBatch
from chain.prices import market_address, observe, update_from_pyth
from chain.settlement import lease, running
from chain.settlement.leaves import QUOTE
from chain.settlement.proofs import ProofOnChain, proof_of
from chain.settlement.reading import outlook, phase_of
from chain.settlement.running import settlement_pass
from chain.setup.parameters import LOCALNET_EXCHANGE
from markets.commands import PlaceOrder, Side
from markets.queries import GetAccount
from markets.seed import MARKETS
from markets.signed_orders import SignedOrder, encode, order_hash, put_together
from markets.views import Reply
from oracle.feeds.hermes.ids import FEED_IDS
from oracle.feeds.pyth_solana.account import address
from risk.models import LiquidationStep
from tests.chain.custody.desks import USDC, CustodyDesk, Person, custody_desk
from tests.chain.custody.test_withdrawals import alone
from tests.chain.localnets import SOL, Localnet
from tests.chain.markets import view
from tests.programs.support.exchange import ed25519
from tests.programs.support.prices import RECEIVER, price_update
from tests.support.engine import engine_process, engine_processes
from trading.models import Fill
from trading.projector.projector import Projector

__all__ = ["custody_desk", "engine_process", "engine_processes"]

BTC = MARKETS[0]
PYTH = Pubkey.from_string(address(FEED_IDS["BTC"]))
HIGH, LOW = 60_000, 57_100
MONEY = 60_000
LOTS, TAKEN = 200_000, 50_000  # so much that maintenance is a larger share of it than the liquidator's fee: else nobody could take over
SILENT_SLOTS = int(str(LOCALNET_EXCHANGE["silent_slots"]))
PASSES = 100
_nonces = count()


class Trader:
    """Somebody who holds his account himself, with a trading key."""

    def __init__(self, desk: "SilentDesk", person: Person) -> None:
        self.desk, self.person, self.key = desk, person, Keypair()

    def register(self) -> None:
        wallet = self.person.wallet
        self.person.send(wallet.register_key(key=self.key.pubkey(), market_id=None, cap_atoms=10**15, expires_at_s=2**32))

    def order(self, side: Side, lots: int, dollars: int) -> SignedOrder:
        now_ms = time.time_ns() // 1_000_000
        return SignedOrder(
            domain=domain(),
            market_id=BTC.market_id,
            owner=bytes(self.person.key.pubkey()),
            sub_account=0,
            side=side,
            size_lots=lots,
            limit_ticks=ticks(dollars),
            fee_cap_ppm=1_000,
            reduce_only=False,
            expiry_ms=now_ms + 3_600_000,
            nonce=now_ms + next(_nonces),
        )

    def place(self, order: SignedOrder) -> Reply:
        return self.desk.custody.engine.gateway.submit(
            PlaceOrder(
                account_id=self.person.account.id,
                market_id=order.market_id,
                side=order.side,
                type="limit",
                size_lots=order.size_lots,
                price_ticks=order.limit_ticks,
                signed=put_together(encode(order), key=self.key),
            )
        )


def ticks(dollars: int) -> int:
    return dollars * 10**8 // BTC.tick_e8


class SilentDesk:
    """Alice and Bob with linked wallets and keys, Charlie with a wallet that nobody linked; passes are made when the test says so."""

    def __init__(self, custody: CustodyDesk) -> None:
        self.custody, self.net, self.chain, self.client = custody, custody.localnet, custody.chain, custody.client
        self.alice, self.bob = (self._trader(name) for name in ("alice", "bob"))
        self.charlie = custody.person("charlie", usdc=50_000)
        wallet = self.charlie.wallet
        self.charlie.send(wallet.create_user(self.charlie.key.pubkey()), wallet.deposit(20_000 * USDC))
        custody.run_until(lambda: not ChainEvent.objects.filter(state="new").exists() and self.alice.person.engine_atoms() == MONEY * USDC)
        self.market = market_address(self.chain, BTC.market_id)

    def _trader(self, name: str) -> Trader:
        trader = Trader(self, self.custody.linked(name, usdc=2 * MONEY))
        trader.person.send(trader.person.wallet.deposit(MONEY * USDC))
        trader.register()
        return trader

    # The operator

    def settle(self) -> str:
        """Make one pass of settlement, while blocks come; return the phase after it."""
        Projector().catch_up()
        with ticking(self.net):
            settlement_pass(deployment=self.chain, client=self.client, interval_ms=0)
        self.net.finalize()
        return self.phase()

    def settle_until(self, done: Callable[[], bool]) -> None:
        for _ in range(PASSES):
            self.settle()
            if done():
                return
        raise AssertionError("it did not come to that")

    def settle_all(self) -> None:
        """Make passes until the chain has what the engine has: a batch leaves out what happened just now."""
        self.settle_until(lambda: SettlementBatch.objects.exclude(hash=None).exists() and self.differing() == [])

    def phase(self) -> str:
        return phase_of(self.chain.dex.read_exchange(self.client, commitment="finalized"))

    def reconciles(self) -> bool | None:
        Projector().catch_up()
        return tasks.reconcile_chain()

    # The engine

    def price_here(self, dollars: int) -> None:
        self.custody.engine.observe({BTC.market_id: dollars * 10**8})

    def cross(self, buyer: Trader, seller: Trader, lots: int, dollars: int) -> None:
        """Match two signed orders in the engine."""
        for trader, side in ((seller, "sell"), (buyer, "buy")):
            reply = trader.place(trader.order(side, lots, dollars))  # type: ignore[arg-type]
            assert reply.reject is None, reply.reject

    # Strangers

    def fall_silent(self) -> None:
        self.net.advance(SILENT_SLOTS + 1)
        self.charlie.send(self.chain.dex.program.instruction("fall_back", {}, {"exchange": self.chain.dex.exchange}))
        assert self.phase() == "Fallback"

    def price_there(self, dollars: int) -> None:
        """Have the publishers, and Pyth, say a price on chain, so that strangers may liquidate by it."""
        while not turn_prices(deployment=self.chain, client=self.client, views=[view(BTC, price=dollars)]):
            self.net.advance()
        self.net.finalize()
        update = price_update(price=dollars * 10**8, published_at=int(time.time()), feed_id=bytes.fromhex(FEED_IDS["BTC"]))
        put_account(self.net, PYTH, SolanaAccount(SOL, update, RECEIVER))
        self.net.finalize()
        self.charlie.send(update_from_pyth(self.chain, BTC.market_id, PYTH), observe(self.chain, BTC.market_id))

    def match_there(self, buyer: Trader, seller: Trader, buy: SignedOrder, sell: SignedOrder, *, lots: int, dollars: int) -> None:
        hashes = [order_hash(encode(order)) for order in (buy, sell)]
        program = self.chain.dex.program
        accounts = {
            "matcher": self.charlie.key.pubkey(),
            "exchange": self.chain.dex.exchange,
            "market": self.market,
            "instructions": Pubkey.from_string("Sysvar1nstructions1111111111111111111111111"),
            "system_program": Pubkey.default(),
        }
        for name, trader, digest in (("buyer", buyer, hashes[0]), ("seller", seller, hashes[1])):
            wallet = trader.person.wallet
            accounts |= {name: wallet.user, f"{name}_key": wallet.trading_key(trader.key.pubkey())}
            accounts[f"{name}_fills"] = program.pda(b"fills", digest)
        arguments = {"size_lots": lots, "price_ticks": ticks(dollars), "buy_order": list(hashes[0]), "sell_order": list(hashes[1])}
        matched = program.instruction("match_orders", arguments, accounts, [self._market_meta()])
        self._send(ed25519((buyer.key, encode(buy)), (seller.key, encode(sell))), matched)

    def liquidate_there(self, whom: Trader, lots: int) -> None:
        accounts = {
            "owner": self.charlie.key.pubkey(),
            "exchange": self.chain.dex.exchange,
            "market": self.market,
            "user": whom.person.wallet.user,
            "liquidator": self.charlie.wallet.user,
        }
        self._send(self.chain.dex.program.instruction("liquidate", {"lots": lots}, accounts, [self._market_meta()]))

    def withdraw_there(self, person: Person, atoms: int) -> None:
        taken = alone(self.custody, person, atoms)
        person.send(Instruction(taken.program_id, taken.data, [*taken.accounts, self._market_meta()]))

    def _market_meta(self) -> AccountMeta:
        return AccountMeta(self.market, is_signer=False, is_writable=False)

    def _send(self, *instructions: Instruction) -> None:
        signed = build(client=self.client, payer=self.charlie.key, instructions=list(instructions), budgeted=False)
        self.client.send(signed.transaction)
        assert self.custody.landed(signed.signature) is None

    # What they have

    def there(self, person: Person) -> dict[int, int]:
        return dict(outlook(self.custody.user(person.wallet.user)))

    def here(self, person: Person) -> dict[int, int]:
        """Return what the chain must have: USDC less costs, and lots."""
        found = self.custody.engine.gateway.query(GetAccount(account_id=person.account.id))
        assert found is not None
        lots = {2**31 | position.market_id: position.size_lots for position in found.positions}
        return {QUOTE: found.balances.get("USDC", 0) - sum(position.cost_atoms for position in found.positions)} | lots

    def differing(self) -> list[str]:
        people = (self.alice.person, self.bob.person, self.charlie)
        return [person.user.username for person in people if self.there(person) != self.here(person)]


@contextmanager
def ticking(net: Localnet) -> Iterator[None]:
    stop = net.tick(slot_ms=20)
    try:
        yield
    finally:
        stop()


def put_account(net: Localnet, key: Pubkey, account: SolanaAccount) -> None:
    def put() -> None:
        chain = net.chain
        chain.accounts.remember_original(key)
        chain.accounts.write(key, account, slot=chain.open.slot, final_slot=0)
        chain.bank.put(key, account)

    net.do(put)


def waits_for_chain(reply: Reply) -> bool:
    return reply.reject is not None and (reply.reject.code, reply.reject.data) == ("EXCHANGE_HALTED", {"waits_for": "chain"})


@pytest.fixture
def desk(custody_desk: CustodyDesk, monkeypatch: pytest.MonkeyPatch) -> SilentDesk:
    monkeypatch.setattr(running, "SETTLE_S", 1.0)  # a batch that waits for events is not waited for here
    monkeypatch.setattr(tasks, "CUSTODY_S", 0.0)
    return SilentDesk(custody_desk)


def test_it_comes_back_with_all_that_strangers_did(desk: SilentDesk) -> None:
    alice, bob, charlie = desk.alice, desk.bob, desk.charlie
    desk.settle_all()
    check_matching_stops_in_time(desk)

    # Nobody settles any more; everybody else goes on.
    desk.fall_silent()
    desk.price_there(HIGH)
    buy, sell = alice.order("buy", LOTS + 10, HIGH), bob.order("sell", LOTS + 10, HIGH)
    desk.match_there(alice, bob, buy, sell, lots=LOTS, dollars=HIGH)
    desk.price_there(LOW)
    desk.liquidate_there(alice, TAKEN)
    desk.withdraw_there(bob.person, 50 * USDC)
    charlie.send(charlie.wallet.deposit(100 * USDC))

    # The operator is back. Until every event is journalled nothing is matched here, and no batch goes there.
    assert desk.settle() == "Fallback"
    desk.price_here(HIGH)
    assert waits_for_chain(alice.place(buy))
    index(client=desk.client, chain=desk.chain)
    new = list(ChainEvent.objects.filter(state="new").order_by("number").values_list("kind", flat=True))
    assert new == ["OrdersMatched", "PositionLiquidated", "Withdrawn", "Deposited"]
    assert desk.settle() == "Fallback"
    unheard = ChainEvent.objects.filter(kind="KeyRegistered", account_address=str(bob.person.wallet.user))
    unheard.update(kind="Unheard", state="new")
    tasks.keep_custody()
    held = ChainEvent.objects.filter(state="new").order_by("number").values_list("kind", flat=True)
    assert list(held)[:4] == ["Unheard", "OrdersMatched", "PositionLiquidated", "Withdrawn"]  # what one side waits for, the other does, too
    assert desk.settle() == "Fallback"
    ChainEvent.objects.filter(kind="Unheard").update(kind="KeyRegistered")
    tasks.keep_custody()
    assert not ChainEvent.objects.filter(state="new").exists()
    assert desk.differing() == []
    assert desk.reconciles()
    check_match_is_told_twice(desk)

    desk.settle_until(lambda: desk.phase() == "Live")
    assert desk.differing() == []
    assert desk.there(alice.person)[2**31 | BTC.market_id] == 5 + LOTS - TAKEN
    assert desk.reconciles()
    assert LiquidationStep.objects.get(stage="chain").closed_lots == TAKEN
    check_trading_goes_on(desk, buy, sell)


def check_matching_stops_in_time(desk: SilentDesk) -> None:
    """Just before anybody could let the exchange fall back nothing is matched any more; a batch, and the next look, and it goes on."""
    desk.price_here(HIGH)
    desk.cross(desk.alice, desk.bob, 5, HIGH)
    desk.net.advance(SILENT_SLOTS - 10)
    lease.renew(deployment=desk.chain, client=desk.client)
    assert waits_for_chain(desk.alice.place(desk.alice.order("buy", 5, HIGH)))
    desk.settle_all()
    desk.settle()
    assert desk.alice.place(desk.alice.order("buy", 5, HIGH - 100)).reject is None


def check_match_is_told_twice(desk: SilentDesk) -> None:
    """A match whose event was cut from the logs is told by its instruction; neither has a proof but its transaction."""
    event = ChainEvent.objects.get(kind="OrdersMatched")
    answer = desk.client.transaction(event.signature)
    assert answer is not None
    (told,) = rebuilt(client=desk.client, chain=desk.chain, signature=event.signature, transaction=answer, known=event.number - 1)
    assert (told.kind, told.data) == (event.kind, event.data)
    fill = Fill.objects.filter(kind="chain").order_by("id").first()
    assert fill is not None
    with pytest.raises(ProofOnChain):
        proof_of(deployment=desk.chain, account_id=fill.account_id, trade_id=fill.trade_id)


def check_trading_goes_on(desk: SilentDesk, buy: SignedOrder, sell: SignedOrder) -> None:
    """What was matched there is used up here, what is signed anew is settled to the atom, and an event that comes twice changes nothing."""
    alice, bob = desk.alice, desk.bob
    desk.settle()  # the look after the one that brought it back
    desk.price_here(LOW)
    for trader, order in ((alice, buy), (bob, sell)):
        reject = trader.place(order).reject
        assert reject is not None
        assert reject.code == "SIGNATURE_USED"
    ChainEvent.objects.filter(kind__in=KINDS).update(state="new")  # as after a kill before it was noted
    tasks.keep_custody()
    assert set(ChainEvent.objects.filter(kind__in=KINDS).values_list("state", flat=True)) == {"applied"}
    desk.cross(bob, alice, 7, LOW)
    desk.settle_all()
    assert BookedTrade.objects.count() == 2
    assert desk.reconciles()
