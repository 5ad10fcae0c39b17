"""Signed orders for engine tests: of one owner with one trading key, on a deployment that the engine knows nothing of."""

from itertools import count
from typing import Any

from solders.keypair import Keypair

from markets.signed_orders import Domain, SignedOrder, encode, put_together
from tests.engine.desk import MARKET, START_MS

DOMAIN = Domain(program=bytes([7]) * 32, genesis_hash=bytes([9]) * 32)
OWNER = bytes(Keypair.from_seed(bytes([1]) * 32).pubkey())
KEY = Keypair.from_seed(bytes([2]) * 32)
OTHER_KEY = Keypair.from_seed(bytes([3]) * 32)
DAY_MS = 86_400_000

_nonces = count(START_MS - 1_000_000)


def order_of(**changes: Any) -> SignedOrder:
    """Return an order to buy 10 lots at 9,990, with a nonce of its own, changed as told."""
    fields: dict[str, Any] = {
        "domain": DOMAIN,
        "market_id": MARKET,
        "owner": OWNER,
        "sub_account": 0,
        "side": "buy",
        "size_lots": 10,
        "limit_ticks": 9_990,
        "fee_cap_ppm": 500,
        "reduce_only": False,
        "expiry_ms": START_MS + DAY_MS,
        "nonce": next(_nonces),
    }
    return SignedOrder(**(fields | changes))


def signed(key: Keypair = KEY, **changes: Any) -> bytes:
    return put_together(encode(order_of(**changes)), key=key)
