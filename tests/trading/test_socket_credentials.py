"""What open sockets were opened with is asked for again, should its end have been announced to nobody."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.announcements import Ended
from accounts.models import Account, ApiKey, User
from accounts.services import api_key_create
from trading.consumers.credentials import ended

PASSWORD = "an-evening-in-november"


@pytest.fixture
def alice(transactional_db: None) -> User:
    user = User.objects.create_user(username="alice", password=PASSWORD)
    Account.objects.create(owner=user, name="main")
    return user


@pytest.fixture
def key_id(alice: User) -> str:
    return api_key_create(account=alice.accounts.get(), label="test", can_trade=True)[0].key_id


@pytest.fixture
def browser(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def session_key(browser: Client) -> str:
    key = browser.session.session_key
    assert key is not None
    return key


def revoke(user: User, browser: Client) -> None:
    ApiKey.objects.update(revoked_at=timezone.now())
    browser.logout()


def expire(user: User, browser: Client) -> None:
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    session = browser.session
    session.set_expiry(-1)
    session.save()


def deactivate(user: User, browser: Client) -> None:
    User.objects.filter(id=user.id).update(is_active=False)


def test_it_finds_nothing_ended_while_key_and_login_hold(alice: User, key_id: str, browser: Client) -> None:
    ApiKey.objects.update(expires_at=timezone.now() + timedelta(hours=1))
    assert ended(key_ids=[key_id], session_keys=[session_key(browser)]) == []


@pytest.mark.parametrize("end", [revoke, expire, deactivate])
def test_it_finds_keys_and_logins_that_ended(alice: User, key_id: str, browser: Client, end: Callable[[User, Client], None]) -> None:
    login = session_key(browser)
    end(alice, browser)
    assert set(ended(key_ids=[key_id], session_keys=[login])) == {Ended(key_id=key_id), Ended(session_key=login)}


def test_it_ends_other_logins_when_the_password_changes(alice: User, key_id: str, browser: Client) -> None:
    alice.set_password("another-evening-in-november")
    alice.save()
    assert ended(key_ids=[key_id], session_keys=[session_key(browser)]) == [Ended(session_key=session_key(browser))]
