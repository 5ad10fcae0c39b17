"""The keys that sign orders of self-custodied accounts, as the chain says that they are registered."""

from datetime import datetime

from solders.pubkey import Pubkey

from accounts import signing
from accounts.models import TradingKey
from markets.commands import RevokeKey
from markets.errors import Refused
from markets.gateway import gateway


def trading_key_save(
    *,
    account_id: int,
    owner: bytes,
    key: bytes,
    market_id: int | None,
    cap_atoms: int,
    created_at: datetime,
    expires_at: datetime,
    revoked_at: datetime | None,
    custodied: bool,
) -> None:
    """Take over what the chain says of a key; the same again changes nothing.

    A revoked key stops signing here before its orders are cancelled in the engine, which then takes none of its orders any more:
    a caller that fails in between calls again.
    """
    known = {
        "owner": str(Pubkey.from_bytes(owner)),
        "market_id": market_id,
        "cap_atoms": cap_atoms,
        "created_at": created_at,
        "expires_at": expires_at,
        "revoked_at": revoked_at,
        "custodied": custodied,
    }
    TradingKey.objects.update_or_create(account_id=account_id, key=str(Pubkey.from_bytes(key)), defaults=known)
    signing.forget(account_id, key)
    if revoked_at is not None:
        reply = gateway().submit(RevokeKey(account_id=account_id, key=key))
        if reply.reject is not None:
            raise Refused(reply.reject)


def trading_keys_close(*, account_id: int, closing: bool) -> None:
    """Let an account's keys sign only what reduces, from its exit's request until it is paid; elsewhere within two seconds."""
    TradingKey.objects.filter(account_id=account_id).update(closing_only=closing)
    signing.forget()


def trading_keys_of(account_id: int) -> list[TradingKey]:
    """Return an account's keys, newest first, revoked and expired ones among them."""
    return list(TradingKey.objects.filter(account_id=account_id))
