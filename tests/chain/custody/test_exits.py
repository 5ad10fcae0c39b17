"""Exits: asked for on chain, paid without another signature of the owner."""

import secrets
import time
from functools import partial

import pytest

from accounts.models import TradingKey
from accounts.selectors import default_account
from accounts.services import user_register
from accounts.signing import SignatureInvalid, check, domain
from chain.custody import withdrawals
from chain.custody.applying import apply_new
from chain.custody.indexer import index
from chain.custody.instructions import WalletInstructions
from chain.custody.models import Withdrawal
from chain.custody.withdrawals import withdrawal_request
from chain.settlement.instructions import close_batch, open_batch, post_changes
from chain.settlement.leaves import house
from chain.settlement.trees import AccountTree, batch_root
from chain.setup.parameters import LOCALNET_EXCHANGE
from markets.commands import PlaceOrder, Side, Withdraw
from markets.ledger import FEES, PENDING_WITHDRAWALS
from markets.queries import GetAccount
from markets.selectors import market_by_symbol
from markets.signed_orders import SignedOrder, encode, put_together
from markets.stamps import ms
from tests.chain.custody.desks import USDC, CustodyDesk, Person, custody_desk
from tests.support.engine import engine_process, engine_processes

__all__ = ["custody_desk", "engine_process", "engine_processes"]


def leaving(desk: CustodyDesk) -> Person:
    alice = desk.linked("alice")
    alice.send(alice.wallet.deposit(500 * USDC))
    desk.run_until(lambda: alice.engine_atoms() == 500 * USDC)
    alice.send(alice.wallet.request_exit())
    return alice


