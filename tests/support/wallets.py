"""An account that a wallet owns, with a trading key that is registered: what the chain's indexer would have made of it."""

import time
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

from django.conf import settings
from django.utils import timezone
from solders.keypair import Keypair

from accounts import signing
from accounts.models import Account, User
from accounts.services import account_deposit_demo
from accounts.trading_keys import trading_key_save
from markets.commands import OpenAccount
from markets.gateway import gateway
from markets.selectors import market_by_symbol
from markets.signed_orders import SignedOrder, encode, put_together
from tests.chain.deployments import write_deployment

USDC = 1_000_000
DAY_MS = 86_400_000
EVERY_CAP = 2**64 - 1

_nonces = count(time.time_ns() // 1_000_000)


@dataclass
class WalletAccount:
    """`sign` returns what the API takes as `signed`: a buy of 0.0100 at 59,000.0 in BTC-PERP, changed as told."""

    account_id: int
    wallet: Keypair = field(default_factory=Keypair)
    key: Keypair = field(default_factory=Keypair)

    def register(self, key: Keypair | bytes, **changes: Any) -> None:
        """Let the chain say that a key is registered."""
        now = timezone.now()
        facts: dict[str, Any] = {
            "owner": bytes(self.wallet.pubkey()),
            "market_id": None,
            "cap_atoms": EVERY_CAP,
            "created_at": now - timedelta(minutes=1),
            "expires_at": now + timedelta(days=30),
            "revoked_at": None,
            "custodied": False,
        }
        trading_key_save(account_id=self.account_id, key=key if isinstance(key, bytes) else bytes(key.pubkey()), **(facts | changes))

    def order(self, **changes: Any) -> SignedOrder:
        market = market_by_symbol("BTC-PERP")
        fields: dict[str, Any] = {
            "domain": signing.domain(),
            "market_id": market.market_id,
            "owner": bytes(self.wallet.pubkey()),
            "sub_account": 0,
            "side": "buy",
            "size_lots": 10**6 // market.lot_e8,
            "limit_ticks": 59_000 * 10**8 // market.tick_e8,
            "fee_cap_ppm": market.taker_fee_ppm,
            "reduce_only": False,
            "expiry_ms": time.time_ns() // 1_000_000 + DAY_MS,
            "nonce": next(_nonces),
        }
        return SignedOrder(**(fields | changes))

    def sign(self, key: Keypair | None = None, **changes: Any) -> str:
        return b64encode(put_together(encode(self.order(**changes)), key=key or self.key)).decode()


def wallet_account(user: User) -> WalletAccount:
    """Open the account beside the user's others, with 10,000 USDC, on the deployment in CHAIN_DIR, which is written if need be."""
    if not (settings.CHAIN_DIR / "deployment.json").exists():
        write_deployment(settings.CHAIN_DIR)
    signing.forget()
    account = Account.objects.create(owner=user, name="wallet")
    assert gateway().submit(OpenAccount(account_id=account.id, self_custody=True)).reject is None
    account_deposit_demo(account=account, amount_atoms=10_000 * USDC)
    opened = WalletAccount(account.id)
    opened.register(opened.key)
    return opened
