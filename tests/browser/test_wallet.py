"""The wallet page in a real browser, on a real localnet: link, faucet, deposit, key, a wallet that refuses, and how it looks."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from chain.custody.instructions import WalletInstructions
from chain.custody.models import ChainAccount
from chain.custody.running import custody_pass
from chain.custody.withdrawals import withdrawal_request
from markets.gateway import gateway
from tests.browser.conftest import DESK, PHONE, Visit, Visitor
from tests.browser.wallets import TestWallet
from tests.chain.custody.desks import USDC, CustodyDesk, custody_desk
from tests.support.people import Person
from tests.support.web import WebProcess, WebProcesses

pytestmark = pytest.mark.browser
__all__ = ["custody_desk"]

SLOT_MS = 50
PASS_EVERY_S = 0.3
SOON_MS = 60_000


@pytest.fixture
def web_process(custody_desk: CustodyDesk, web_processes: WebProcesses, settings: Any) -> WebProcess:
    return web_processes.start(CHAIN_DIR=str(settings.CHAIN_DIR))


@pytest.fixture
def kept(custody_desk: CustodyDesk) -> Iterator[CustodyDesk]:
    """Blocks go on and custody is kept, as a desk does it beside the page."""
    ended = threading.Event()

    def keep() -> None:
        while not ended.wait(PASS_EVERY_S):
            custody_pass(client=custody_desk.client, chain=custody_desk.chain)
        gateway().close()
        connection.close()

    stop_blocks = custody_desk.localnet.tick(slot_ms=SLOT_MS)
    keeper = threading.Thread(target=keep)
    keeper.start()
    yield custody_desk
    ended.set()
    keeper.join()
    stop_blocks()


def check(visitor: Visitor) -> None:
    assert visitor.axe() == []
    assert not visitor.overflows()


def link(page: Page) -> None:
    page.get_by_role("button", name="Test Wallet").click()
    expect(page.locator("#wallet-state")).to_have_text("Connected by Test Wallet")


def done(page: Page, step: str) -> None:
    try:
        expect(page.locator(step)).to_have_attribute("data-state", "done", timeout=SOON_MS)
    except AssertionError as error:
        raise AssertionError(page.locator(step.partition(" ")[0]).inner_text()) from error


def shifted(page: Page) -> float:
    """Return how far the page's parts have moved by themselves since it was opened."""
    return float(
        page.evaluate(
            """() => new Promise((told) => {
              let sum = 0;
              const watch = new PerformanceObserver((list) => {
                for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
              });
              watch.observe({ type: "layout-shift", buffered: true });
              requestAnimationFrame(() => requestAnimationFrame(() => told(sum)));
            })"""
        )
    )


def test_it_links_a_wallet_deposits_and_registers_a_key(visit: Visit, alice: Person, kept: CustodyDesk) -> None:
    visitor = visit(alice)
    wallet = TestWallet.install(visitor.context)
    page = visitor.open("/wallet/")
    check(visitor)
    link(page)
    expect(page.locator("#account-menu")).to_contain_text(wallet.address[:4])
    page.get_by_role("button", name="Get test SOL and test USDC").click()
    expect(page.locator("[data-figure=wallet-usdc]")).to_have_text("$10,000.00", timeout=SOON_MS)

    page.locator("#deposit-usdc").fill("2,500.25")
    page.locator("#deposit-usdc").press("Enter")
    done(page, "#deposit-steps [data-step=credited]")
    expect(page.locator("[data-figure=withdrawable]")).to_have_text("$2,500.25")
    expect(page.locator("#wallet-history tbody tr")).to_contain_text(["Deposit"])
    assert page.locator("#deposit-steps [data-signature]").get_attribute("href") == page.locator("#wallet-history a").get_attribute("href")
    assert kept.vault_atoms() >= 2_500_250_000

    page.get_by_role("button", name="Make and register a key").click()
    done(page, "#key-steps [data-step=registered]")
    expect(page.locator("#key-state")).to_have_text("This browser signs your orders.")
    check(visitor)

    page.reload()
    expect(page.locator("#wallet-state")).to_have_text("Connected by Test Wallet")
    assert shifted(page) < 0.01
    expect(page.locator("#key-state")).to_have_text("This browser signs your orders.")
    page.get_by_role("button", name="Revoke").click()
    expect(page.locator("#wallet-keys")).to_contain_text("revoked", timeout=SOON_MS)
    expect(page.locator("#key-state")).to_have_text("")


def test_it_says_when_the_wallet_refuses_and_loses_nothing(visit: Visit, alice: Person, kept: CustodyDesk) -> None:
    visitor = visit(alice)
    wallet = TestWallet.install(visitor.context)
    page = visitor.open("/wallet/")
    wallet.refuse(page)
    page.get_by_role("button", name="Test Wallet").click()
    expect(page.locator("#link-steps [data-steps-error]")).to_have_text("User rejected the request.")
    wallet.agree(page)
    link(page)
    page.get_by_role("button", name="Get test SOL and test USDC").click()
    expect(page.locator("[data-figure=wallet-usdc]")).to_have_text("$10,000.00", timeout=SOON_MS)

    page.locator("#deposit-usdc").fill("20000")
    page.locator("#deposit-usdc").press("Enter")
    expect(page.locator("#deposit-error")).to_contain_text("At most 10000.000000 USDC")
    page.locator("#deposit-usdc").fill("much")
    page.locator("#deposit-usdc").press("Enter")
    expect(page.locator("#deposit-error")).to_contain_text("Enter an amount")
    wallet.refuse(page)
    page.locator("#deposit-usdc").fill("10")
    page.locator("#deposit-usdc").press("Enter")
    expect(page.locator("#deposit-steps [data-step=signed]")).to_have_attribute("data-state", "failed")
    expect(page.locator("#deposit-steps [data-steps-error]")).to_have_text("User rejected the request.")
    check(visitor)
    wallet.agree(page)
    page.locator("#deposit-usdc").press("Enter")
    done(page, "#deposit-steps [data-step=credited]")
    expect(page.locator("[data-figure=wallet-usdc]")).to_have_text("$9,990.00")


