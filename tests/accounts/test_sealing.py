"""API secrets at rest."""

import pytest

from accounts import sealing

SECRET = b"a secret of Alice"


def test_it_opens_what_it_sealed_and_stores_no_plain_text() -> None:
    sealed = sealing.seal(SECRET, row="keys.secret:1")
    assert sealing.unseal(sealed, row="keys.secret:1") == SECRET
    assert SECRET not in sealed
    assert sealing.seal(SECRET, row="keys.secret:1") != sealed


def test_it_refuses_a_secret_that_was_moved_to_another_row() -> None:
    sealed = sealing.seal(SECRET, row="keys.secret:1")
    with pytest.raises(sealing.SealBroken):
        sealing.unseal(sealed, row="keys.secret:2")


def test_it_refuses_every_changed_byte() -> None:
    sealed = sealing.seal(SECRET, row="keys.secret:1")
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises(sealing.SealBroken):
            sealing.unseal(changed, row="keys.secret:1")


@pytest.mark.parametrize("sealed", [b"", b"short", b"x" * 12])
def test_it_refuses_what_is_too_short(sealed: bytes) -> None:
    with pytest.raises(sealing.SealBroken):
        sealing.unseal(sealed, row="keys.secret:1")


def test_it_opens_old_secrets_after_the_key_was_rotated(settings: pytest.FixtureRequest) -> None:
    sealed = sealing.seal(SECRET, row="keys.secret:1")
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another key, long enough for everybody here to be content"  # type: ignore[attr-defined]
    with pytest.raises(sealing.SealBroken):
        sealing.unseal(sealed, row="keys.secret:1")
    settings.SECRET_KEY_FALLBACKS = [old]  # type: ignore[attr-defined]
    assert sealing.unseal(sealed, row="keys.secret:1") == SECRET
