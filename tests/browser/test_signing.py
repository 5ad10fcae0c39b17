"""An account that a wallet owns: the page signs what it sends, with a key that only this browser has."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from markets.gateway import gateway
from markets.queries import GetAccount
from markets.views import AccountView
from tests.browser.conftest import PHONE, Visit, Visitor
from tests.browser.test_orders import fill_ticket, open_desk, place
from tests.support.engine import EngineProcesses
from tests.support.people import Person
from tests.support.wallets import WalletAccount, wallet_account

pytestmark = pytest.mark.browser

MAKE_KEY = """async (owner) => {
  const { findOrMakeKey } = await import("/static/app/chain/keys.js");
  return Array.from((await findOrMakeKey(owner)).publicKey);
}"""


@pytest.fixture
def wallet(engine_process: EngineProcesses, alice: Person, settings: Any) -> WalletAccount:
    """Alice works with the account that her wallet owns."""
    settings.CHAIN_DIR = Path(engine_process.data_dir) / "chain"
    user = User.objects.get(username=alice.username)
    opened = wallet_account(user)
    user.active_account_id = opened.account_id
    user.save()
    return opened


def with_key(visitor: Visitor, wallet: WalletAccount) -> None:
    """Make a key in the browser, and let the chain say that it is registered."""
    page = visitor.open("/markets/")
    wallet.register(bytes(page.evaluate(MAKE_KEY, str(wallet.wallet.pubkey()))))


def view(wallet: WalletAccount) -> AccountView:
    found: AccountView | None = gateway().query(GetAccount(account_id=wallet.account_id))
    assert found is not None
    return found


def signed_desk(visitor: Visitor, wallet: WalletAccount) -> Page:
    with_key(visitor, wallet)
    page = open_desk(visitor)
    expect(page.locator("#ticket-signing")).to_contain_text("by your trading key")
    return page


def test_it_signs_orders_amendments_and_exits(visit: Visit, alice: Person, bob: Person, wallet: WalletAccount) -> None:
    alices, bobs = signed_desk(visit(alice), wallet), open_desk(visit(bob))
    place(alices, side="buy", size="0.3", price="59000")
    assert [order.size_lots for order in view(wallet).orders] == [3000]

    alices.get_by_role("tab", name="Orders").click()
    alices.locator("#orders-body").get_by_role("button", name="Amend").click()
    dialog = alices.locator("#amend-dialog")
    dialog.get_by_label("Price").fill("60005")
    dialog.get_by_label("Size").fill("0.4")
    dialog.get_by_role("button", name="Amend order").click()
    expect(alices.locator("#orders-body")).to_contain_text("60,005.0")

    place(bobs, side="sell", size="0.4", price="60005")
    row = alices.locator("#position-BTC-PERP")
    alices.get_by_role("tab", name="Positions").click()
    expect(row).to_contain_text("Long")
    expect(row).to_contain_text("By stop order")

    place(bobs, side="buy", size="2", price="60000")
    row.get_by_role("button", name="Reverse").click()
    alices.locator("#confirm-dialog").get_by_role("button", name="Reverse position").click()
    expect(row).to_contain_text("Short")
    place(bobs, side="sell", size="1", price="60010")
    row.get_by_role("button", name="Close").click()
    alices.locator("#confirm-dialog").get_by_role("button", name="Close position").click()
    expect(row).to_have_count(0)
    assert view(wallet).positions == ()


def test_it_signs_a_size_in_usdc_and_a_stop(visit: Visit, alice: Person, bob: Person, wallet: WalletAccount) -> None:
    alices, bobs = signed_desk(visit(alice), wallet), open_desk(visit(bob))
    place(bobs, side="sell", size="1", price="60010")
    alices.locator("#ticket select[name=size_unit]").select_option("quote")
    place(alices, side="buy", size="3000")
    expect(alices.locator("#position-BTC-PERP")).to_contain_text("Long")
    held = view(wallet).positions[0].size_lots
    assert held == 499, "3,000 USDC at 60,010, rounded down to lots"

    alices.locator("#ticket select[name=size_unit]").select_option("base")
    ticket = alices.locator("#ticket")
    fill_ticket(alices, side="sell", size="0.0499")
    ticket.locator("input[name=type][value=stop_market]").check(force=True)
    ticket.get_by_label("Trigger price").fill("58000")
    ticket.locator("input[name=reduce_only]").check()
    sent = ticket.locator("input[name=client_order_id]").input_value()
    alices.locator("#ticket-submit").click()
    expect(ticket.locator("input[name=client_order_id]")).not_to_have_value(sent)
    assert [(order.type, order.reduce_only) for order in view(wallet).orders] == [("stop_market", True)]
    expect(alices.locator("#position-BTC-PERP")).to_contain_text("58,000.0")


@pytest.mark.parametrize("size", [PHONE, (1920, 1080)], ids=["phone", "desk"])
def test_it_says_what_is_missing_without_a_key(visit: Visit, alice: Person, wallet: WalletAccount, size: tuple[int, int]) -> None:
    visitor = visit(alice, size=size)
    page = visitor.open("/trade/BTC-PERP/")
    note = page.locator("#ticket-signing")
    expect(note).to_contain_text("cannot sign orders")
    if size == PHONE:
        page.get_by_role("link", name="Buy / Long").click()
    expect(note.get_by_role("link", name="Make a trading key")).to_have_attribute("href", "/wallet/")
    expect(page.locator("#ticket-submit")).to_be_disabled()
    expect(page.locator("#ticket input[name=tpsl]")).to_have_count(0)
    assert not visitor.overflows()
    assert visitor.axe() == []
