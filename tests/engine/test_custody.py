"""Money that comes in through the chain and leaves through it, and the accounts that wallets own."""

import pytest

from markets.commands import Deposit, OpenAccount, SettleWithdrawal, Withdraw
from markets.events import AccountOpened, LedgerTransfer
from markets.ledger import CUSTODY, PENDING_WITHDRAWALS
from markets.rejects import Reject
from markets.views import Reply
from tests.engine.desk import ALICE, Desk
from trading.engine.state import QUOTE_PARAMETERS

WALLET = 1003


def settle(desk: Desk, amount_atoms: int, number: int, *, paid: bool) -> Reply:
    return desk.do(SettleWithdrawal(account_id=ALICE, asset="USDC", amount_atoms=amount_atoms, number=number, paid=paid))


def pending_desk() -> Desk:
    """Return a desk where Alice brought 100 atoms in through the chain and 60 are on their way out."""
    desk = Desk(cash=0)
    assert desk.do(Deposit(account_id=ALICE, asset="USDC", amount_atoms=100, number=1, source_account_id=CUSTODY)).reject is None
    assert desk.do(Withdraw(account_id=ALICE, asset="USDC", amount_atoms=60, target_account_id=PENDING_WITHDRAWALS)).reject is None
    return desk


def balances(desk: Desk) -> tuple[int, int, int]:
    alice, pending, custody = (desk.account(account_id).balances.get("USDC", 0) for account_id in (ALICE, PENDING_WITHDRAWALS, CUSTODY))
    return alice, pending, custody


def test_it_lets_paid_money_leave_through_custody() -> None:
    desk = pending_desk()
    assert settle(desk, 60, 1, paid=True).reject is None
    assert desk.named("LedgerPosted")[0].transfers == (LedgerTransfer(PENDING_WITHDRAWALS, CUSTODY, "USDC", 60, "withdrawal"),)
    assert balances(desk) == (40, 0, -40)


def test_it_returns_what_was_not_paid_whatever_the_caps_say() -> None:
    desk = pending_desk()
    assert (
        desk.admit(asset="USDC", decimals=6, index_id=0, tiers=QUOTE_PARAMETERS.tiers, account_cap_atoms=50, exchange_cap_atoms=50).reject
        is None
    )
    assert settle(desk, 60, 1, paid=False).reject is None
    assert desk.named("LedgerPosted")[0].transfers == (LedgerTransfer(PENDING_WITHDRAWALS, ALICE, "USDC", 60, "withdrawal"),)
    assert balances(desk) == (100, 0, -100)


@pytest.mark.parametrize("number", [0, 1, 3])
def test_it_settles_each_withdrawal_once(number: int) -> None:
    desk = pending_desk()
    settle(desk, 30, 1, paid=True)
    desk.restart()
    assert settle(desk, 30, number, paid=False).reject == Reject("OUT_OF_SEQUENCE", {"last_number": 1})
    assert settle(desk, 30, 2, paid=False).reject is None
    assert balances(desk) == (70, 0, -70)


def test_it_books_what_the_chain_says_whatever_limits_and_caps_say() -> None:
    desk = Desk(cash=0)
    desk.do(OpenAccount(account_id=WALLET, self_custody=True))
    desk.admit(asset="USDC", decimals=6, index_id=0, tiers=QUOTE_PARAMETERS.tiers, account_cap_atoms=50, exchange_cap_atoms=50)
    desk.limit(withdrawal_hour_atoms=10, withdrawal_day_atoms=10)

    for account_id in (ALICE, WALLET):
        brought = Deposit(account_id=account_id, asset="USDC", amount_atoms=100, number=1, source_account_id=CUSTODY)
        assert desk.do(brought).reject is None
    taken = Withdraw(account_id=WALLET, asset="USDC", amount_atoms=130, target_account_id=CUSTODY, number=1)
    assert desk.do(taken).reject is None  # by its owner, in fallback: more than the engine thought was there

    assert desk.account(WALLET).balances["USDC"] == -30
    assert desk.do(taken).reject == Reject("OUT_OF_SEQUENCE", {"last_number": 1})


def test_it_settles_no_more_than_is_pending() -> None:
    desk = pending_desk()
    assert settle(desk, 61, 1, paid=True).reject == Reject("INSUFFICIENT_BALANCE", {"withdrawable_atoms": 60})


def test_it_keeps_an_account_in_the_custody_that_it_was_opened_in() -> None:
    desk = Desk()
    opened = OpenAccount(account_id=WALLET, self_custody=True)
    assert desk.do(opened).reject is None
    assert desk.events == [AccountOpened(account_id=WALLET, self_custody=True)]
    desk.restart()
    assert (desk.do(opened).reject, desk.events) == (None, [])
    assert desk.do(OpenAccount(account_id=WALLET)).reject == Reject("INVALID_COMBINATION", {"field": "self_custody"})
    assert desk.do(OpenAccount(account_id=ALICE, self_custody=True)).reject == Reject("INVALID_COMBINATION", {"field": "self_custody"})
    assert desk.engine.state.accounts[WALLET].self_custody


def test_it_makes_a_numbered_withdrawal_once() -> None:
    desk = pending_desk()
    first, second = (
        Withdraw(account_id=ALICE, asset="USDC", amount_atoms=10, target_account_id=PENDING_WITHDRAWALS, number=number) for number in (1, 2)
    )
    assert desk.do(second).reject == Reject("OUT_OF_SEQUENCE", {"last_number": 0})
    assert desk.do(first).reject is None
    assert desk.do(first).reject == Reject("OUT_OF_SEQUENCE", {"last_number": 1})
    assert desk.do(second).reject is None
    assert balances(desk) == (20, 80, -100)
