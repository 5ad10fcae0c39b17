"""The risk page and the margin dialogs as people use them: every look, by mouse and keyboard, with answers from a real engine."""

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from accounts.models import User
from markets.gateway import gateway
from tests.browser.conftest import DESK, PHONE, Visit
from tests.browser.test_pages import LOOKS, check
from tests.support.people import Person
from tests.trading.exchange import PRICE_TICKS, limit

pytestmark = pytest.mark.browser

PATH = "/trade/BTC-PERP/"
MARKETS = ((1, 5_000, PRICE_TICKS, "buy"), (2, 5_000, 300_000, "sell"))


def open_positions(alice: Person, bob: Person) -> None:
    """Let Alice be long 0.5 BTC and short 5 ETH against Bob."""
    for market_id, lots, ticks, side in MARKETS:
        other = "sell" if side == "buy" else "buy"
        for person, taken in ((bob, other), (alice, side)):
            order = limit(person.account_id, market_id=market_id, side=taken, size_lots=lots, price_ticks=ticks)
            reply = gateway().submit(order)
            assert reply.reject is None, reply.reject


def open_desk(page: Page) -> Page:
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    return page


def test_it_shows_risk_in_every_look(visit: Visit, alice: Person, bob: Person) -> None:
    open_positions(alice, bob)
    for size, theme, updown in LOOKS:
        visitor = visit(alice, size=size, theme=theme, updown=updown)
        page = visitor.open("/risk/")
        expect(page.get_by_role("heading", name="Stress grid")).to_be_visible()
        page.locator("#terms-BTC-PERP summary").click()
        expect(page.locator("#terms-BTC-PERP")).to_contain_text("Equity there")
        check(visitor)
        visitor.context.close()


def test_it_shows_an_empty_account_and_staff_their_pages(visit: Visit, alice: Person, bob: Person) -> None:
    empty = visit(alice, size=PHONE)
    expect(empty.open("/risk/").locator("main")).to_contain_text("nothing can be liquidated")
    check(empty)
    open_positions(alice, bob)
    client = Client()
    client.force_login(User.objects.create_user("sam", password="x", is_staff=True, is_superuser=True))
    sam = Person("sam", 0, "", "", f"sessionid={client.cookies['sessionid'].value}")
    for size in (DESK, PHONE):
        staff = visit(sam, size=size)
        expect(staff.open("/risk/book/").locator("main")).to_contain_text("Who falls first")
        check(staff)


def test_it_answers_what_if_while_somebody_types(visit: Visit, alice: Person, bob: Person) -> None:
    open_positions(alice, bob)
    visitor = visit(alice)
    page = visitor.open("/risk/")
    page.get_by_label("All, per cent").fill("-5")
    equity = page.locator("#what-if-result tr", has_text="Equity").first
    expect(equity).to_contain_text("$9,229.75")
    page.get_by_label("All, per cent").fill("a lot")
    expect(page.locator("#what-if-result")).to_contain_text("must be a decimal string")
    page.get_by_label("All, per cent").fill("")
    page.get_by_label("Size").fill("100")
    page.keyboard.press("Enter")
    expect(page.locator("#what-if-result")).to_contain_text("Would be refused")


def test_it_keeps_what_is_open_while_figures_are_renewed(visit: Visit, alice: Person, bob: Person) -> None:
    open_positions(alice, bob)
    page = visit(alice).open("/risk/")
    terms = page.locator("#terms-BTC-PERP")
    terms.locator("summary").click()
    with page.expect_response("**/risk/figures/"):
        page.evaluate("htmx.trigger('#risk-figures', 'figures:renew')")
    expect(terms).to_have_attribute("open", "")


def test_it_sets_margin_mode_and_leverage_with_before_and_after(visit: Visit, alice: Person, bob: Person) -> None:
    open_positions(alice, bob)
    visitor = visit(alice, size=DESK)
    page = open_desk(visitor.open(PATH))
    page.locator("#ticket [data-open-dialog=leverage-dialog]").click()
    dialog = page.locator("#leverage-dialog")
    dialog.locator("#leverage-number").fill("20")
    expect(dialog.locator("#leverage-changes")).to_contain_text("Free margin")
    check(visitor)
    dialog.get_by_role("radio", name="Isolated").check(force=True)
    dialog.get_by_role("button", name="Set leverage").click()
    expect(dialog.locator("#leverage-error")).to_contain_text("Close the position")
    dialog.get_by_role("radio", name="Cross").check(force=True)
    dialog.get_by_role("button", name="Set leverage").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("[data-leverage]")).to_have_text("20×")


def test_it_gives_an_isolated_position_more_margin_and_exits(visit: Visit, alice: Person, bob: Person) -> None:
    visitor = visit(alice, size=DESK)
    page = open_desk(visitor.open(PATH))
    page.locator("#ticket [data-open-dialog=leverage-dialog]").click()
    page.locator("#leverage-dialog").get_by_role("radio", name="Isolated").check(force=True)
    page.locator("#leverage-dialog").get_by_role("button", name="Set leverage").click()
    expect(page.locator("[data-margin-mode]")).to_have_text("Isolated")
    open_positions(alice, bob)
    row = page.locator("#position-BTC-PERP")
    expect(row).to_contain_text("Isolated")

    row.get_by_role("button", name="Add or remove margin").click()
    dialog = page.locator("#isolated-dialog")
    dialog.get_by_label("Amount").fill("500")
    expect(dialog.locator("#isolated-changes")).to_contain_text("Position margin")
    check(visitor)
    dialog.get_by_role("button", name="Move margin").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#toasts")).to_contain_text("$500.00 added to BTC-PERP")

    row.get_by_role("button", name="Set take profit").click()
    dialog = page.locator("#exits-dialog")
    dialog.get_by_label("Take profit").fill("66000")
    dialog.get_by_label("Stop loss").fill("65000")
    dialog.get_by_role("button", name="Set exits").click()
    expect(dialog.locator("#exits-stop_loss-error")).to_contain_text("This would trigger at once")
    check(visitor)
    dialog.get_by_label("Stop loss").fill("57000")
    dialog.get_by_role("button", name="Set exits").click()
    expect(dialog).to_be_hidden()
    expect(row).to_contain_text("66,000.0 / 57,000.0")


def test_it_lists_its_keys(visit: Visit, alice: Person) -> None:
    visitor = visit(alice)
    page = open_desk(visitor.open(PATH))
    page.keyboard.press("?")
    expect(page.locator("#keys-dialog")).to_be_visible()
    check(visitor)
    page.keyboard.press("Escape")
    expect(page.locator("#keys-dialog")).to_be_hidden()
