"""Programs prove who they are with an HMAC over each request; DRF, the hot lane and the socket all ask here.

The signed text is `timestamp\\nrecv_window\\nMETHOD\\npath?query\\nsha256_hex(body)`, the signature its HMAC-SHA256 in hex.
A key is read from the database at most every two seconds, so a revoked one stops within that time in every process.
"""

import hashlib
import hmac
import logging
import math
import secrets
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.db.models import Q
from django.utils import timezone

from accounts import sealing
from accounts.models import ApiKey
from markets.errors import DomainError

KEY, TIMESTAMP, RECV_WINDOW, SIGN = "X-QD-KEY", "X-QD-TIMESTAMP", "X-QD-RECV-WINDOW", "X-QD-SIGN"
DEFAULT_RECV_WINDOW_MS = 5_000
MAX_RECV_WINDOW_MS = 60_000
MAX_CLOCK_LEAD_MS = 1_000
MAX_KEY_LENGTH = 40
MAX_DIGITS = 15
CACHE_SECONDS = 2.0
CACHED_KEYS = 10_000
LAST_USED_STEP = timedelta(minutes=1)

log = logging.getLogger(__name__)


class AuthenticationFailed(DomainError):
    """One answer for an unknown key, a revoked one and a wrong signature: it tells nothing to who guesses."""

    code = "AUTHENTICATION_FAILED"
    status = 401
    message = "The key is not known, or the signature does not match."


class TimestampOutsideWindow(DomainError):
    code = "TIMESTAMP_OUTSIDE_WINDOW"
    status = 401
    message = "The timestamp is outside the receive window; check the clock against /api/v1/time/."


class InvalidHeader(DomainError):
    code = "INVALID_HEADER"
    status = 401

    def __init__(self, header: str) -> None:
        super().__init__(f"The header {header} is missing or malformed.", field=header)


class Principal(NamedTuple):
    """Who a signed request is from: one account, through one key."""

    account_id: int
    can_trade: bool
    key_id: str


class Claim(NamedTuple):
    """What a request says of itself, well-formed but not proven."""

    key_id: str
    timestamp_ms: int
    recv_window_ms: int
    signature: str


class Signer:
    """HMAC-SHA256 under one secret, begun: each signature goes on from both of its pads instead of preparing the secret anew."""

    BLOCK_BYTES = 64

    def __init__(self, secret: bytes) -> None:
        key = secret if len(secret) <= self.BLOCK_BYTES else hashlib.sha256(secret).digest()
        key = key.ljust(self.BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key))

    def sign(self, text: bytes) -> str:
        """Return the signature in hex."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text)
        outer.update(inner.digest())
        return outer.hexdigest()


class StoredKey(NamedTuple):
    """A key as it is cached; times in seconds since 1970, which each request compares."""

    principal: Principal
    signer: Signer
    expires: float
    last_used: float


_cache: dict[str, tuple[float, StoredKey | None]] = {}
_nobody = Signer(secrets.token_bytes(32))


def verify(headers: Mapping[str, str], method: str, path_with_query: str, body: bytes) -> Principal:
    """Return who signed the request, or raise a 401 that says what to correct."""
    return verify_claim(read_claim(headers), method, path_with_query, body)


async def averify(headers: Mapping[str, str], method: str, path_with_query: str, body: bytes) -> Principal:
    """The same for the event loop: a thread asks the database, and only for what is not cached."""
    claim = read_claim(headers)
    key = prove(claim, _cached(claim.key_id) or await _aread(claim.key_id), method, path_with_query, body)
    if _unrecorded(key):
        await _arecord_use(key)
    return key.principal


def verify_claim(claim: Claim, method: str, path_with_query: str, body: bytes) -> Principal:
    key = prove(claim, _cached(claim.key_id) or _read(claim.key_id), method, path_with_query, body)
    if _unrecorded(key):
        _record_use(key)
    return key.principal


def read_claim(headers: Mapping[str, str]) -> Claim:
    """Return what the headers say, named as above or in lower case."""
    key_id = _header(headers, KEY)
    if not 0 < len(key_id) <= MAX_KEY_LENGTH or not key_id.isascii() or not key_id.isprintable():
        raise InvalidHeader(KEY)
    recv_window_ms = _number(headers, RECV_WINDOW, str(DEFAULT_RECV_WINDOW_MS))
    if recv_window_ms > MAX_RECV_WINDOW_MS:
        raise InvalidHeader(RECV_WINDOW)
    return Claim(key_id, _number(headers, TIMESTAMP), recv_window_ms, _header(headers, SIGN))


def signature(secret: bytes, *, timestamp_ms: int, recv_window_ms: int, method: str, path_with_query: str, body: bytes) -> str:
    return Signer(secret).sign(_signed_text(Claim("", timestamp_ms, recv_window_ms, ""), method, path_with_query, body))


def prove(claim: Claim, found: tuple[float, StoredKey | None], method: str, path_with_query: str, body: bytes) -> StoredKey:
    """Return the key when the claim is its owner's and timely."""
    now_ms = time.time_ns() // 1_000_000
    if not now_ms - claim.recv_window_ms <= claim.timestamp_ms <= now_ms + MAX_CLOCK_LEAD_MS:
        raise TimestampOutsideWindow(server_ms=now_ms, timestamp_ms=claim.timestamp_ms)
    key = found[1]
    signer = key.signer if key else _nobody  # an unknown key costs the same time
    expected = signer.sign(_signed_text(claim, method, path_with_query, body))
    matches = hmac.compare_digest(expected.encode(), claim.signature.encode())
    if key is None or not matches or now_ms >= key.expires * 1000:
        raise AuthenticationFailed
    return key


