"""Several accounts in the browser: switch in the header, and a page that was opened before goes on with its own account."""

import pytest
from playwright.sync_api import expect

from accounts.models import User
from accounts.sub_accounts import account_open
from tests.browser.conftest import DESK, PHONE, Visit
from tests.browser.test_orders import open_desk, place
from tests.support.people import Person

pytestmark = pytest.mark.browser


def test_it_switches_in_the_header_and_keeps_pages_on_their_account(visit: Visit, alice: Person) -> None:
    hedge = account_open(user=User.objects.get(username="alice"), name="hedge")
    visitor = visit(alice)
    old = open_desk(visitor)
    new = visitor.context.new_page()
    new.goto(visitor.url("/markets/"))
    new.locator("#account-menu summary").click()
    new.get_by_role("button", name="hedge").click()
    expect(new.locator("#account-menu summary")).to_contain_text("hedge")
    expect(new.locator("body")).to_have_attribute("data-account", str(hedge.id))

    place(old, side="buy", size="0.1", price="59000")
    expect(old.locator("[data-count=orders]")).to_have_text("1")
    expect(old.locator("#equity")).to_have_text("Equity$10,000.00")
    new.goto(visitor.url("/trade/BTC-PERP/?tab=orders"))
    expect(new.locator("#orders-body")).to_contain_text("No open orders")
    expect(new.locator("#equity")).to_have_text("Equity$0.00")
    old.get_by_role("tab", name="Orders").click()
    old.locator("#orders-body tr").first.get_by_role("button", name="Cancel").click()
    expect(old.locator("[data-count=orders]")).to_have_text("")


def test_it_offers_accounts_at_both_ends_of_the_sizes(visit: Visit, alice: Person) -> None:
    account_open(user=User.objects.get(username="alice"), name="a name as long as account names can be.")
    for size, theme in ((DESK, "dark"), (PHONE, "light")):
        visitor = visit(alice, size=size, theme=theme)
        page = open_desk(visitor)
        page.locator("#account-menu summary" if size == DESK else ".top-bar .menu:not(#account-menu) > summary").click()
        expect(page.locator("details[open]").get_by_role("button", name="main")).to_be_visible()
        assert not visitor.overflows()
        page.keyboard.press("Escape")
        expect(page.locator("details[open]")).to_have_count(0)
        page.goto(visitor.url("/accounts/"))
        assert visitor.axe() == []
        assert not visitor.overflows()
