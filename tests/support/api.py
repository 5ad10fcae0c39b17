"""Callers of /api/v1/: Alice, Bob and Charlie in their browsers, and their programs with a key."""

import hashlib
import hmac
import time
from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
import pytest
from django.test import Client

from accounts import api_auth
from accounts.models import Account, User
from accounts.selectors import default_account
from accounts.services import api_key_create, user_register
from markets import selectors
from markets.api import tickers
from markets.ledger import NAMES
from tests.support.engine import EngineProcesses
from trading.projector.projector import Projector

API = "/api/v1"
PASSWORD = "a long enough passphrase 7"


Shape = TypeVar("Shape")


def exact(answer: Any, shape: type[Shape]) -> Shape:
    """Check an answer against its documented shape, every field there and none besides; return it as that struct."""
    converted = msgspec.convert(answer, shape)
    assert msgspec.json.decode(msgspec.json.encode(converted)) == answer
    return converted


class Answer:
    """A response with its JSON."""

    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        self.headers = response.headers
        self.content: bytes = response.content

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.content)

    @property
    def error(self) -> dict[str, Any]:
        error: dict[str, Any] = self.json["error"]
        return error

    def __repr__(self) -> str:
        return f"{self.status} {self.content[:500]!r}"


class Caller:
    """Sends requests as an anonymous browser; the others add who they are."""

    def __init__(self) -> None:
        self.client = Client(raise_request_exception=False)

    def headers(self, method: str, path: str, body: bytes) -> dict[str, str]:
        return {}

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a body as JSON, or bytes as they are."""
        data = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        path = path if path.startswith("/") else f"{API}/{path}"
        signed = self.headers(method, path, data) | {name.replace("_", "-"): value for name, value in headers.items()}
        return Answer(self.client.generic(method, path, data, content_type="application/json", headers=signed))

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.send("POST", path, body, **headers)

    def put(self, path: str, body: Any = None) -> Answer:
        return self.send("PUT", path, body)

    def patch(self, path: str, body: Any = None) -> Answer:
        return self.send("PATCH", path, body)

    def delete(self, path: str) -> Answer:
        return self.send("DELETE", path)


class Person(Caller):
    def __init__(self, user: User) -> None:
        super().__init__()
        self.user = user
        self.client.force_login(user)


class Program(Caller):
    """Signs by its own reading of the documentation, not by the code under test."""

    def __init__(self, key_id: str, secret: str) -> None:
        super().__init__()
        self.key_id = key_id
        self.secret = secret
        self.clock_skew_ms = 0
        self.recv_window = "5000"

    def headers(self, method: str, path: str, body: bytes) -> dict[str, str]:
        timestamp = str(time.time_ns() // 1_000_000 + self.clock_skew_ms)
        text = "\n".join([timestamp, self.recv_window, method, path, hashlib.sha256(body).hexdigest()])
        return {
            "X-QD-KEY": self.key_id,
            "X-QD-TIMESTAMP": timestamp,
            "X-QD-RECV-WINDOW": self.recv_window,
            "X-QD-SIGN": hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest(),
        }


def program(account: Account, *, can_trade: bool) -> Program:
    key, secret = api_key_create(account=account, label="bot", can_trade=can_trade)
    return Program(key.key_id, secret)


class Desk:
    """A running engine with people who have an account and 10,000 USDC each."""

    def __init__(self, engine: EngineProcesses) -> None:
        self.engine = engine
        self.anonymous = Caller()
        self.alice = self.register("alice")
        self.bob = self.register("bob")

    def register(self, name: str) -> Person:
        return Person(user_register(username=name, password=PASSWORD))

    def program_of(self, person: Person, *, can_trade: bool = True) -> Program:
        return program(default_account(person.user), can_trade=can_trade)

    def project(self) -> None:
        """Bring the tables up to the journal."""
        Projector().catch_up()


def forget_caches() -> None:
    selectors.forget()
    tickers.forget()
    api_auth.forget()


@pytest.fixture
def desk(engine_process: EngineProcesses) -> Iterator[Desk]:
    forget_caches()
    for account_id, name in NAMES.items():  # a flush after another test has taken what the migration made
        Account.objects.get_or_create(id=account_id, defaults={"name": name})
    yield Desk(engine_process)
    forget_caches()
