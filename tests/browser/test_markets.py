"""The markets page in a browser: live, sorted without a request, searched, starred, walked by keys."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE, Visit
from tests.browser.test_pages import LOOKS, check

pytestmark = pytest.mark.browser


def open_list(page: Page) -> Page:
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    return page


def names(page: Page) -> list[str]:
    return page.locator("#market-list tbody tr:visible [data-row-link]").all_inner_texts()


def test_it_shows_the_list_in_every_look(visit: Visit) -> None:
    for size, theme, updown in LOOKS:
        visitor = visit(size=size, theme=theme, updown=updown)
        open_list(visitor.open("/markets/"))
        check(visitor)
        visitor.context.close()


def test_it_sorts_searches_and_keeps_the_address(visit: Visit) -> None:
    page = open_list(visit(size=DESK).open("/markets/"))
    page.get_by_role("link", name="Last", exact=True).click()
    falling = names(page)
    expect(page.get_by_role("columnheader", name="Last", exact=True)).to_have_attribute("aria-sort", "descending")
    page.get_by_role("link", name="Last", exact=True).click()
    assert names(page) == falling[::-1]
    page.keyboard.press("/")
    page.keyboard.type("btc")
    assert names(page) == ["BTC-PERP"]
    page.reload()
    assert names(page) == ["BTC-PERP"], "the address says what is shown"
    page.locator("#market-search").fill("nothing like it")
    expect(page.locator("#market-none")).to_be_visible()


def test_it_puts_rows_back_in_order_when_nobody_points_at_them(visit: Visit) -> None:
    visitor = visit(size=DESK)
    visitor.page.clock.install()
    page = open_list(visitor.open("/markets/?sort=market"))
    order = names(page)
    page.evaluate("() => { const body = document.querySelector('#market-list').tBodies[0]; body.append(...[...body.rows].reverse()); }")
    assert names(page) == order[::-1]
    page.clock.run_for(16_000)
    assert names(page) == order


def test_it_keeps_favourites_for_the_next_visit(visit: Visit) -> None:
    visitor = visit(size=PHONE)
    page = open_list(visitor.open("/markets/"))
    page.get_by_role("button", name="SOL-PERP is a favourite").click()
    page.get_by_role("button", name="Favourites", exact=True).click()
    assert names(page) == ["SOL-PERP"]
    visitor.open("/markets/?show=favourites")
    assert names(page) == ["SOL-PERP"]
    page.get_by_role("button", name="SOL-PERP is a favourite").click()
    expect(page.locator("#market-none")).to_contain_text("No favourites yet")


def test_it_is_walked_by_keys(visit: Visit) -> None:
    page = open_list(visit(size=DESK).open("/markets/?sort=market"))
    order = names(page)
    page.keyboard.press("/")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus")).to_have_text(order[1])
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/trade/{order[0]}/")


def test_it_follows_prices_without_moving_anything(visit: Visit, web_process: object) -> None:
    from markets.commands import Observation, ObservePrice
    from markets.gateway import gateway
    from markets.selectors import market_by_symbol

    visitor = visit(size=DESK)
    page = open_list(visitor.open("/markets/"))
    page.evaluate(
        "() => { window.shift = 0; new PerformanceObserver((list) => { for (const e of list.getEntries()) window.shift += e.value; })"
        ".observe({type: 'layout-shift', buffered: true}); }"
    )
    market, row = market_by_symbol("BTC-PERP"), page.locator("tr[data-market=BTC-PERP]")
    now_ms = page.evaluate("Date.now()")
    prices = tuple(Observation(market.market_id, source, 60_123 * 10**8, 0, now_ms) for source in ("simulation", "simulation_2"))
    gateway().submit(ObservePrice(observations=prices))
    expect(row.locator("[data-cell=last_price]")).to_have_text("60,123.0")
    assert page.evaluate("window.shift") == 0
