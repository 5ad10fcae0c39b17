"""API secrets at rest: AES-GCM, bound to their row, under a key derived from SECRET_KEY (and its fallbacks, for rotation)."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

NONCE_BYTES = 12
PURPOSE = b"quantdesk: API secrets at rest, 1"


class SealBroken(Exception):
    """The sealed text is not what was sealed for this row, or its key is gone."""


def seal(secret: bytes, *, row: str) -> bytes:
    """Encrypt a secret so that only the same `row` (table, column and primary key) opens it again."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(_key(settings.SECRET_KEY)).encrypt(nonce, secret, row.encode())


def unseal(sealed: bytes, *, row: str) -> bytes:
    """Return the secret; SealBroken when it was moved, changed, or sealed under a key that is not known any more."""
    nonce, text = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    for source in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return AESGCM(_key(source)).decrypt(nonce, text, row.encode())
        except (InvalidTag, ValueError):
            continue
    raise SealBroken(row)


def seal_api_secret(key_id: str, secret: str) -> bytes:
    return seal(secret.encode(), row=f"accounts_apikey.secret_sealed:{key_id}")


def unseal_api_secret(key_id: str, sealed: bytes) -> bytes:
    return unseal(sealed, row=f"accounts_apikey.secret_sealed:{key_id}")


def _key(source: str | bytes) -> bytes:
    text = source.encode() if isinstance(source, str) else source
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(text)
