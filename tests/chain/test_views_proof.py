"""Whose trades have a proof page, and what it says of custody; what it verifies is tested in the browser."""

from typing import Any

import pytest

from tests.chain.deployments import write_deployment
from tests.support.api import Desk, desk
from tests.support.engine import engine_process, engine_processes
from trading.models import Fill

__all__ = ["desk", "engine_process", "engine_processes"]

RESTING = {"market": "BTC-PERP", "side": "sell", "type": "limit", "size": "0.0100", "price": "60010.0"}
TAKING = {"market": "BTC-PERP", "side": "buy", "type": "market", "size": "0.0100"}


@pytest.fixture
def trade_id(desk: Desk, settings: Any, tmp_path: Any) -> int:
    """A trade of Alice and Bob, on an exchange with a chain."""
    settings.CHAIN_DIR = tmp_path / "chain"
    write_deployment(settings.CHAIN_DIR)
    assert desk.alice.post("orders/", RESTING).status == 201
    assert desk.bob.post("orders/", TAKING).status == 201
    desk.project()
    return Fill.objects.latest("id").trade_id


def test_it_shows_each_side_its_own_half_of_a_trade(desk: Desk, trade_id: int) -> None:
    alices = desk.alice.client.get(f"/proof/{trade_id}/").content.decode()
    bobs = desk.bob.client.get(f"/proof/{trade_id}/").content.decode()

    assert '"side": "sell"' in alices
    assert '"side": "buy"' in bobs
    assert "QuantDesk holds this account in custody and signs for it" in alices
    assert f'href="/proof/{trade_id}/"' in desk.alice.client.get("/trade/BTC-PERP/fills/").content.decode()


def test_it_shows_a_trade_to_nobody_else(desk: Desk, trade_id: int) -> None:
    charlie = desk.register("charlie")

    assert charlie.client.get(f"/proof/{trade_id}/").status_code == 404
    assert desk.alice.client.get(f"/proof/{trade_id + 1}/").status_code == 404
    assert desk.alice.client.get(f"/proof/{10**18 - 1}/").status_code == 404
    assert desk.anonymous.client.get(f"/proof/{trade_id}/")["Location"].startswith("/accounts/login/")


def test_it_has_no_proofs_without_a_chain(desk: Desk, trade_id: int, settings: Any, tmp_path: Any) -> None:
    settings.CHAIN_DIR = tmp_path / "none"

    assert b"No wallets here" in desk.alice.client.get(f"/proof/{trade_id}/").content
    assert b"/proof/" not in desk.alice.client.get("/trade/BTC-PERP/fills/").content
