"""Alice, Bob and Charlie with accounts, demo money, keys and logins."""

import time
from typing import NamedTuple

import pytest
from django.test import Client

from accounts import api_auth
from accounts.selectors import default_account
from accounts.services import api_key_create, user_register
from tests.support.engine import EngineProcesses

PASSWORD = "an-evening-in-november"


class Person(NamedTuple):
    """`cookie` is that of a logged-in browser; key and secret sign for programs."""

    username: str
    account_id: int
    key_id: str
    secret: str
    cookie: str

    def signed(self, method: str, path: str, body: bytes = b"", *, timestamp_ms: int = 0) -> dict[str, str]:
        """Return the headers of a signed request."""
        stamp, window = timestamp_ms or time.time_ns() // 1_000_000, api_auth.DEFAULT_RECV_WINDOW_MS
        sign = api_auth.signature(
            self.secret.encode(), timestamp_ms=stamp, recv_window_ms=window, method=method, path_with_query=path, body=body
        )
        return {api_auth.KEY: self.key_id, api_auth.TIMESTAMP: str(stamp), api_auth.RECV_WINDOW: str(window), api_auth.SIGN: sign}


def register(username: str, *, can_trade: bool = True) -> Person:
    user = user_register(username=username, password=PASSWORD)
    account = default_account(user)
    key, secret = api_key_create(account=account, label="test", can_trade=can_trade)
    browser = Client()
    browser.force_login(user)
    return Person(username, account.id, key.key_id, secret, f"sessionid={browser.cookies['sessionid'].value}")


@pytest.fixture
def alice(engine_process: EngineProcesses) -> Person:
    return register("alice")


@pytest.fixture
def bob(engine_process: EngineProcesses) -> Person:
    return register("bob")


@pytest.fixture
def charlie(engine_process: EngineProcesses) -> Person:
    return register("charlie")
