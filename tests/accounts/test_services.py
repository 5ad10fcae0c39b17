"""Registering people and giving them demo money, against a running engine and without one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from accounts import services
from accounts.models import Account, LedgerTransfer, User
from accounts.numbers import NoMoreAccounts
from accounts.selectors import AccountNotFound, account_of, accounts_of, default_account
from accounts.services import DemoOnly, DemoSpent, account_deposit_demo, user_register
from accounts.sub_accounts import account_open
from markets.errors import EngineUnavailable
from markets.fields import InvalidField
from markets.gateway import gateway
from markets.ledger import FAUCET, FIRST_USER_ACCOUNT, FIRST_WALLET_ACCOUNT, MAX_CUSTODIED_ACCOUNT
from markets.queries import GetAccount
from tests.chain.deployments import write_deployment
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


@pytest.mark.parametrize("bound", ["MAX_DEMO_ATOMS", "MAX_DEMO_ATOMS_OF_ACCOUNT"])
def test_it_gives_no_more_demo_money_than_the_faucet_has(desk: Desk, monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    alice = default_account(desk.alice.user)
    desk.project()
    spent = -usdc_of(Account(id=FAUCET)) if bound == "MAX_DEMO_ATOMS" else 10_000
    monkeypatch.setattr(services, bound, (spent + 500) * 1_000_000)
    account_deposit_demo(account=alice, amount_atoms=500_000_000)
    desk.project()

    with pytest.raises(DemoSpent):
        account_deposit_demo(account=alice, amount_atoms=1)

    assert usdc_of(alice) == 10_500


def test_it_gives_demo_money_to_no_wallet(db: None) -> None:
    with pytest.raises(DemoOnly):
        account_deposit_demo(account=Account(id=FIRST_WALLET_ACCOUNT), amount_atoms=1)


def test_it_gives_no_demo_money_where_a_chain_settles_real_money(desk: Desk, settings: Any, tmp_path: Path) -> None:
    settings.CHAIN_DIR, settings.LOCALNET = tmp_path, False
    write_deployment(tmp_path)
    with pytest.raises(DemoOnly):
        account_deposit_demo(account=default_account(desk.alice.user), amount_atoms=1)
    assert usdc_of(default_account(user_register(username="charlie", password=PASSWORD))) == 0


@pytest.fixture
def _last_number(desk: Desk) -> Iterator[None]:
    """Let the last account number on chain be given already. No transaction rolls a sequence back."""
    name = "pg_get_serial_sequence('accounts_account', 'id')"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT nextval({name})")
        (before,) = cursor.fetchone()
        cursor.execute(f"SELECT setval({name}, %s)", [MAX_CUSTODIED_ACCOUNT])
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT setval({name}, %s)", [before])


@pytest.mark.usefixtures("_last_number")
def test_it_opens_no_custodied_account_that_has_no_place_on_chain(desk: Desk, settings: Any, tmp_path: Path) -> None:
    settings.CHAIN_DIR = tmp_path
    write_deployment(tmp_path)

    with pytest.raises(NoMoreAccounts):
        user_register(username="charlie", password=PASSWORD)
    with pytest.raises(NoMoreAccounts):
        account_open(user=desk.alice.user, name="more")

    assert not User.objects.filter(username="charlie").exists()
    assert gateway().query(GetAccount(account_id=MAX_CUSTODIED_ACCOUNT + 1)) is None
    (tmp_path / "deployment.json").unlink()
    assert account_open(user=desk.alice.user, name="more").id > MAX_CUSTODIED_ACCOUNT  # without a chain numbers do not end


def test_it_makes_no_money_in_production(db: None, settings: Any) -> None:
    settings.PRODUCTION = True
    with pytest.raises(DemoOnly):
        account_deposit_demo(account=Account(id=FIRST_USER_ACCOUNT), amount_atoms=1)
