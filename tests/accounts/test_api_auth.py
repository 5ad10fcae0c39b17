"""Signed requests: what proves them, what does not, and how soon a key ends."""

import hashlib
import hmac
import time
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from accounts import api_auth
from accounts.api_auth import AuthenticationFailed, InvalidHeader, Principal, TimestampOutsideWindow, averify, verify
from accounts.models import Account, ApiKey, User
from accounts.services import KeyNotFound, TooManyKeys, api_key_create, api_key_revoke
from markets.fields import InvalidField

METHOD, PATH, BODY = "POST", "/api/v1/orders/?account_id=1000", b'{"market":"BTC-PERP"}'


@pytest.fixture
def account(db: None) -> Account:
    api_auth.forget()
    return Account.objects.create(owner=User.objects.create(username="alice"), name="main")


@pytest.fixture
def key(account: Account) -> tuple[str, str]:
    created, secret = api_key_create(account=account, label="bot", can_trade=True)
    return created.key_id, secret


def signed(key: tuple[str, str], *, skew_ms: int = 0, window: int | str = 5_000, **change: str) -> dict[str, str]:
    """Sign as the documentation says, in words of its own; `change` spoils what was signed."""
    timestamp = str(time.time_ns() // 1_000_000 + skew_ms)
    text = f"{timestamp}\n{window}\n{METHOD}\n{PATH}\n{hashlib.sha256(BODY).hexdigest()}"
    headers = {
        "x-qd-key": key[0],
        "x-qd-timestamp": timestamp,
        "x-qd-recv-window": str(window),
        "x-qd-sign": hmac.new(key[1].encode(), text.encode(), hashlib.sha256).hexdigest(),
    }
    return headers | {f"x-qd-{name}": value for name, value in change.items()}


def test_it_accepts_what_the_owner_signed(key: tuple[str, str], account: Account) -> None:
    assert verify(signed(key), METHOD, PATH, BODY) == Principal(account.id, True, key[0])
    assert verify({name.upper(): value for name, value in signed(key).items()}, METHOD, PATH, BODY).key_id == key[0]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("DELETE", PATH, BODY), (METHOD, PATH + "&x=1", BODY), (METHOD, PATH.lower().replace("v1", "v2"), BODY), (METHOD, PATH, BODY + b" ")],
)
def test_it_refuses_a_signature_of_something_else(key: tuple[str, str], method: str, path: str, body: bytes) -> None:
    with pytest.raises(AuthenticationFailed):
        verify(signed(key), method, path, body)


def test_it_refuses_every_changed_digit_of_a_signature(key: tuple[str, str]) -> None:
    headers = signed(key)
    good = headers["x-qd-sign"]
    for place, digit in enumerate(good):
        spoilt = good[:place] + ("0" if digit != "0" else "1") + good[place + 1 :]
        with pytest.raises(AuthenticationFailed):
            verify(headers | {"x-qd-sign": spoilt}, METHOD, PATH, BODY)


@pytest.mark.parametrize("sign", ["", "é", "00", "zz" * 32])
def test_it_refuses_what_is_no_signature(key: tuple[str, str], sign: str) -> None:
    with pytest.raises(AuthenticationFailed):
        verify(signed(key, sign=sign), METHOD, PATH, BODY)


def test_it_answers_alike_for_an_unknown_key_and_a_wrong_secret(key: tuple[str, str]) -> None:
    with pytest.raises(AuthenticationFailed) as unknown:
        verify(signed(("qk_unknown", key[1])), METHOD, PATH, BODY)
    with pytest.raises(AuthenticationFailed) as wrong:
        verify(signed((key[0], "not the secret")), METHOD, PATH, BODY)
    assert (unknown.value.code, unknown.value.message, unknown.value.data) == (wrong.value.code, wrong.value.message, wrong.value.data)


@pytest.mark.parametrize(
    ("skew_ms", "window", "accepted"),
    [
        (-4_000, 5_000, True),
        (-6_000, 5_000, False),
        (-55_000, 60_000, True),
        (-61_000, 60_000, False),
        (500, 5_000, True),
        (5_000, 5_000, False),
    ],
)  # fmt: skip
def test_it_accepts_timestamps_inside_the_window_only(key: tuple[str, str], skew_ms: int, window: int, accepted: bool) -> None:
    headers = signed(key, skew_ms=skew_ms, window=window)
    if accepted:
        assert verify(headers, METHOD, PATH, BODY).can_trade
    else:
        with pytest.raises(TimestampOutsideWindow):
            verify(headers, METHOD, PATH, BODY)


