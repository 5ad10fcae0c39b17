"""What every page does: theme, confirmations, the market menu, toasts, local times."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

TOAST = """async (options) => {
    const { toast } = await import("/static/app/toast.js");
    toast(options);
}"""


@pytest.fixture
def site(page: Page) -> Iterator[Page]:
    page.goto("/site.html")
    expect(page.locator("time").first).to_have_text("17:41:59")
    yield page


def test_it_changes_the_theme_and_keeps_it_in_a_cookie(site: Page) -> None:
    site.check("[name=theme][value=light]")
    expect(site.locator("html")).to_have_attribute("data-theme", "light")
    assert [(cookie["name"], cookie["value"]) for cookie in site.context.cookies()] == [("qd_theme", "light")]


def test_it_sends_a_form_only_after_a_yes(site: Page) -> None:
    site.click("#close")
    expect(site.locator("[data-confirm-text]")).to_have_text("Close 0.850 BTC at market?")
    expect(site.locator("[data-confirm-yes]")).to_have_text("Close position")
    site.click("#confirm-dialog [data-close-dialog]")
    expect(site).to_have_url(re.compile(r"/site\.html$"))
    site.click("#close")
    with site.expect_navigation(url=re.compile(r"/closed\.html\?size=0\.850$")):
        site.route("**/closed.html*", lambda route: route.fulfill(body="closed"))
        site.click("[data-confirm-yes]")


def test_it_filters_markets_and_walks_them_by_keys(site: Page) -> None:
    site.locator("body").press("/")
    expect(site.locator("#market-menu")).to_be_visible()
    site.keyboard.type("s")
    site.keyboard.type("u")
    expect(site.locator("#market-rows tr:visible")).to_have_text(["SUI-PERP"])
    site.keyboard.press("Backspace")
    expect(site.locator("#market-rows tr:visible")).to_have_text(["SOL-PERP", "SUI-PERP"])
    site.keyboard.press("ArrowDown")
    site.keyboard.press("ArrowDown")
    expect(site.get_by_role("link", name="SUI-PERP")).to_be_focused()
    site.keyboard.press("ArrowUp")
    site.keyboard.press("Enter")
    expect(site).to_have_url(re.compile("#sol$"))


def test_it_opens_the_market_menu_from_inside_a_field_with_a_chord(site: Page) -> None:
    site.locator("body").press("Control+k")
    expect(site.locator("#market-menu")).to_be_visible()


def test_it_closes_a_menu_on_escape_and_on_a_choice(site: Page) -> None:
    menu = site.locator("details.menu")
    site.click("summary")
    site.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", re.compile(".*"))
    site.click("summary")
    site.check("[name=more]")
    expect(menu).not_to_have_attribute("open", re.compile(".*"))
    site.click("summary")
    menu.get_by_role("button", name="Display").click()
    expect(menu).not_to_have_attribute("open", re.compile(".*"))


def test_it_keeps_one_toast_a_key_and_at_most_five(site: Page) -> None:
    site.evaluate(TOAST, {"title": "Bought 0.5 of 1.0 BTC-PERP", "key": "order-9"})
    expect(site.locator("[data-toast]")).to_have_text([re.compile(r"Bought 0\.5 of 1\.0 BTC-PERP")])
    for number in range(7):
        site.evaluate(TOAST, {"title": f"News {number}"})
    expect(site.locator("[data-toast]")).to_have_count(5)
    expect(site.locator("[data-toast]").last).to_contain_text("News 6")


def test_it_says_a_reject_where_screen_readers_interrupt(site: Page) -> None:
    site.evaluate(TOAST, {"title": "Order refused", "urgent": True, "kind": "bad"})
    expect(site.get_by_role("alert")).to_contain_text("Order refused")


@pytest.mark.parametrize(("form", "words"), [("order", "cannot be placed twice"), ("reverse", "Look at your orders")])
def test_it_tells_when_a_form_got_no_answer(site: Page, form: str, words: str) -> None:
    site.locator(f"#{form}").evaluate("(form) => form.dispatchEvent(new CustomEvent('htmx:error', { bubbles: true }))")
    expect(site.get_by_role("alert")).to_contain_text(words)


def test_it_shows_local_times_with_utc_beside_them(site: Page) -> None:
    expect(site.locator("time[data-format]")).to_have_text("22 Nov 17:41:59")
    expect(site.locator("time").first).to_have_attribute("title", "2026-11-22 16:41:59.000 UTC")
