"""Withdrawals: debited, granted, taken by the owner, settled; or returned. Each once, and every account agrees at each step."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone
from solders.instruction import Instruction
from spl.token.constants import TOKEN_PROGRAM_ID

from accounts.approvals.services import NotPermitted, approval_approve, approvals_execute_due
from accounts.models import User
from chain.custody import vouchers, withdrawals
from chain.custody.errors import TooManyWithdrawals, WithdrawalKeyUsed, WithdrawalNotReady
from chain.custody.models import ChainEvent, Withdrawal
from chain.custody.reviews import review_request
from chain.custody.withdrawals import withdrawal_request
from chain.models import OutboxShard
from chain.setup.parameters import LOCALNET_EXCHANGE
from markets.errors import Refused
from markets.fields import InvalidField
from markets.ledger import CUSTODY, PENDING_WITHDRAWALS
from tests.chain.custody.desks import USDC, CustodyDesk, Person, custody_desk
from tests.support.engine import engine_process, engine_processes

__all__ = ["custody_desk", "engine_process", "engine_processes"]

SILENT_SLOTS = LOCALNET_EXCHANGE["silent_slots"]


def funded(desk: CustodyDesk, usdc: int = 500) -> Person:
    alice = desk.linked("alice")
    alice.send(alice.wallet.deposit(usdc * USDC))
    desk.run_until(lambda: alice.engine_atoms() == usdc * USDC)
    return alice


def only() -> Withdrawal:
    return Withdrawal.objects.get()


def take(desk: CustodyDesk, alice: Person) -> None:
    """Have Alice's wallet take what was granted."""
    found = only()
    assert found.voucher is not None
    settler = desk.chain.keys.settler.pubkey()
    alice.send(
        alice.wallet.withdraw(
            number=found.voucher,
            amount_atoms=found.amount_atoms,
            destination=alice.wallet.token_account,
            markets=alice.wallet.markets_held(desk.client),
            settler=settler,
            signer=alice.key.pubkey(),
        )
    )


def granted(desk: CustodyDesk) -> Person:
    alice = funded(desk)
    withdrawal_request(account=alice.account, amount_atoms=200 * USDC, key="a")
    desk.run_until(lambda: only().state == "granted")
    return alice


def sums(desk: CustodyDesk, alice: Person) -> tuple[int, int, int]:
    """Return what Alice has in the engine, what is pending, and what came in through the chain; in USDC."""
    return (
        alice.engine_atoms() // USDC,
        desk.ledger_atoms(PENDING_WITHDRAWALS) // USDC,
        -desk.ledger_atoms(CUSTODY) // USDC,
    )


def test_it_pays_what_the_wallet_takes(custody_desk: CustodyDesk) -> None:
    alice = granted(custody_desk)
    assert sums(custody_desk, alice) == (300, 200, 500)

    take(custody_desk, alice)
    custody_desk.run_until(lambda: only().state == "paid")

    assert sums(custody_desk, alice) == (300, 0, 300)
    assert (alice.chain_atoms(), alice.wallet_atoms()) == (300 * USDC, 700 * USDC)
    assert all((only().grant_signature, only().withdraw_signature, only().ended_at))


def test_it_returns_what_nobody_took(custody_desk: CustodyDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vouchers, "LIFE", timedelta(seconds=2))
    alice = granted(custody_desk)

    custody_desk.run_until(lambda: only().state == "returned")

    assert sums(custody_desk, alice) == (500, 0, 500)
    assert only().return_signature
    withdrawal_request(account=alice.account, amount_atoms=100 * USDC, key="b")
    monkeypatch.undo()
    custody_desk.run_until(lambda: Withdrawal.objects.filter(key="b", state="granted", voucher=2).exists())


def test_it_refuses_what_is_not_there_and_says_why(custody_desk: CustodyDesk) -> None:
    alice = funded(custody_desk)
    with pytest.raises(Refused) as refusal:
        withdrawal_request(account=alice.account, amount_atoms=501 * USDC, key="a")
    assert (refusal.value.code, only().state) == ("INSUFFICIENT_BALANCE", "refused")

    withdrawal_request(account=alice.account, amount_atoms=500 * USDC, key="b")

    assert sums(custody_desk, alice) == (0, 500, 500)


def test_it_takes_the_same_key_for_the_same_withdrawal(custody_desk: CustodyDesk) -> None:
    alice = funded(custody_desk)
    one, again = (withdrawal_request(account=alice.account, amount_atoms=10 * USDC, key="a") for _ in range(2))
    assert (one.pk, sums(custody_desk, alice)) == (again.pk, (490, 10, 500))
    with pytest.raises(WithdrawalKeyUsed):
        withdrawal_request(account=alice.account, amount_atoms=11 * USDC, key="a")


def test_it_refuses_dust_and_more_than_five_at_once(custody_desk: CustodyDesk) -> None:
    alice = funded(custody_desk)
    with pytest.raises(InvalidField, match="at least 1 USDC"):
        withdrawal_request(account=alice.account, amount_atoms=USDC - 1, key="dust")
    for number in range(withdrawals.MAX_OPEN):
        withdrawal_request(account=alice.account, amount_atoms=USDC, key=str(number))

    with pytest.raises(TooManyWithdrawals):
        withdrawal_request(account=alice.account, amount_atoms=USDC, key="another")

    assert withdrawal_request(account=alice.account, amount_atoms=USDC, key="0").state == "held"
    assert sums(custody_desk, alice) == (495, 5, 500)


