"""Staff's pages in a browser under the strict policy: each opens without a violation, and an action works by its form."""

import pytest
from django.test import Client
from playwright.sync_api import expect

from accounts.models import User
from markets.commands import PlaceOrder
from tests.browser.conftest import Visit
from tests.support.engine import EngineProcesses, engine_process, engine_processes
from tests.support.people import Person

__all__ = ["engine_process", "engine_processes"]
pytestmark = pytest.mark.browser

LISTS = (
    "accounts/account", "accounts/apikey", "accounts/ledgertransfer", "accounts/user", "markets/market", "markets/trade",
    "oracle/oracleprice", "risk/liquidation", "trading/fill", "trading/journal", "trading/order", "trading/snapshot",
)  # fmt: skip


@pytest.fixture
def sam(engine_process: EngineProcesses) -> Person:
    """Staff, without an account."""
    browser = Client()
    browser.force_login(User.objects.create_superuser("sam", password="a long enough passphrase 9"))
    return Person("sam", 0, "", "", f"sessionid={browser.cookies['sessionid'].value}")


def trade(engine: EngineProcesses, buyer: Person, seller: Person) -> None:
    for person, side in ((seller, "sell"), (buyer, "buy")):
        order = PlaceOrder(account_id=person.account_id, market_id=1, side=side, type="limit", size_lots=10, price_ticks=600_000)  # type: ignore[arg-type]
        assert engine.gateway.submit(order).reject is None


def test_it_opens_every_list_and_page_without_a_violation(
    visit: Visit, engine_process: EngineProcesses, sam: Person, alice: Person, bob: Person
) -> None:
    trade(engine_process, alice, bob)
    visitor = visit(sam)
    page = visitor.open("/admin/")
    expect(page.get_by_role("link", name="Journal")).to_be_visible()
    assert visitor.axe() == []
    for name in LISTS:
        page = visitor.open(f"/admin/{name}/")
        expect(page.locator("#changelist")).to_be_visible()
        if name == "markets/market":
            assert visitor.axe() == []
        rows = page.locator("#result_list tbody th a")
        if rows.count():
            rows.first.click()
            expect(page.locator("#content form")).to_be_attached()
    visitor.open("/admin/accounts/user/add/")
    expect(visitor.page.get_by_label("Username")).to_be_visible()


def test_it_halts_a_market_by_the_form_with_a_reason(visit: Visit, engine_process: EngineProcesses, sam: Person) -> None:
    page = visit(sam).open("/admin/markets/market/?q=BTC-PERP")
    page.locator("input.action-select").first.check()
    page.get_by_label("Action:").select_option("halt")
    page.get_by_label("Reason (required)").fill("the index jumped")
    page.locator("button[name=index]").click()
    expect(page.locator(".messagelist")).to_contain_text("BTC-PERP is set to halted.")
    visit().open("/api/v1/docs/")
