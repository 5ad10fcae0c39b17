"""What a page needs so that its browser can sign orders of an account that a wallet owns."""

from typing import Any

from django.utils import timezone
from solders.pubkey import Pubkey

from accounts.models import TradingKey
from accounts.signing import SigningOff, domain
from accounts.trading_keys import trading_keys_of
from markets.errors import DomainError
from markets.stamps import ms
from markets.views import AccountView


class ExitsUnsigned(DomainError):
    code = "SIGNATURE_REQUIRED"
    status = 422
    message = "Your wallet owns this account: an exit here would be placed without your signature. Place a reduce-only stop order instead."


def signing_state(account: AccountView | None) -> dict[str, Any] | None:
    """Return the domain of signed orders and the account's usable keys; None where orders are not signed."""
    if account is None or not account.self_custody:
        return None
    try:
        signed_for = domain()
    except SigningOff:
        return {"program": "", "genesis_hash": "", "keys": []}
    now = timezone.now()
    usable = [key for key in trading_keys_of(account.account_id) if key.revoked_at is None and key.created_at <= now < key.expires_at]
    return {"program": signed_for.program.hex(), "genesis_hash": signed_for.genesis_hash.hex(), "keys": [_key(key) for key in usable]}


def _key(key: TradingKey) -> dict[str, Any]:
    return {
        "owner": key.owner,
        "owner_bytes": bytes(Pubkey.from_string(key.owner)).hex(),
        "key": bytes(Pubkey.from_string(key.key)).hex(),
        "market_id": key.market_id,
        "expires_ms": ms(key.expires_at),
    }