def forget(key_id: str | None = None) -> None:
    """Drop one cached key, or all: revoked here, it stops here at once."""
    if key_id is None:
        _cache.clear()
    else:
        _cache.pop(key_id, None)


def _signed_text(claim: Claim, method: str, path_with_query: str, body: bytes) -> bytes:
    digest = hashlib.sha256(body).hexdigest()
    return f"{claim.timestamp_ms}\n{claim.recv_window_ms}\n{method}\n{path_with_query}\n{digest}".encode()


def _header(headers: Mapping[str, str], name: str) -> str:
    return headers.get(name) or headers.get(name.lower()) or ""


def _number(headers: Mapping[str, str], name: str, default: str = "") -> int:
    text = _header(headers, name) or default
    if len(text) > MAX_DIGITS or not text.isascii() or not text.isdigit() or (text != "0" and text[0] == "0"):
        raise InvalidHeader(name)  # one spelling for each number: the signed text repeats it
    return int(text)


def _cached(key_id: str) -> tuple[float, StoredKey | None] | None:
    found = _cache.get(key_id)
    return found if found and time.monotonic() - found[0] < CACHE_SECONDS else None


def _read(key_id: str) -> tuple[float, StoredKey | None]:
    read_at = time.monotonic()  # taken before the query, so that a revocation during it is not missed for longer
    row = ApiKey.objects.filter(key_id=key_id, revoked_at=None, account__owner__is_active=True).first()
    if len(_cache) >= CACHED_KEYS:
        _cache.clear()
    _cache[key_id] = found = (read_at, _stored(row) if row else None)
    return found


def _stored(row: ApiKey) -> StoredKey | None:
    try:
        secret = sealing.unseal_api_secret(row.key_id, bytes(row.secret_sealed))
    except sealing.SealBroken:
        log.error("the secret of API key %s cannot be opened: it was changed, or SECRET_KEY was", row.key_id)
        return None
    expires = row.expires_at.timestamp() if row.expires_at else math.inf
    last_used = row.last_used_at.timestamp() if row.last_used_at else 0
    return StoredKey(Principal(row.account_id, row.can_trade, row.key_id), Signer(secret), expires, last_used)


def _unrecorded(key: StoredKey) -> bool:
    return time.time() - key.last_used > LAST_USED_STEP.total_seconds()


def _record_use(key: StoredKey) -> None:
    """Write the time of use, at most once a minute."""
    now, key_id = timezone.now(), key.principal.key_id
    old = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USED_STEP)
    ApiKey.objects.filter(old, key_id=key_id).update(last_used_at=now)
    if found := _cache.get(key_id):
        _cache[key_id] = (found[0], key._replace(last_used=now.timestamp()))


def _in_thread_read(key_id: str) -> tuple[float, StoredKey | None]:
    close_old_connections()
    return _read(key_id)


def _in_thread_record_use(key: StoredKey) -> None:
    close_old_connections()
    _record_use(key)


_aread = sync_to_async(_in_thread_read)
_arecord_use = sync_to_async(_in_thread_record_use)
