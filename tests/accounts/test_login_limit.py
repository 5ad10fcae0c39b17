"""Guessing passwords."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts import limits
from accounts.limits import LimiterUnavailable
from accounts.models import User

PASSWORD = "a long enough passphrase 7"
PAGES = ("/accounts/login/", "/admin/login/")


@pytest.fixture
def alice(db: None) -> User:
    cache.clear()  # what other tests have taken from the buckets
    return User.objects.create_user("alice", password=PASSWORD, is_staff=True)


def enters(page: str, username: str, password: str) -> bool:
    client = Client()
    client.post(page, {"username": username, "password": password})
    return "_auth_user_id" in client.session


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.usefixtures("alice")
def test_it_ends_the_guessing_of_one_password(page: str, settings: Any) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"logins_by_name": (5, 0.001)}
    assert enters(page, "alice", PASSWORD)
    for spelling in ("alice", "ALICE", "alice", "Alice"):
        assert not enters(page, spelling, "wrong")
    assert not enters(page, "alice", PASSWORD), "even the right one, until the bucket fills"


@pytest.mark.usefixtures("alice")
def test_it_ends_the_guessing_of_many_names_from_one_address(settings: Any) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"logins_by_address": (3, 0.001)}
    for name in ("one", "two", "three"):
        assert not enters(PAGES[0], name, "wrong")
    assert not enters(PAGES[0], "alice", PASSWORD)


@pytest.mark.usefixtures("alice")
def test_it_lets_people_in_without_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise LimiterUnavailable

    monkeypatch.setattr(limits.Buckets, "take", away)
    assert enters(PAGES[0], "alice", PASSWORD)
    assert not enters(PAGES[0], "alice", "wrong")
