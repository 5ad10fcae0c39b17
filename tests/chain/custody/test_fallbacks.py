"""What a voucher is for and what its owner takes by himself in fallback: together never more than was there, on chain and in the ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from chain.custody import vouchers
from chain.custody.models import ChainEvent, Withdrawal
from chain.custody.withdrawals import withdrawal_request
from chain.errors import SimulationFailed
from chain.models import OutboxEntry, OutboxShard
from markets.ledger import INSURANCE
from tests.chain.custody.desks import USDC, CustodyDesk, Person, custody_desk
from tests.chain.custody.test_withdrawals import SILENT_SLOTS, alone, funded, granted, only, sums, take
from tests.support.engine import engine_process, engine_processes

__all__ = ["custody_desk", "engine_process", "engine_processes"]


def fall_back(desk: CustodyDesk, caller: Person) -> None:
    desk.localnet.advance(SILENT_SLOTS + 1)
    dex = desk.chain.dex
    caller.send(dex.program.instruction("fall_back", {}, {"exchange": dex.exchange}))


def held() -> list[str]:
    return list(ChainEvent.objects.filter(state="new").values_list("kind", flat=True))


@contextmanager
def refused(desk: CustodyDesk, name: str) -> Iterator[None]:
    """Expect that the program refuses, with this error of its own."""
    code = next(one.code for one in desk.chain.dex.program.idl.errors if one.name == name)
    with pytest.raises(SimulationFailed, match=f"Custom\\({code}\\)|InstructionErrorCustom\\({code}\\)"):
        yield


def test_it_pays_once_what_a_voucher_and_its_owner_alone_ask_for(custody_desk: CustodyDesk) -> None:
    """Of 500, 200 are under a voucher; alone she takes 400. The voucher pays nothing until she brings what it lacks."""
    alice = granted(custody_desk)
    fall_back(custody_desk, alice)
    alice.send(alone(custody_desk, alice, 400 * USDC))
    custody_desk.run()
    assert (held(), only().state, sums(custody_desk, alice)) == (["Withdrawn"], "granted", (300, 200, 500))
    assert custody_desk.ledger_atoms(INSURANCE) == 0
    with refused(custody_desk, "NotWithdrawable"):
        take(custody_desk, alice)

    alice.send(alice.wallet.deposit(100 * USDC))
    take(custody_desk, alice)
    custody_desk.run_until(lambda: not held() and only().state == "paid")

    assert sums(custody_desk, alice) == (0, 0, 0)
    assert (alice.chain_atoms(), alice.wallet_atoms()) == (0, 1_000 * USDC)


def test_it_returns_a_voucher_that_expired_and_books_what_its_owner_took(
    custody_desk: CustodyDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vouchers, "voucher_life", lambda _exchange: timedelta(seconds=15))
    alice = granted(custody_desk)
    fall_back(custody_desk, alice)
    alice.send(alone(custody_desk, alice, 400 * USDC))
    custody_desk.run()
    assert held() == ["Withdrawn"]

    expires_s = int(only().expires_at.timestamp())  # type: ignore[union-attr]
    custody_desk.localnet.chain._now_s = lambda: expires_s + 1
    custody_desk.run_until(lambda: not held())

    assert (only().state, sums(custody_desk, alice)) == ("returned", (100, 0, 100))
    assert alice.chain_atoms() == 100 * USDC


def test_it_takes_back_a_voucher_that_was_not_granted_in_time(custody_desk: CustodyDesk) -> None:
    """What waits for its voucher can get none in fallback: else what the owner takes alone could never be booked."""
    alice = funded(custody_desk)
    withdrawal = withdrawal_request(account=alice.account, amount_atoms=200 * USDC, key="a")
    vouchers._queue(withdrawal)  # and then custody was ended
    fall_back(custody_desk, alice)
    alice.send(alone(custody_desk, alice, 400 * USDC))

    custody_desk.run_until(lambda: not held())

    assert (only().state, only().voucher, sums(custody_desk, alice)) == ("returned", None, (100, 0, 100))
    assert not OutboxEntry.objects.exists()
    assert OutboxShard.objects.get(name=vouchers.shard_of(alice.account.id)).last_seq == 0


def test_it_follows_what_was_signed_before_it_takes_a_voucher_back(custody_desk: CustodyDesk) -> None:
    """A voucher that was sent just before the fallback, and landed, is granted; what it is for is not returned beside it."""
    alice = funded(custody_desk)
    withdrawal_request(account=alice.account, amount_atoms=200 * USDC, key="a")
    custody_desk.run()  # signed and sent
    assert OutboxEntry.objects.get().state == OutboxEntry.State.SENDING
    fall_back(custody_desk, alice)

    custody_desk.run_until(lambda: only().state == "granted")
    take(custody_desk, alice)
    custody_desk.run_until(lambda: only().state == "paid")

    assert sums(custody_desk, alice) == (300, 0, 300)
    assert (alice.chain_atoms(), alice.wallet_atoms()) == (300 * USDC, 700 * USDC)


def test_it_finishes_what_it_had_decided_when_it_was_ended(custody_desk: CustodyDesk) -> None:
    alice = funded(custody_desk)
    withdrawal_request(account=alice.account, amount_atoms=200 * USDC, key="a")
    Withdrawal.objects.update(settle_number=1, paid=False, reason="decided, and then custody was ended")

    custody_desk.run()

    assert (only().state, only().voucher, sums(custody_desk, alice)) == ("returned", None, (500, 0, 500))


def test_it_pays_nothing_by_a_voucher_once_the_exchange_is_frozen(custody_desk: CustodyDesk) -> None:
    alice = granted(custody_desk)
    fall_back(custody_desk, alice)
    custody_desk.localnet.advance(SILENT_SLOTS + 1)
    dex = custody_desk.chain.dex
    alice.send(dex.program.instruction("freeze_silent", {}, {"exchange": dex.exchange}))

    with refused(custody_desk, "WrongPhase"):
        take(custody_desk, alice)
    custody_desk.run()

    assert (only().state, sums(custody_desk, alice)) == ("granted", (300, 200, 500))
    assert alice.wallet_atoms() == 500 * USDC