def test_it_keeps_vouchers_for_the_time_after_a_fallback(custody_desk: CustodyDesk) -> None:
    alice = funded(custody_desk)
    withdrawal = withdrawal_request(account=alice.account, amount_atoms=200 * USDC, key="a")
    vouchers._queue(withdrawal)  # and then custody was ended
    custody_desk.localnet.advance(SILENT_SLOTS + 1)
    dex = custody_desk.chain.dex
    alice.send(dex.program.instruction("fall_back", {}, {"exchange": dex.exchange}))
    for _ in range(5):
        custody_desk.run()
        custody_desk.localnet.advance()

    assert not OutboxShard.objects.filter(name__startswith="vouchers").exclude(halted_at=None).exists()
    assert (only().state, sums(custody_desk, alice)) == ("held", (300, 200, 500))


def test_it_carries_out_later_what_the_engine_did_not_answer(custody_desk: CustodyDesk) -> None:
    alice = funded(custody_desk)
    account = alice.account
    custody_desk.engine.kill()
    asked = withdrawal_request(account=account, amount_atoms=10 * USDC, key="a")
    assert asked.state == "requested"

    custody_desk.engine.start()
    custody_desk.run_until(lambda: only().state == "granted")

    assert sums(custody_desk, alice) == (490, 10, 500)


def test_it_has_large_ones_wait_for_two_people(custody_desk: CustodyDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(withdrawals, "REVIEW_ATOMS", 200 * USDC)
    alice = funded(custody_desk)
    withdrawal_request(account=alice.account, amount_atoms=200 * USDC, key="a")
    custody_desk.run()
    assert (only().state, only().voucher) == ("review", None)

    ask, decide = staff("ann", "review_withdrawal"), staff("ben", "decide_approval")
    with pytest.raises(NotPermitted):
        review_request(withdrawal=only(), by=decide, pay=True, reason="Known customer.")
    approval = review_request(withdrawal=only(), by=ask, pay=True, reason="Known customer.")
    with pytest.raises(WithdrawalNotReady):
        review_request(withdrawal=only(), by=ask, pay=False, reason="Again.")
    approval_approve(approval_id=approval.pk, by=decide)
    assert approvals_execute_due() == [approval.pk]
    custody_desk.run_until(lambda: only().state == "granted")


def test_it_returns_what_two_people_do_not_pay(custody_desk: CustodyDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(withdrawals, "REVIEW_ATOMS", 200 * USDC)
    alice = funded(custody_desk)
    withdrawal_request(account=alice.account, amount_atoms=200 * USDC, key="a")
    approval = review_request(withdrawal=only(), by=staff("ann", "review_withdrawal"), pay=False, reason="The owner asked by phone.")
    approval_approve(approval_id=approval.pk, by=staff("ben", "decide_approval"))
    assert approvals_execute_due() == [approval.pk]
    assert (only().state, only().reason, alice.engine_atoms()) == ("returned", "The owner asked by phone.", 500 * USDC)


def staff(name: str, permission: str) -> User:
    user = User.objects.create_user(name, password="an-evening-in-november", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename=permission))
    return user


def test_it_holds_in_production(custody_desk: CustodyDesk, settings: Any) -> None:
    alice = funded(custody_desk)
    settings.PRODUCTION = True
    withdrawal_request(account=alice.account, amount_atoms=10 * USDC, key="a")
    custody_desk.run()
    assert (only().state, only().voucher) == ("held", None)

    Withdrawal.objects.update(held_until=timezone.now())
    custody_desk.run_until(lambda: only().state == "granted")


def test_it_books_what_the_owner_takes_while_the_operator_is_silent(custody_desk: CustodyDesk) -> None:
    alice = funded(custody_desk)
    custody_desk.localnet.advance(SILENT_SLOTS + 1)
    withdrawal_request(account=alice.account, amount_atoms=200 * USDC, key="a")  # it was too late for a voucher
    program, exchange = custody_desk.chain.dex.program, custody_desk.chain.dex.exchange
    alice.send(program.instruction("fall_back", {}, {"exchange": exchange}))
    alice.send(alone(custody_desk, alice, 400 * USDC))

    custody_desk.run_until(lambda: not ChainEvent.objects.filter(state="new").exists() and alice.engine_atoms() == 100 * USDC)

    assert (only().state, only().reason) == ("returned", "The owner withdrew on chain, without the operator.")
    assert sums(custody_desk, alice) == (100, 0, 100)
    assert (alice.chain_atoms(), alice.wallet_atoms()) == (100 * USDC, 900 * USDC)


def alone(desk: CustodyDesk, alice: Person, amount_atoms: int) -> Instruction:
    """Return a withdrawal without a voucher, which only fallback admits."""
    asset = desk.chain.dex.asset(desk.chain.usdc_mint)
    accounts = {
        "signer": alice.key.pubkey(),
        "settler": desk.chain.keys.settler.pubkey(),
        "exchange": desk.chain.dex.exchange,
        "destination": alice.wallet.token_account,
        "user": alice.wallet.user,
        "token_program": TOKEN_PROGRAM_ID,
    }
    return desk.chain.dex.program.instruction("withdraw", {"amount": amount_atoms}, accounts | asset)
