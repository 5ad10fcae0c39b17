"""kill -9 of custody's process at each step of a deposit, a withdrawal that is paid and one that returns: each amount moves once."""

import os
import signal
from collections.abc import Iterator
from multiprocessing import Pipe

import pytest

from chain.custody import vouchers
from chain.custody.models import Withdrawal
from chain.custody.withdrawals import withdrawal_request
from markets.ledger import CUSTODY, PENDING_WITHDRAWALS
from markets.queries import GetAccount
from tests.chain.custody.custody_main import keep_custody
from tests.chain.custody.desks import USDC, CustodyDesk, Person, custody_desk
from tests.support.engine import START_SECONDS, engine_process, engine_processes
from tests.support.forked import ForkedProgram, drain, surroundings

__all__ = ["custody_desk", "engine_process", "engine_processes"]

POINTS = {f"{when} {what}" for when in ("before", "after") for what in ("Deposit", "Withdraw", "SettleWithdrawal", "send")}
PATIENCE = 2_000


class CustodyProcess:
    def __init__(self, desk: CustodyDesk) -> None:
        known = surroundings(url=desk.engine.url, data_dir=desk.engine.data_dir)
        self._steps, theirs = Pipe()
        self._process = ForkedProgram(keep_custody, known, (theirs, desk.localnet.url, desk.chain.folder))
        theirs.close()
        self._drain = drain(self._process)

    def step(self) -> str:
        """Return what it is at."""
        return str(self._steps.recv())

    def go_on(self) -> None:
        self._steps.send(None)

    def kill(self) -> None:
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait(START_SECONDS)
        self._drain.join(START_SECONDS)
        self._steps.close()


class Kills:
    """Runs custody, killing it once at each point that it comes to."""

    def __init__(self, desk: CustodyDesk) -> None:
        self._desk = desk
        self._process = CustodyProcess(desk)
        self.killed_at: set[str] = set()

    def run_until_paused(self) -> None:
        """Go on to the end of the next pass that was not cut short."""
        while (step := self._process.step()) != "pass":
            if step in POINTS - self.killed_at:
                self.killed_at.add(step)
                self._process.kill()
                self._process = CustodyProcess(self._desk)
            else:
                self._process.go_on()
        self._process.go_on()

    def end(self) -> None:
        self._process.kill()


@pytest.fixture
def kills(custody_desk: CustodyDesk) -> Iterator[Kills]:
    stop = custody_desk.localnet.tick(slot_ms=10)
    kills = Kills(custody_desk)
    yield kills
    kills.end()
    stop()


def test_it_moves_each_amount_once_whatever_is_killed(custody_desk: CustodyDesk, kills: Kills) -> None:
    alice = custody_desk.person("alice")
    alice.link()
    until(kills, lambda: alice.place.created_at is not None)
    alice.send(alice.wallet.deposit(500 * USDC))
    until(kills, lambda: alice.engine_atoms() == 500 * USDC)

    paid, returned = ask(custody_desk, alice, 120), ask(custody_desk, alice, 70)
    until(kills, lambda: (state(paid), state(returned)) == ("granted", "granted"))
    take(custody_desk, alice, paid)
    custody_desk.pass_time(2 * vouchers.LIFE)
    until(kills, lambda: (state(paid), state(returned)) == ("paid", "returned"))

    assert kills.killed_at == POINTS
    pending, custody = (custody_desk.ledger_atoms(account) for account in (PENDING_WITHDRAWALS, CUSTODY))
    assert (alice.engine_atoms(), pending, custody) == (380 * USDC, 0, -380 * USDC)
    assert (alice.chain_atoms(), alice.wallet_atoms()) == (380 * USDC, 620 * USDC)


def until(kills: Kills, done: object) -> None:
    assert callable(done)
    for _ in range(PATIENCE):
        if done():
            return
        kills.run_until_paused()
    raise AssertionError("it did not come to that")


def ask(desk: CustodyDesk, alice: Person, usdc: int) -> Withdrawal:
    """Ask while the engine is away, so that debiting it is left to custody's process."""
    account = alice.account
    desk.engine.kill()
    asked = withdrawal_request(account=account, amount_atoms=usdc * USDC, key=str(usdc))
    desk.engine.start()
    assert desk.engine.gateway.query(GetAccount(account_id=account.id)) is not None
    return asked


def state(withdrawal: Withdrawal) -> str:
    return Withdrawal.objects.values_list("state", flat=True).get(pk=withdrawal.pk)


def take(desk: CustodyDesk, alice: Person, withdrawal: Withdrawal) -> None:
    withdrawal.refresh_from_db()
    assert withdrawal.voucher is not None
    settler = desk.chain.keys.settler.pubkey()
    alice.send(
        alice.wallet.withdraw(
            number=withdrawal.voucher,
            amount_atoms=withdrawal.amount_atoms,
            destination=alice.wallet.token_account,
            markets=[],
            settler=settler,
            signer=alice.key.pubkey(),
        )
    )