def test_it_withdraws_to_the_wallet(visit: Visit, alice: Person, kept: CustodyDesk) -> None:
    visitor = visit(alice)
    wallet = TestWallet.install(visitor.context)
    page = visitor.open("/wallet/")
    link(page)
    page.get_by_role("button", name="Get test SOL and test USDC").click()
    expect(page.locator("[data-figure=wallet-usdc]")).to_have_text("$10,000.00", timeout=SOON_MS)
    page.locator("#deposit-usdc").fill("500")
    page.locator("#deposit-usdc").press("Enter")
    done(page, "#deposit-steps [data-step=credited]")
    expect(page.locator("[data-figure=withdrawable]")).to_have_text("$500.00")

    page.locator("#withdraw-usdc").fill("120.5")
    page.locator("#withdraw-usdc").press("Enter")
    done(page, "#withdraw-steps [data-step=paid]")

    expect(page.locator("[data-figure=wallet-usdc]")).to_have_text("$9,620.50")
    expect(page.locator("[data-figure=withdrawable]")).to_have_text("$379.50")
    expect(page.locator("#wallet-history tbody tr").first).to_contain_text("Paid")
    expect(page.locator("[data-collect]")).to_have_count(0)
    assert kept.user(kept.chain.dex.user(wallet.key.pubkey())).holdings.balances[0] == 379_500_000
    assert kept.vault_atoms() % USDC == 500_000


def test_it_collects_later_and_leaves(visit: Visit, alice: Person, kept: CustodyDesk) -> None:
    visitor = visit(alice)
    wallet = TestWallet.install(visitor.context)
    page = visitor.open("/wallet/")
    link(page)
    page.get_by_role("button", name="Get test SOL and test USDC").click()
    expect(page.locator("[data-figure=wallet-usdc]")).to_have_text("$10,000.00", timeout=SOON_MS)
    page.locator("#deposit-usdc").fill("500")
    page.locator("#deposit-usdc").press("Enter")
    done(page, "#deposit-steps [data-step=credited]")
    account = ChainAccount.objects.get(owner=wallet.address).account
    withdrawal_request(account=account, amount_atoms=50 * USDC, key="before")

    page.get_by_role("button", name="Collect").click(timeout=SOON_MS)
    done(page, "#withdraw-steps [data-step=paid]")
    expect(page.locator("[data-figure=wallet-usdc]")).to_have_text("$9,550.00")

    page.get_by_label("Label").fill("cold")
    page.get_by_label("USDC token account").fill("nowhere")
    page.get_by_role("button", name="Add").click()
    expect(page.locator("#address-error")).to_contain_text("no address")
    page.get_by_label("USDC token account").fill(str(WalletInstructions(kept.chain, wallet.key.pubkey()).token_account))
    page.get_by_role("button", name="Add").click()
    expect(page.locator("#withdraw-to option")).to_contain_text(["Your wallet", "cold"])
    check(visitor)
    page.get_by_role("button", name="Remove cold").click()
    page.locator("#confirm-dialog").get_by_role("button", name="Remove").click()
    expect(page.locator("form[data-remove]")).to_have_count(0)
    expect(page.locator("#wallet-state")).to_have_text("Connected by Test Wallet")

    page.get_by_role("button", name="Request an exit").click()
    page.locator("#confirm-dialog").get_by_role("button", name="Request an exit").click()
    expect(page.locator("#wallet-exit")).to_contain_text("Your exit was served", timeout=SOON_MS)
    expect(page.locator("[data-figure=wallet-usdc]")).to_have_text("$10,000.00", timeout=SOON_MS)
    check(visitor)


def test_it_looks_right_everywhere(visit: Visit, alice: Person, kept: CustodyDesk) -> None:
    first = visit(alice, size=PHONE)
    page = first.open("/wallet/")
    expect(page.locator("#wallet-none")).to_contain_text("No Solana wallet was found")
    check(first)
    wallet = TestWallet.install(first.context)
    page.reload()
    expect(page.locator("#wallet-none")).to_be_hidden()
    check(first)
    link(page)
    for size, theme, updown in ((DESK, "light", "blue-orange"), (PHONE, "dark", "green-red"), (PHONE, "light", "blue-orange")):
        visitor = visit(alice, size=size, theme=theme, updown=updown)
        TestWallet.install(visitor.context, wallet.key)
        for path, heading in (("/wallet/", "Wallet"), ("/accounts/", "Accounts")):
            expect(visitor.open(path).get_by_role("heading", level=1)).to_have_text(heading)
            check(visitor)
        visitor.context.close()