@pytest.mark.parametrize(
    "change",
    [
        {"key": ""}, {"key": "x" * 41}, {"key": "nul\x00"}, {"key": "ключ"}, {"timestamp": ""}, {"timestamp": "now"}, {"timestamp": "-5"},
        {"timestamp": "1e9"}, {"timestamp": "٣"}, {"timestamp": "0017"}, {"timestamp": "9" * 400}, {"recv-window": "60001"},
        {"recv-window": "5000.0"},
    ],
)  # fmt: skip
def test_it_names_the_header_that_is_malformed(key: tuple[str, str], change: dict[str, str]) -> None:
    with pytest.raises(InvalidHeader) as refused:
        verify(signed(key) | {f"x-qd-{name}": value for name, value in change.items()}, METHOD, PATH, BODY)
    assert refused.value.data["field"].lower() == f"x-qd-{next(iter(change))}"


def test_it_stops_a_revoked_key_here_at_once_and_elsewhere_when_its_cache_ends(
    key: tuple[str, str], account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert account.owner
    assert verify(signed(key), METHOD, PATH, BODY)
    ApiKey.objects.filter(key_id=key[0]).update(revoked_at=timezone.now())  # by another process
    assert verify(signed(key), METHOD, PATH, BODY), "cached"
    later = time.monotonic() + api_auth.CACHE_SECONDS
    monkeypatch.setattr(time, "monotonic", lambda: later)
    with pytest.raises(AuthenticationFailed):
        verify(signed(key), METHOD, PATH, BODY)


def test_it_stops_a_key_that_is_revoked_in_this_process_at_once(key: tuple[str, str], account: Account) -> None:
    assert account.owner
    assert verify(signed(key), METHOD, PATH, BODY)
    api_key_revoke(user=account.owner, key_id=key[0])
    with pytest.raises(AuthenticationFailed):
        verify(signed(key), METHOD, PATH, BODY)


def test_it_stops_an_expired_key(key: tuple[str, str]) -> None:
    ApiKey.objects.filter(key_id=key[0]).update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(AuthenticationFailed):
        verify(signed(key), METHOD, PATH, BODY)


def test_it_refuses_a_secret_that_was_copied_to_another_key(key: tuple[str, str], account: Account) -> None:
    other, _ = api_key_create(account=account, label="other", can_trade=False)
    ApiKey.objects.filter(key_id=other.key_id).update(secret_sealed=ApiKey.objects.get(key_id=key[0]).secret_sealed)
    with pytest.raises(AuthenticationFailed):
        verify(signed((other.key_id, key[1])), METHOD, PATH, BODY)


def test_it_writes_the_time_of_use_once_a_minute(key: tuple[str, str]) -> None:
    verify(signed(key), METHOD, PATH, BODY)
    first = ApiKey.objects.get(key_id=key[0]).last_used_at
    assert first
    api_auth.forget()
    verify(signed(key), METHOD, PATH, BODY)
    assert ApiKey.objects.get(key_id=key[0]).last_used_at == first
    ApiKey.objects.update(last_used_at=first - timedelta(minutes=2))
    api_auth.forget()
    verify(signed(key), METHOD, PATH, BODY)
    assert ApiKey.objects.get(key_id=key[0]).last_used_at >= first  # type: ignore[operator]


@pytest.mark.django_db(transaction=True)
def test_it_proves_the_same_without_blocking_the_loop(key: tuple[str, str], account: Account) -> None:
    ask = async_to_sync(averify)
    assert ask(signed(key), METHOD, PATH, BODY) == Principal(account.id, True, key[0])
    with pytest.raises(AuthenticationFailed):
        ask(signed(key, sign="00"), METHOD, PATH, BODY)


def test_it_limits_how_many_keys_an_account_has(account: Account) -> None:
    for number in range(20):
        api_key_create(account=account, label=f"bot {number}", can_trade=False)
    with pytest.raises(TooManyKeys):
        api_key_create(account=account, label="one more", can_trade=False)


@pytest.mark.parametrize("label", ["", "   ", "x" * 41, "nul\x00", "two\nlines"])
def test_it_refuses_a_label_that_cannot_be_shown(account: Account, label: str) -> None:
    with pytest.raises(InvalidField) as refused:
        api_key_create(account=account, label=label, can_trade=False)
    assert refused.value.data["field"] == "label"


def test_it_does_not_revoke_another_users_key(key: tuple[str, str]) -> None:
    with pytest.raises(KeyNotFound):
        api_key_revoke(user=User.objects.create(username="bob"), key_id=key[0])
    assert ApiKey.objects.get(key_id=key[0]).revoked_at is None
