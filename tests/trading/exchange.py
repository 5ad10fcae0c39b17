"""What the tests of the running engine say to it."""

import itertools
from typing import Any

from markets import ledger
from markets.commands import Deposit, OpenAccount, PlaceOrder
from markets.gateway import Gateway
from markets.units import QUOTE_ATOMS

ALICE, BOB, CHARLIE = 1000, 1001, 1002
BTC = 1
PRICE_TICKS = 600_000  # 60,000 at a tick of 0.1

_numbers = itertools.count(1)


def limit(account_id: int = ALICE, **fields: Any) -> PlaceOrder:
    """A small order to buy far enough below the index to rest, with an id of its own."""
    defaults: dict[str, Any] = {
        "market_id": BTC,
        "side": "buy",
        "type": "limit",
        "size_lots": 10,
        "price_ticks": PRICE_TICKS * 97 // 100,
        "client_order_id": f"order-{next(_numbers)}",
    }
    return PlaceOrder(account_id=account_id, **(defaults | fields))


def open_account(gateway: Gateway, account_id: int = ALICE, *, usdc: int = 1_000_000) -> None:
    """Open an account and give it demo money."""
    assert gateway.submit(OpenAccount(account_id=account_id)).reject is None
    deposit = Deposit(account_id=account_id, asset="USDC", amount_atoms=usdc * QUOTE_ATOMS, number=1, source_account_id=ledger.FAUCET)
    reply = gateway.submit(deposit)
    assert reply.reject is None, reply.reject
