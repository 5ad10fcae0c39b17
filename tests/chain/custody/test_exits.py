"""Exits: asked for on chain, paid without another signature of the owner."""

import pytest

from accounts.models import TradingKey
from accounts.signing import SignatureInvalid, check, domain
from chain.custody import withdrawals
from chain.custody.models import Withdrawal
from chain.custody.withdrawals import withdrawal_request
from markets.selectors import market_by_symbol
from markets.signed_orders import SignedOrder, encode
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


def test_it_pays_what_was_granted_before_the_exit(custody_desk: CustodyDesk) -> None:
    alice = custody_desk.linked("alice")
    alice.send(alice.wallet.deposit(500 * USDC))
    custody_desk.run()
    withdrawal_request(account=alice.account, amount_atoms=200 * USDC, key="a")
    custody_desk.run_until(lambda: Withdrawal.objects.filter(state="granted").exists())
    alice.send(alice.wallet.request_exit())

    custody_desk.run_until(lambda: Withdrawal.objects.filter(state="paid").count() == 2)

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
