"""Signed orders over the API: whose they are is found out at the front, what they allow by the engine."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from django.utils import timezone
from solders.keypair import Keypair

from accounts.models import Account, TradingKey
from accounts.trading_keys import trading_keys_of
from markets.signed_orders import Domain
from tests.support.api import Answer, Desk, desk, program
from tests.support.engine import engine_process, engine_processes
from tests.support.wallets import USDC, WalletAccount, wallet_account
from tests.support.web import WebProcess, WebProcesses, web_process, web_processes

__all__ = ["desk", "engine_process", "engine_processes", "web_process", "web_processes"]

ORDER: dict[str, Any] = {"market": "BTC-PERP", "side": "buy", "type": "limit", "size": "0.0100", "price": "59000.0"}


@pytest.fixture
def wallet(desk: Desk, settings: Any) -> WalletAccount:
    settings.CHAIN_DIR = Path(desk.engine.data_dir) / "chain"
    return wallet_account(desk.alice.user)


def place(desk: Desk, wallet: WalletAccount, **fields: Any) -> Answer:
    return desk.alice.post(f"orders/?account_id={wallet.account_id}", ORDER | fields)


def rule(answer: Answer) -> str:
    """Return why a signed order was refused."""
    assert answer.error["data"]["field"] == "signed", answer
    found: str = answer.error["data"].get("rule") or answer.error["code"]
    return found


def test_it_takes_an_order_that_the_wallets_key_signed(desk: Desk, wallet: WalletAccount) -> None:
    assert place(desk, wallet, signed=wallet.sign()).status == 201
    account = desk.alice.get(f"account/?account_id={wallet.account_id}").json
    assert (account["self_custody"], len(account["orders"])) == (True, 1)


def test_it_takes_no_other_order(desk: Desk, wallet: WalletAccount) -> None:
    unsigned = place(desk, wallet)
    assert (unsigned.status, unsigned.error["code"], unsigned.error["data"]) == (422, "SIGNATURE_REQUIRED", {"field": "signed"})
    attached = place(desk, wallet, signed=wallet.sign(), stop_loss="50000.0")
    assert (attached.status, attached.error["data"]["field"]) == (422, "stop_loss")


FORGED: dict[str, dict[str, Any]] = {
    "OtherDomain": {"domain": Domain(program=bytes(32), genesis_hash=bytes(32))},
    "OtherMarket": {"market_id": 2},
    "OtherAccount": {"owner": bytes(32)},
}


@pytest.mark.parametrize("why", FORGED)
def test_it_refuses_what_was_signed_for_something_else(desk: Desk, wallet: WalletAccount, why: str) -> None:
    answer = place(desk, wallet, signed=wallet.sign(**FORGED[why]))
    assert (answer.status, answer.error["code"], rule(answer)) == (400, "SIGNATURE_INVALID", why)


def test_it_refuses_what_the_key_did_not_sign(desk: Desk, wallet: WalletAccount) -> None:
    signed, other = wallet.sign(), wallet.sign()
    assert rule(place(desk, wallet, signed=signed[:-80] + other[-80:])) == "BadSignature"
    assert rule(place(desk, wallet, signed=wallet.sign(Keypair()))) == "KeyUnknown"


def test_it_refuses_a_key_of_anothers_account(desk: Desk, wallet: WalletAccount) -> None:
    bobs = wallet_account(desk.bob.user)
    assert rule(place(desk, wallet, signed=bobs.sign())) == "KeyUnknown"
    bobs.register(wallet.key)
    stolen = desk.bob.post(f"orders/?account_id={bobs.account_id}", ORDER | {"signed": wallet.sign()})
    assert rule(stolen) == "OtherAccount"


NOW = timezone.now()
LIMITS: dict[str, dict[str, Any]] = {
    "KeyExpired": {"expires_at": NOW - timedelta(seconds=1)},
    "KeyScope": {"market_id": 2},
    "AboveKeyCap": {"cap_atoms": 589 * USDC},
    "OutlivesKey": {"expires_at": NOW + timedelta(hours=23)},
}


@pytest.mark.parametrize("why", LIMITS)
def test_it_keeps_keys_within_what_they_may_sign(desk: Desk, wallet: WalletAccount, why: str) -> None:
    key = Keypair()
    wallet.register(key, **LIMITS[why])
    assert rule(place(desk, wallet, signed=wallet.sign(key))) == why


def test_it_ends_a_revoked_keys_orders_at_once(desk: Desk, wallet: WalletAccount) -> None:
    placed = place(desk, wallet, signed=wallet.sign()).json
    for _ in range(2):  # told twice, it is done once
        wallet.register(wallet.key, revoked_at=timezone.now())
    order = desk.alice.get(f"orders/{placed['order_id']}/?account_id={wallet.account_id}").json
    assert (order["status"], order["reason"]) == ("cancelled", "signature")
    assert rule(place(desk, wallet, signed=wallet.sign())) == "KeyRevoked"
    assert [key.revoked_at is None for key in trading_keys_of(wallet.account_id)] == [False]
    TradingKey.objects.all().delete()  # even where a front still took it
    wallet.register(wallet.key)
    assert rule(place(desk, wallet, signed=wallet.sign())) == "KeyRevoked"


@pytest.mark.parametrize("signed", ["?", "AA==", "A" * 500, "é"])
def test_it_names_what_is_no_signed_order(desk: Desk, wallet: WalletAccount, signed: str) -> None:
    answer = place(desk, wallet, signed=signed)
    assert (answer.status, answer.error["data"]["field"]) == (400, "signed")


def test_it_says_that_there_is_no_chain(desk: Desk, wallet: WalletAccount, settings: Any, tmp_path: Path) -> None:
    signed = wallet.sign()
    settings.CHAIN_DIR = tmp_path
    answer = place(desk, wallet, signed=signed)
    assert (answer.status, answer.error["code"]) == (404, "CHAIN_OFF")
    (tmp_path / "deployment.json").write_text("{}")
    assert place(desk, wallet, signed=signed).error["code"] == "CHAIN_OFF"


def test_it_amends_with_a_new_signature(desk: Desk, wallet: WalletAccount) -> None:
    placed = place(desk, wallet, signed=wallet.sign()).json
    path = f"orders/{placed['order_id']}/?account_id={wallet.account_id}"
    assert rule(desk.alice.patch(path, {"price": "58000.0"})) == "SIGNATURE_REQUIRED"
    assert desk.alice.patch(path, {"size": "0.0050"}).status == 200
    moved = desk.alice.patch(path, {"price": "58000.0", "signed": wallet.sign()})
    assert (moved.status, moved.json["price"]) == (200, "58000.0")
    assert rule(desk.alice.patch(path, {"price": "57000.0", "signed": wallet.sign(Keypair())})) == "KeyUnknown"


def test_it_refuses_a_batch_for_one_forged_item(desk: Desk, wallet: WalletAccount) -> None:
    good = {"op": "place"} | ORDER | {"signed": wallet.sign()}
    forged = {"op": "place"} | ORDER | {"signed": wallet.sign(Keypair())}
    path = f"orders/batch/?account_id={wallet.account_id}"
    answer = desk.alice.post(path, {"items": [good, forged]})
    assert (answer.status, answer.error["data"]["field"]) == (400, "items[1].signed")
    results = desk.alice.post(path, {"items": [good, {"op": "place"} | ORDER]}).json["results"]
    assert [result["ok"] for result in results] == [True, False]


def test_it_signs_on_the_fast_lane_too(desk: Desk, wallet: WalletAccount, web_processes: WebProcesses) -> None:
    web = web_processes.start()
    answers = [fast(web, desk, wallet, signed) for signed in (wallet.sign(), wallet.sign(), wallet.sign(Keypair()), "")]
    assert [answer.status_code for answer in answers] == [201, 201, 400, 422]
    assert answers[2].json()["error"]["data"]["rule"] == "KeyUnknown"


def fast(web: WebProcess, desk: Desk, wallet: WalletAccount, signed: str) -> Any:
    path, body = "/api/v1/fast/orders", msgspec.json.encode(ORDER | ({"signed": signed} if signed else {}))
    bot = program(Account.objects.get(id=wallet.account_id), can_trade=True)
    headers = bot.headers("POST", path, body) | {"Content-Type": "application/json"}
    return httpx.post(web.url + path, content=body, headers=headers, timeout=30)
