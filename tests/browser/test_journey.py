"""The whole way on a fresh desk: a new user with a wallet, faucet, deposit, trading key, two trades, settlement, proof, withdrawal.

Everything is real but the wallet's window: desk, localnet, programs, makers, settlement. Balances are compared exactly, on chain and in the
ledger.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESK, Visitor
from tests.browser.test_orders import place
from tests.browser.wallets import TestWallet
from tests.desk.desk_process import WELCOME, DeskProcess

pytestmark = pytest.mark.browser

SOON_MS = 60_000
FINAL_MS = 120_000  # two challenge windows, and the batches before them
FAUCET = Decimal(10_000)
DEPOSIT = Decimal("2500.75")
SIZE = "0.0100"


@dataclass(frozen=True, kw_only=True)
class Site:
    url: str


@pytest.fixture
def desk() -> Iterator[DeskProcess]:
    process = DeskProcess()
    process.start()
    try:
        process.wait_for(WELCOME)
        yield process
    finally:
        process.remove()


@pytest.fixture
def visitor(browser: Browser, desk: DeskProcess) -> Iterator[Visitor]:
    context = browser.new_context(viewport={"width": DESK[0], "height": DESK[1]})
    visitor = Visitor(context, Site(url=f"http://127.0.0.1:{desk.port}"))
    yield visitor
    context.close()
    assert not visitor.faults, visitor.faults


def answer(visitor: Visitor, path: str) -> Any:
    return visitor.page.request.get(visitor.url(f"/api/v1/{path}")).json()


def done(page: Page, step: str, *, timeout: int = SOON_MS) -> None:
    try:
        expect(page.locator(step)).to_have_attribute("data-state", "done", timeout=timeout)
    except AssertionError as error:
        raise AssertionError(page.locator(step.partition(" ")[0]).inner_text()) from error


def register(visitor: Visitor) -> None:
    page = visitor.open("/accounts/register/")
    page.get_by_label("Username").fill("newcomer")
    page.get_by_label("Password").fill("an-evening-in-november")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("button", name="newcomer").or_(page.locator("summary", has_text="newcomer"))).to_be_visible()


def fund(visitor: Visitor) -> None:
    """Link the wallet, take test money, deposit a part of it, and register a key."""
    page = visitor.open("/wallet/")
    page.get_by_role("button", name="Test Wallet").click()
    expect(page.locator("#wallet-state")).to_have_text("Connected by Test Wallet", timeout=SOON_MS)
    page.get_by_role("button", name="Get test SOL and test USDC").click()
    expect(page.locator("[data-figure=wallet-usdc]")).to_have_text("$10,000.00", timeout=SOON_MS)
    page.locator("#deposit-usdc").fill(str(DEPOSIT))
    page.locator("#deposit-usdc").press("Enter")
    done(page, "#deposit-steps [data-step=credited]")
    page.get_by_role("button", name="Make and register a key").click()
    done(page, "#key-steps [data-step=registered]")


def trade(visitor: Visitor) -> None:
    """Buy from the makers and sell it to them, each order signed by the key."""
    page = visitor.open("/trade/BTC-PERP/")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    expect(page.locator("#ticket-signing")).to_contain_text("by your trading key")
    place(page, side="buy", size=SIZE)
    row = page.locator("#position-BTC-PERP")
    expect(row).to_contain_text("Long")
    row.get_by_role("button", name="Close").click()
    page.locator("#confirm-dialog").get_by_role("button", name="Close position").click()
    expect(page.locator("#positions-body")).to_contain_text("No open positions", timeout=SOON_MS)


def prove(visitor: Visitor) -> None:
    """Follow both fills to their proofs, and wait until every check has passed."""
    page = visitor.page
    page.get_by_role("tab", name="Fills").click()
    links = page.locator("#panel-fills a", has_text="Proof")
    expect(links).to_have_count(2)
    for path in [links.nth(at).get_attribute("href") for at in range(2)]:
        assert path
        visitor.open(path)
        expect(page.locator("#proof-summary")).to_have_text("11 of 11 checks passed", timeout=FINAL_MS)
        expect(page.locator("#proof-order")).to_contain_text("the key of this browser")
        expect(page.locator("#proof-unsigned")).to_be_hidden()
        assert visitor.axe() == []


def withdraw(visitor: Visitor) -> Decimal:
    """Take everything out; return how much that was."""
    page = visitor.open("/wallet/")
    expect(page.locator("#wallet-state")).to_have_text("Connected by Test Wallet")
    page.locator("#withdraw-form").get_by_role("button", name="Max").click()
    amount = Decimal(page.locator("#withdraw-usdc").input_value())
    page.locator("#withdraw-usdc").press("Enter")
    done(page, "#withdraw-steps [data-step=paid]", timeout=FINAL_MS)
    return amount


def balances(visitor: Visitor) -> dict[str, Decimal]:
    wallet = answer(visitor, "chain/wallet/")
    found = {name: Decimal(wallet["chain"][name]) for name in ("usdc", "final", "pending")}
    return found | {"ledger": Decimal(wallet["engine"]["balance"])}


def test_it_goes_all_the_way(visitor: Visitor) -> None:
    TestWallet.install(visitor.context)
    register(visitor)
    fund(visitor)
    assert balances(visitor) == {"usdc": FAUCET - DEPOSIT, "final": DEPOSIT, "pending": 0, "ledger": DEPOSIT}

    trade(visitor)
    prove(visitor)
    fills = answer(visitor, "fills/")["results"]
    left = DEPOSIT + sum(Decimal(fill["realised_pnl"]) - Decimal(fill["fee"]) for fill in fills)
    assert len(fills) == 2
    assert left != DEPOSIT
    assert balances(visitor) == {"usdc": FAUCET - DEPOSIT, "final": left, "pending": 0, "ledger": left}

    assert withdraw(visitor) == left
    assert balances(visitor) == {"usdc": FAUCET - DEPOSIT + left, "final": 0, "pending": 0, "ledger": 0}
