"""Registering people and giving them demo money, against a running engine and without one."""

from typing import Any

import pytest

from accounts.models import Account, LedgerTransfer, User
from accounts.selectors import AccountNotFound, account_of, accounts_of, default_account
from accounts.services import DemoOnly, account_deposit_demo, user_register
from markets.errors import EngineUnavailable
from markets.fields import InvalidField
from markets.gateway import gateway
from markets.ledger import FIRST_USER_ACCOUNT
from markets.queries import GetAccount
from tests.support.api import PASSWORD, Desk, desk
from tests.support.engine import EngineProcesses, engine_process, engine_processes

__all__ = ["desk", "engine_process", "engine_processes"]


def usdc_of(account: Account) -> int:
    view = gateway().query(GetAccount(account_id=account.id))
    assert view is not None
    return view.balances.get("USDC", 0) // 1_000_000


def test_it_registers_a_person_with_an_account_and_demo_money(desk: Desk) -> None:
    alice = default_account(desk.alice.user)
    assert alice.id >= FIRST_USER_ACCOUNT
    assert [account.id for account in accounts_of(desk.alice.user)] == [alice.id]
    assert usdc_of(alice) == 10_000
    assert desk.alice.user.check_password(PASSWORD)
    with pytest.raises(AccountNotFound):
        account_of(desk.bob.user, alice.id)


@pytest.mark.parametrize(
    ("username", "password", "code", "field"),
    [
        ("alice", PASSWORD, "USERNAME_TAKEN", "username"),
        ("", PASSWORD, "INVALID_USERNAME", "username"),
        ("a b", PASSWORD, "INVALID_USERNAME", "username"),
        ("nul\x00", PASSWORD, "INVALID_USERNAME", "username"),
        ("x" * 151, PASSWORD, "INVALID_USERNAME", "username"),
        ("charlie", "short", "WEAK_PASSWORD", "password"),
        ("charlie", "password1234", "WEAK_PASSWORD", "password"),
        ("charlie-of-sussex", "charlie-of-sussex", "WEAK_PASSWORD", "password"),
    ],
)
def test_it_refuses_a_name_or_password_that_will_not_do(db: None, username: str, password: str, code: str, field: str) -> None:
    User.objects.create(username="alice")
    with pytest.raises(InvalidField) as refused:
        user_register(username=username, password=password)
    assert (refused.value.code, refused.value.data["field"]) == (code, field)


def test_it_leaves_nobody_half_made_without_an_engine(engine_processes: EngineProcesses) -> None:
    with pytest.raises(EngineUnavailable):
        user_register(username="charlie", password=PASSWORD)
    assert not User.objects.filter(username="charlie").exists()


def test_it_deposits_demo_money_again_whether_the_tables_are_current_or_not(desk: Desk) -> None:
    alice = default_account(desk.alice.user)
    account_deposit_demo(account=alice, amount_atoms=500_000_000)
    assert usdc_of(alice) == 10_500
    desk.project()
    assert LedgerTransfer.objects.filter(credit_account=alice, kind="deposit").count() == 2
    account_deposit_demo(account=alice, amount_atoms=500_000_000)
    assert usdc_of(alice) == 11_000


@pytest.mark.parametrize("amount_atoms", [0, -1, 100_001_000_000])
def test_it_limits_demo_money(db: None, amount_atoms: int) -> None:
    with pytest.raises(InvalidField) as refused:
        account_deposit_demo(account=Account(id=FIRST_USER_ACCOUNT), amount_atoms=amount_atoms)
    assert refused.value.data["field"] == "amount"


def test_it_makes_no_money_in_production(db: None, settings: Any) -> None:
    settings.PRODUCTION = True
    with pytest.raises(DemoOnly):
        account_deposit_demo(account=Account(id=FIRST_USER_ACCOUNT), amount_atoms=1)
