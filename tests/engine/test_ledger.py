"""Deposits, withdrawals, transfers and corrections."""

from markets.commands import AdjustBalance, Deposit, OpenAccount, Transfer, Withdraw
from markets.events import LedgerTransfer
from markets.ledger import CLEARING, FAUCET, FEES
from tests.engine.desk import ALICE, BOB, USDC, Desk


def test_it_applies_only_the_next_deposit_of_a_source() -> None:
    desk = Desk(cash=0)
    deposit = Deposit(account_id=ALICE, asset="USDC", amount_atoms=5, number=1, source_account_id=FAUCET)
    assert desk.do(deposit).reject is None
    assert desk.named("LedgerPosted")[0].transfers == (LedgerTransfer(FAUCET, ALICE, "USDC", 5, "deposit"),)
    again = desk.do(deposit)
    assert again.reject is not None
    assert again.reject.data == {"last_number": 1}
    assert desk.account(ALICE).balances["USDC"] == 5
    assert desk.account(FAUCET).balances["USDC"] == -5


def test_it_moves_money_between_accounts() -> None:
    desk = Desk(cash=10)
    desk.do(Transfer(account_id=ALICE, to_account_id=BOB, asset="USDC", amount_atoms=4))
    desk.do(Withdraw(account_id=BOB, asset="USDC", amount_atoms=14, target_account_id=FAUCET))
    desk.do(AdjustBalance(debit_account_id=FEES, credit_account_id=ALICE, asset="USDC", amount_atoms=3, reason="refund", author="staff"))
    assert (desk.named("LedgerPosted")[0].reason, desk.named("LedgerPosted")[0].author) == ("refund", "staff")
    balances = [desk.account(account_id).balances["USDC"] for account_id in (ALICE, BOB, FEES)]
    assert balances == [9, 0, -3]


def test_it_opens_an_account_once() -> None:
    desk = Desk()
    before = desk.account(ALICE)
    assert desk.do(OpenAccount(account_id=ALICE)).reject is None
    assert desk.events == []
    assert desk.account(ALICE) == before
    assert desk.do(OpenAccount(account_id=FEES)).reject is not None


def test_it_keeps_system_accounts_out_of_trading() -> None:
    reply = Desk().buy(FEES, 10, 9_990)
    assert reply.reject is not None
    assert reply.reject.code == "ACCOUNT_NOT_FOUND"


def test_it_settles_profit_against_clearing_and_fees_against_fees() -> None:
    desk = Desk(cash=1_000 * USDC)
    desk.trade(10, 10_000, buyer=ALICE, seller=BOB)
    desk.trade(10, 10_100, buyer=BOB, seller=ALICE)
    assert desk.account(CLEARING).balances["USDC"] == 0
    assert desk.account(FEES).balances["USDC"] == 50_000 + 20_000 + 50_500 + 20_200


def test_it_counts_an_accounts_batches() -> None:
    desk = Desk()
    before = desk.account(ALICE).seq
    desk.batch(desk.order(ALICE, "buy", 10, 9_990), desk.order(ALICE, "buy", 10, 9_980))
    assert desk.outcome.accounts == {ALICE}
    assert desk.account(ALICE).seq == before + 1
    desk.sell(BOB, 5, 9_990)
    assert {ALICE, BOB} <= desk.outcome.accounts
    assert desk.account(ALICE).seq == before + 2
