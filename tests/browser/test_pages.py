"""Every page, at both ends of the sizes, in both themes and palettes: no sideways scrolling, nothing for axe, no policy violated."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESK, PHONE, Visit, Visitor
from tests.support.people import Person

pytestmark = pytest.mark.browser

LOOKS = [
    (DESK, "dark", "green-red"),
    (DESK, "light", "blue-orange"),
    (PHONE, "dark", "blue-orange"),
    (PHONE, "light", "green-red"),
]
HEADINGS = {
    "/": "Perpetual futures",
    "/accounts/login/": "Log in",
    "/accounts/register/": "Register",
    "/trade/NO-PERP/": "There is no such page",
}


def check(visitor: Visitor) -> None:
    assert visitor.axe() == []
    assert not visitor.overflows()


def open_desk(visitor: Visitor) -> None:
    page = visitor.open("/trade/BTC-PERP/")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")


def test_it_shows_strangers_the_public_pages(visit: Visit) -> None:
    for size, theme, updown in LOOKS:
        visitor = visit(size=size, theme=theme, updown=updown)
        for path, heading in HEADINGS.items():
            page = visitor.open(path)
            expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
            check(visitor)
        open_desk(visitor)
        check(visitor)
        visitor.context.close()


def test_it_shows_a_trader_the_desk(visit: Visit, alice: Person) -> None:
    for size, theme, updown in LOOKS:
        visitor = visit(alice, size=size, theme=theme, updown=updown)
        open_desk(visitor)
        expect(visitor.page.locator("#equity")).to_contain_text("$10,000.00")
        check(visitor)
        visitor.open("/account/")
        check(visitor)
        visitor.context.close()


def test_it_fits_every_width_between_a_phone_and_a_desk(visit: Visit, alice: Person) -> None:
    visitor = visit(alice)
    for path in ("/trade/BTC-PERP/", "/risk/", "/accounts/"):
        page = visitor.open(path)
        for width in (768, 900, 1023, 1024, 1180, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert not visitor.overflows(), (path, width)


def test_it_works_as_one_page_before_any_script(visit: Visit, alice: Person) -> None:
    """What the server sends is complete: prices, balances and tabs are there without a line of JavaScript."""
    visitor = visit(alice)
    html = visitor.page.request.get(visitor.url("/trade/ETH-PERP/?tab=balances")).text()
    assert "3,000.00" in html
    assert "10,000.000000" in html
    assert 'id="panel-balances" role="tabpanel" aria-labelledby="tab-balances" tabindex="0">' in html