def test_it_pays_an_exit_by_itself(custody_desk: CustodyDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(withdrawals, "REVIEW_ATOMS", 100 * USDC)  # an exit waits for nobody
    alice = leaving(custody_desk)

    custody_desk.run_until(lambda: Withdrawal.objects.filter(state="paid").exists())
    custody_desk.run_until(lambda: alice.place.exit_requested_at is None)

    assert (alice.engine_atoms(), alice.chain_atoms(), alice.wallet_atoms()) == (0, 0, 1_000 * USDC)
    assert custody_desk.user(alice.wallet.user).exit_paid
    assert Withdrawal.objects.count() == 1


def test_it_ends_an_exit_that_has_nothing_left(custody_desk: CustodyDesk) -> None:
    """Nothing is withdrawn then; the account must not be one that leaves for ever."""
    alice = leaving(custody_desk)
    lose_all(custody_desk, alice)

    custody_desk.run_until(lambda: alice.place.exit_requested_at is None)

    assert custody_desk.user(alice.wallet.user).exit_paid
    assert not Withdrawal.objects.exists()
    alice.send(alice.wallet.deposit(USDC))
    custody_desk.run_until(lambda: alice.engine_atoms() == USDC)


def lose_all(desk: CustodyDesk, alice: Person) -> None:
    """Let Alice have lost everything, in the engine and in a batch that is final."""
    lost = Withdraw(account_id=alice.account.id, asset="USDC", amount_atoms=500 * USDC, target_account_id=PENDING_WITHDRAWALS)
    assert desk.engine.gateway.submit(lost).reject is None
    fees, settler = desk.chain.account_address(FEES), desk.chain.keys.settler
    trees = [AccountTree(user=alice.wallet.user, leaves=(house(0, -500 * USDC),), before=((0, 500 * USDC),))]
    trees = sorted([*trees, AccountTree(user=fees, leaves=(house(0, 500 * USDC),))], key=lambda tree: bytes(tree.user))
    known = desk.chain.dex.read_exchange(desk.client, commitment="finalized").chain_events
    header = {"seq": 1, "prev_hash": bytes(32), "begin_ms": 0, "end_ms": 1, "chain_events": known}
    whole = [
        open_batch(desk.chain, header),
        post_changes(desk.chain, 1, trees),
        close_batch(desk.chain, 1, root=batch_root(trees).hash, funding={}),
    ]
    assert desk.landed(desk.submit(settler, *whole)) is None
    later_s = int(time.time())
    for _ in range(2):
        later_s += LOCALNET_EXCHANGE["challenge_window_s"] + 1
        desk.localnet.chain._now_s = partial(int, later_s)
        turn = desk.chain.dex.program.instruction("turn_epoch", {}, {"exchange": desk.chain.dex.exchange})
        assert desk.landed(desk.submit(settler, turn)) is None


def test_it_pays_what_was_granted_before_the_exit(custody_desk: CustodyDesk) -> None:
    alice = custody_desk.linked("alice")
    alice.send(alice.wallet.deposit(500 * USDC))
    custody_desk.run()
    withdrawal_request(account=alice.account, amount_atoms=200 * USDC, key="a")
    custody_desk.run_until(lambda: Withdrawal.objects.filter(state="granted").exists())
    alice.send(alice.wallet.request_exit())

    custody_desk.run_until(lambda: Withdrawal.objects.filter(state="paid").count() == 2)

    assert (alice.engine_atoms(), alice.wallet_atoms()) == (0, 1_000 * USDC)


@pytest.mark.parametrize("sub_account", [0, 7])
def test_it_pays_the_exit_of_a_wallet_that_nobody_linked(custody_desk: CustodyDesk, sub_account: int) -> None:
    stranger = custody_desk.person("charlie")
    wallet = WalletInstructions(custody_desk.chain, stranger.key.pubkey(), sub_account)
    stranger.send(wallet.create_user(stranger.key.pubkey()))
    stranger.send(wallet.deposit(1), wallet.request_exit())

    custody_desk.run_until(lambda: custody_desk.user(wallet.user).exit_paid)
    custody_desk.run()

    assert (stranger.wallet_atoms(), stranger.engine_atoms()) == (1_000 * USDC, 0)
    assert (stranger.place.sub_account, stranger.place.exit_requested_at) == (sub_account, None)


def test_it_pays_whoever_else_leaves_when_one_exit_fails(custody_desk: CustodyDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = custody_desk.linked("alice"), custody_desk.linked("bob")
    for one in (alice, bob):
        one.send(one.wallet.deposit(500 * USDC), one.wallet.request_exit())
    monkeypatch.setattr(secrets, "token_hex", lambda _size: "known")  # as if the key could be known beforehand
    index(client=custody_desk.client, chain=custody_desk.chain)
    apply_new(client=custody_desk.client, chain=custody_desk.chain)
    withdrawal_request(account=alice.account, amount_atoms=USDC, key="exit known")

    custody_desk.run_until(lambda: Withdrawal.objects.filter(account=bob.account, state="paid").exists())

    assert (bob.engine_atoms(), bob.wallet_atoms()) == (0, 1_000 * USDC)


def test_it_gives_exits_keys_that_nobody_can_take_beforehand(custody_desk: CustodyDesk) -> None:
    alice = leaving(custody_desk)
    index(client=custody_desk.client, chain=custody_desk.chain)
    apply_new(client=custody_desk.client, chain=custody_desk.chain)
    requested_at = alice.place.exit_requested_at
    assert requested_at is not None
    withdrawal_request(account=alice.account, amount_atoms=USDC, key=f"exit {ms(requested_at)} 1")

    custody_desk.run_until(lambda: alice.place.exit_requested_at is None)

    assert (alice.engine_atoms(), alice.wallet_atoms()) == (0, 1_000 * USDC)


def test_it_takes_only_what_reduces_meanwhile(custody_desk: CustodyDesk) -> None:
    alice = custody_desk.linked("alice")
    key = custody_desk.person("bob").key
    alice.send(alice.wallet.deposit(500 * USDC))
    alice.send(alice.wallet.register_key(key=key.pubkey(), market_id=None, cap_atoms=10**12, expires_at_s=2**32))
    custody_desk.run()
    account_id, market = alice.account.id, market_by_symbol("BTC-PERP")
    expiry_ms = int(TradingKey.objects.get().created_at.timestamp() * 1_000) + 60_000

    def signed(*, reduce_only: bool) -> bytes:
        order = SignedOrder(
            domain=domain(),
            market_id=market.market_id,
            owner=bytes(alice.key.pubkey()),
            sub_account=0,
            side="buy",
            size_lots=1,
            limit_ticks=100,
            fee_cap_ppm=1_000,
            reduce_only=reduce_only,
            expiry_ms=expiry_ms,
            nonce=1,
        )
        data = encode(order)
        return data + bytes(key.pubkey()) + bytes(key.sign_message(data))

    check(signed(reduce_only=False), account_id=account_id, market=market)
    alice.send(alice.wallet.request_exit())
    custody_desk.run()

    check(signed(reduce_only=True), account_id=account_id, market=market)
    with pytest.raises(SignatureInvalid, match="asked for an exit"):
        check(signed(reduce_only=False), account_id=account_id, market=market)


def test_it_closes_positions_first(custody_desk: CustodyDesk) -> None:
    alice, makers = custody_desk.linked("alice"), user_register(username="makers", password="an-evening-in-november")
    key = custody_desk.person("bob").key
    alice.send(alice.wallet.deposit(500 * USDC))
    alice.send(alice.wallet.register_key(key=key.pubkey(), market_id=None, cap_atoms=10**12, expires_at_s=2**32))
    custody_desk.run()
    market, maker = market_by_symbol("BTC-PERP"), default_account(makers).id
    mark = 60_000 * 10**8 // market.tick_e8
    quote(custody_desk, maker, "sell", mark + 10)
    order = SignedOrder(
        domain=domain(),
        market_id=market.market_id,
        owner=bytes(alice.key.pubkey()),
        sub_account=0,
        side="buy",
        size_lots=5,
        limit_ticks=mark + 10,
        fee_cap_ppm=1_000,
        reduce_only=False,
        expiry_ms=time.time_ns() // 1_000_000 + 60_000,
        nonce=time.time_ns() // 1_000_000,
    )
    signed = put_together(encode(order), key=key)
    placed = PlaceOrder(
        account_id=alice.account.id, market_id=market.market_id, side="buy", type="limit", size_lots=5, price_ticks=mark + 10, signed=signed
    )
    assert custody_desk.engine.gateway.submit(placed).reject is None
    assert positions(custody_desk, alice) == [5]
    quote(custody_desk, maker, "buy", mark - 10)
    alice.send(alice.wallet.request_exit())

    custody_desk.run_until(lambda: Withdrawal.objects.filter(state="granted").exists())

    asked = Withdrawal.objects.get()
    assert (positions(custody_desk, alice), alice.engine_atoms()) == ([], 0)
    assert asked.amount_atoms < 500 * USDC
    custody_desk.run()  # what the trades took is not settled on chain yet: paid now, the exit would stay open
    asked.refresh_from_db()
    assert asked.withdraw_signature == ""


def quote(desk: CustodyDesk, account_id: int, side: Side, ticks: int) -> None:
    order = PlaceOrder(account_id=account_id, market_id=1, side=side, type="limit", size_lots=5, price_ticks=ticks)
    assert desk.engine.gateway.submit(order).reject is None


def positions(desk: CustodyDesk, person: Person) -> list[int]:
    view = desk.engine.gateway.query(GetAccount(account_id=person.account.id))
    assert view is not None
    return [position.size_lots for position in view.positions]
