"""Several accounts of one person, and money between them."""

from decimal import Decimal

from accounts.models import Account
from accounts.sub_accounts import MAX_ACCOUNTS
from tests.support.api import Desk, desk, exact
from tests.support.engine import engine_process, engine_processes
from trading.api.sub_accounts import MovedAmount, OwnAccount, OwnAccountList

__all__ = ["desk", "engine_process", "engine_processes"]


def opened(desk: Desk, name: str = "second") -> int:
    answer = desk.alice.post("accounts/", {"name": name})
    assert answer.status == 201, answer
    return exact(answer.json, OwnAccount).account_id


def usdc(desk: Desk, account_id: int) -> Decimal:
    return Decimal(desk.alice.get(f"account/?account_id={account_id}").json["balances"]["USDC"])


def test_it_opens_an_account_and_moves_money_there_and_back(desk: Desk) -> None:
    second = opened(desk)
    listed = exact(desk.alice.get("accounts/").json, OwnAccountList).results
    first = listed[0].account_id
    assert [(account.account_id, account.name) for account in listed] == [(first, "main"), (second, "second")]
    before = usdc(desk, first)
    moved = desk.alice.post("accounts/transfer/", {"to_account_id": second, "amount": "12.5"})
    assert exact(moved.json, MovedAmount) == MovedAmount(first, second, "USDC", Decimal("12.5"))
    assert (usdc(desk, first), usdc(desk, second)) == (before - Decimal("12.5"), Decimal("12.5"))
    back = {"from_account_id": second, "to_account_id": first, "amount": "2.5", "asset": "USDC"}
    assert desk.alice.post("accounts/transfer/", back).status == 200
    assert usdc(desk, second) == 10
    desk.project()
    line = desk.alice.get(f"transfers/?account_id={second}").json["results"][0]
    assert (line["kind"], line["asset"], line["amount"]) == ("transfer", "USDC", "-2.500000")


def test_it_refuses_more_than_there_is_and_amounts_that_are_none(desk: Desk) -> None:
    second = opened(desk)
    for changes, status, code in (
        ({"amount": "1000000000"}, 422, "INSUFFICIENT_BALANCE"),
        ({"amount": "-1"}, 400, None),
        ({"amount": "0.0000001"}, 400, None),
        ({"asset": "GOLD"}, 400, "UNKNOWN_ASSET"),
        ({"asset": "BTC"}, 422, None),
        ({"to_account_id": 0}, 400, "OUT_OF_RANGE"),
    ):
        answer = desk.alice.post("accounts/transfer/", {"to_account_id": second, "amount": "1"} | changes)
        assert answer.status == status, answer
        assert code is None or answer.error["code"] == code


def test_it_moves_nothing_to_or_from_another_persons_account(desk: Desk) -> None:
    bobs = desk.bob.get("account/").json["account_id"]
    alices = desk.alice.get("account/").json["account_id"]
    assert desk.alice.post("accounts/transfer/", {"to_account_id": bobs, "amount": "1"}).error["code"] == "ACCOUNT_NOT_FOUND"
    stolen = {"from_account_id": bobs, "to_account_id": alices, "amount": "1"}
    assert desk.alice.post("accounts/transfer/", stolen).error["code"] == "ACCOUNT_NOT_FOUND"


def test_it_opens_so_many_accounts_and_no_more(desk: Desk) -> None:
    owner = desk.alice.user
    present = Account.objects.for_user(owner).count()
    for number in range(present, MAX_ACCOUNTS):
        opened(desk, f"number {number}")
    assert desk.alice.post("accounts/", {"name": "one more"}).error["code"] == "TOO_MANY_ACCOUNTS"
    assert desk.alice.post("accounts/", {"name": "main"}).error["code"] == "ACCOUNT_NAME_TAKEN"
    assert desk.alice.post("accounts/", {"name": " "}).error["code"] == "INVALID_NAME"
    assert Account.objects.for_user(owner).count() == MAX_ACCOUNTS
