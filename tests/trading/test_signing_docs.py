"""What docs/signed-orders.md shows is what a program needs."""

import re
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from accounts import signing
from markets.selectors import market_by_symbol
from tests.support.api import Desk, desk
from tests.support.engine import ROOT, engine_process, engine_processes
from tests.support.wallets import wallet_account
from tests.trading.test_signed_orders import ORDER

__all__ = ["desk", "engine_process", "engine_processes"]

PAGE = (ROOT / "docs/signed-orders.md").read_text()


def documented() -> Any:
    """Return the function that the page shows."""
    found: dict[str, Any] = {}
    exec(re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)[1], found)  # type: ignore[index] # noqa: S102 - our own page
    return found["signed_order"]


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_its_example_places_an_order(desk: Desk, settings: Any, side: str) -> None:
    settings.CHAIN_DIR = Path(desk.engine.data_dir) / "chain"
    wallet = wallet_account(desk.alice.user)
    deployed = msgspec.json.decode((settings.CHAIN_DIR / "deployment.json").read_bytes())
    market = market_by_symbol("BTC-PERP")
    price = 59_000 if side == "buy" else 61_000
    signed = documented()(
        wallet.key,
        program=deployed["programs"]["perp_dex"],
        genesis_hash=deployed["genesis_hash"],
        owner=str(wallet.wallet.pubkey()),
        market_id=market.market_id,
        side=side,
        size_lots=10**6 // market.lot_e8,
        limit_ticks=price * 10**8 // market.tick_e8,
        fee_cap_ppm=market.taker_fee_ppm,
    )
    order = ORDER | {"side": side, "price": f"{price}.0", "signed": signed}
    assert desk.alice.post(f"orders/?account_id={wallet.account_id}", order).status == 201


def test_it_names_every_rule() -> None:
    engine = set(re.findall(r'refused\("(\w+)"\)', (ROOT / "trading/engine/signatures.py").read_text()))
    assert len(engine) >= 10
    assert {rule for rule in engine | set(get_args(signing.Fault)) if f"`{rule}`" not in PAGE} == set()
