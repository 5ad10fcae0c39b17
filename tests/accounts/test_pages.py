"""Registering, demo deposits and API keys through the account's pages."""

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts import api_auth
from accounts.models import ApiKey, User
from markets.gateway import gateway
from markets.queries import GetAccount
from tests.support.engine import EngineProcesses
from tests.support.people import Person, alice, bob

__all__ = ["alice", "bob"]


def browser(person: Person) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=person.username))
    return client


def test_it_registers_a_trader_with_demo_money(engine_process: EngineProcesses) -> None:
    client = Client()
    response = client.post("/accounts/register/", {"username": "dora", "password": "an-evening-in-november"}, follow=True)
    assert response.redirect_chain[0] == ("/trade/BTC-PERP/", 302)
    assert "$10,000.00" in response.content.decode()


def test_it_says_why_it_does_not_register(alice: Person) -> None:
    good = {"username": "dora", "password": "an-evening-in-november"}
    for values, words in (
        ({"username": "alice"}, "This username is taken"),
        ({"password": "short"}, "too short"),
        ({"username": "dora\x00"}, "Null characters"),
        ({"username": "", "password": ""}, "required"),
    ):
        response = Client().post("/accounts/register/", good | values)
        assert response.status_code == 422
        assert words in response.content.decode()
    assert User.objects.count() == 1


def test_it_limits_registrations_by_address(engine_process: EngineProcesses, settings: Any) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"registrations": (1, 0.001)}
    cache.clear()  # what other tests have taken from the buckets
    first, second = (
        Client().post("/accounts/register/", {"username": name, "password": "an-evening-in-november"}) for name in ("dora", "emil")
    )
    assert first.status_code == 302
    assert second.status_code == 429
    assert "Too many accounts were opened" in second.content.decode()
    assert not User.objects.filter(username="emil").exists()
    cache.clear()


@pytest.mark.django_db
def test_it_opens_no_account_while_nobody_can_count_them(settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    response = Client().post("/accounts/register/", {"username": "dora", "password": "an-evening-in-november"})
    assert response.status_code == 503
    assert not User.objects.filter(username="dora").exists()


def test_it_shows_a_new_keys_secret_once(alice: Person) -> None:
    client = browser(alice)
    shown = client.post("/account/api-keys/", {"label": "Grid bot", "can_trade": "1"}).content.decode()
    found = re.search(r'<code id="new-secret">(.+?)</code>', shown)
    assert found is not None
    key = ApiKey.objects.get(label="Grid bot")
    assert key.can_trade
    assert found[1] not in client.get("/account/").content.decode()


def test_it_revokes_only_the_owners_keys(alice: Person, bob: Person) -> None:
    browser(bob).post(f"/account/api-keys/{alice.key_id}/revoke/")
    assert ApiKey.objects.get(key_id=alice.key_id).revoked_at is None
    browser(alice).post(f"/account/api-keys/{alice.key_id}/revoke/")
    assert ApiKey.objects.get(key_id=alice.key_id).revoked_at is not None
    api_auth.forget(alice.key_id)


def test_it_deposits_demo_money_and_says_why_not(alice: Person) -> None:
    client = browser(alice)
    for amount, words in (("2,500.50", "Deposit credited"), ("0", "at most"), ("1e3", "such as 1000"), ("", "Enter an amount")):
        assert words in client.post("/account/deposit/", {"amount": amount}, follow=True).content.decode()
    view = gateway().query(GetAccount(account_id=alice.account_id))
    assert view is not None
    assert view.balances["USDC"] == 12_500_500_000


def test_it_sends_nobody_away_from_the_site(alice: Person) -> None:
    for path, values in (("/account/deposit/", {"amount": "1"}), ("/display/", {"theme": "light"})):
        response = browser(alice).post(path, values | {"next": "https://example.com/"})
        assert not response.headers["Location"].startswith("http")


def test_it_keeps_the_display_settings_and_no_others(engine_process: EngineProcesses) -> None:
    client = Client()
    client.post("/display/", {"theme": "light", "updown": "<script>"})
    assert (client.cookies["qd_theme"].value, client.cookies["qd_updown"].value) == ("light", "green-red")
    assert '<html lang="en" data-theme="light" data-updown="green-red">' in client.get("/accounts/login/").content.decode()
