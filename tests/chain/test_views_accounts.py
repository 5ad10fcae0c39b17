"""The accounts page: choose, open, rename, move; each page acts on the account that it shows."""

from decimal import Decimal
from typing import Any

from accounts.models import Account
from accounts.selectors import accounts_of
from accounts.sub_accounts import account_open
from tests.support.api import Desk, Person, desk
from tests.support.engine import engine_process, engine_processes

__all__ = ["desk", "engine_process", "engine_processes"]


def second_account(desk: Desk, name: str = "hedge") -> Account:
    return account_open(user=desk.alice.user, name=name)


def first_account(desk: Desk) -> Account:
    return accounts_of(desk.alice.user)[0]


def usdc(desk: Desk, account: Account) -> Decimal:
    return Decimal(desk.alice.get(f"account/?account_id={account.id}").json["balances"].get("USDC", "0"))


def post(person: Person, path: str, **fields: Any) -> Any:
    return person.client.post(path, fields)


def test_it_keeps_the_chosen_account_for_pages_and_the_api(desk: Desk) -> None:
    hedge = second_account(desk)
    assert b"account-menu" in desk.alice.client.get("/markets/").content

    answer = post(desk.alice, "/accounts/select/", account_id=hedge.id, next="/account/")

    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    assert f"Trading account {hedge.id}, “hedge”".encode() in desk.alice.client.get("/account/").content
    assert desk.alice.get("account/").json["account_id"] == hedge.id
    assert f'data-account="{hedge.id}"'.encode() in desk.alice.client.get("/markets/").content


def test_it_shows_no_switcher_to_who_has_one_account_or_none(desk: Desk) -> None:
    assert b"account-menu" not in desk.alice.client.get("/markets/").content
    assert b"account-menu" not in desk.anonymous.client.get("/markets/").content


def test_it_acts_on_the_account_that_the_page_shows(desk: Desk) -> None:
    first, hedge = first_account(desk), second_account(desk)
    post(desk.alice, "/accounts/select/", account_id=hedge.id)

    page_of_first = {"X-QD-Account": str(first.id)}

    assert desk.alice.get("account/", **page_of_first).json["account_id"] == first.id
    assert desk.alice.get(f"account/?account_id={hedge.id}", **page_of_first).json["account_id"] == hedge.id
    post(desk.alice, "/account/deposit/", amount="5", account_id=first.id)
    assert [usdc(desk, first), usdc(desk, hedge)] == [Decimal(10_005), Decimal(0)]


def test_it_finds_no_account_of_anybody_else(desk: Desk) -> None:
    bobs = accounts_of(desk.bob.user)[0]

    for named in (str(bobs.id), "9" * 18, "9" * 40, "-1", "1e3", "١"):
        answer = desk.alice.get("account/", **{"X-QD-Account": named.encode().decode("latin-1")})
        assert (answer.status, answer.error["code"]) == (404, "ACCOUNT_NOT_FOUND")
    post(desk.alice, "/accounts/select/", account_id=bobs.id)
    post(desk.alice, "/accounts/select/", account_id="none")
    assert desk.alice.get("account/").json["account_id"] == first_account(desk).id
    renamed = post(desk.alice, f"/accounts/{bobs.id}/rename/", name="mine now")
    assert renamed.status_code == 422
    bobs.refresh_from_db()
    assert bobs.name == "main"


def test_it_leads_nowhere_else_after_a_choice(desk: Desk) -> None:
    answer = post(desk.alice, "/accounts/select/", account_id=first_account(desk).id, next="https://example.org/")

    assert answer["Location"] == "/accounts/"


def test_it_opens_and_renames_accounts(desk: Desk) -> None:
    assert post(desk.alice, "/accounts/create/", name=" hedge ").status_code == 302
    hedge = accounts_of(desk.alice.user)[1]
    assert post(desk.alice, f"/accounts/{hedge.id}/rename/", name="basis").status_code == 302
    assert [account.name for account in accounts_of(desk.alice.user)] == ["main", "basis"]
    assert "“basis”" in desk.alice.client.get("/accounts/").content.decode()


def test_it_says_at_the_field_why_a_name_is_refused(desk: Desk) -> None:
    hedge = second_account(desk)
    taken = post(desk.alice, "/accounts/create/", name="main")
    nameless = post(desk.alice, f"/accounts/{hedge.id}/rename/", name=" ")

    assert (taken.status_code, nameless.status_code) == (422, 422)
    assert b"You have an account of this name." in taken.content
    assert f'id="rename-{hedge.id}-error"'.encode() in nameless.content
    assert post(desk.alice, f"/accounts/{hedge.id}/rename/", name="hedge").status_code == 302


def test_it_moves_money_between_own_accounts(desk: Desk) -> None:
    first, hedge = first_account(desk), second_account(desk)
    fields = {"from_account_id": first.id, "to_account_id": hedge.id, "asset": "USDC"}

    moved = post(desk.alice, "/accounts/transfer/", amount="1,234.5", **fields)
    refused = post(desk.alice, "/accounts/transfer/", amount="50000", **fields)
    malformed = post(desk.alice, "/accounts/transfer/", amount="much", **fields)

    assert (moved.status_code, refused.status_code, malformed.status_code) == (302, 422, 422)
    assert usdc(desk, hedge) == Decimal("1234.5")
    assert b"transfer-error" in refused.content
    assert b'value="50000"' in refused.content


def test_it_says_when_the_engine_is_away(desk: Desk) -> None:
    desk.engine.kill()

    assert desk.alice.client.get("/accounts/").status_code == 503
