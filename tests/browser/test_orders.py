"""Orders by hand: two people meet in the book, by mouse and by keyboard, and the page tells each what happened."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Visit, Visitor
from tests.support.people import Person

pytestmark = pytest.mark.browser

PATH = "/trade/BTC-PERP/"


def open_desk(visitor: Visitor) -> Page:
    page = visitor.open(PATH)
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    return page


def fill_ticket(page: Page, *, side: str, size: str, price: str = "") -> None:
    ticket = page.locator("#ticket")
    ticket.locator(f"input[name=side][value={side}]").check(force=True)
    ticket.locator(f"input[name=type][value={'limit' if price else 'market'}]").check(force=True)
    if price:
        ticket.get_by_label("Price", exact=True).fill(price)
    ticket.get_by_label("Size", exact=True).fill(size)


def place(page: Page, *, side: str, size: str, price: str = "") -> None:
    """Send the ticket and wait for its answer, which brings the next ticket's id."""
    fill_ticket(page, side=side, size=size, price=price)
    order_id = page.locator("#ticket input[name=client_order_id]")
    sent = order_id.input_value()
    page.locator("#ticket-submit").click()
    expect(order_id).not_to_have_value(sent)


def test_it_lets_two_people_trade_and_shows_both_the_outcome(visit: Visit, alice: Person, bob: Person) -> None:
    alices, bobs = open_desk(visit(alice)), open_desk(visit(bob))
    place(alices, side="sell", size="0.5", price="60010")
    expect(alices.locator("#orders-body")).to_contain_text("60,010.0")
    expect(alices.locator("[data-count=orders]")).to_have_text("1")
    expect(bobs.locator("#book-asks")).to_contain_text("60,010.0")

    place(bobs, side="buy", size="0.2")
    expect(bobs.locator("#toasts")).to_contain_text("Bought 0.2000 BTC")
    expect(bobs.locator("#position-BTC-PERP")).to_contain_text("Long")
    expect(alices.locator("#position-BTC-PERP")).to_contain_text("Short")
    expect(alices.locator("#position-BTC-PERP [data-cell=unrealised_pnl]")).to_contain_text("$")
    expect(alices.locator("#position-BTC-PERP")).to_contain_text("0.2000")
    expect(bobs.locator("#tape-rows tr").first).to_contain_text("60,010.0")
    expect(bobs.locator("#equity")).not_to_have_text("$10,000.00")

    bobs.get_by_role("tab", name="Fills").click()
    expect(bobs.locator("#panel-fills tbody tr").first).to_contain_text("Taker")
    alices.get_by_role("tab", name="Fills").click()
    expect(alices.locator("#panel-fills tbody tr").first).to_contain_text("Maker")
    alices.get_by_role("tab", name="Balances").click()
    expect(alices.locator("#balance-USDC")).not_to_contain_text("10,000.000000")


def test_it_closes_and_reverses_positions_and_cancels_orders(visit: Visit, alice: Person, bob: Person) -> None:
    alices, bobs = open_desk(visit(alice)), open_desk(visit(bob))
    place(alices, side="sell", size="1", price="60010")
    place(alices, side="buy", size="1", price="59990")
    expect(alices.locator("[data-count=orders]")).to_have_text("2")
    place(bobs, side="buy", size="0.1")
    row = bobs.locator("#position-BTC-PERP")
    expect(row).to_contain_text("Long")

    row.get_by_role("button", name="Reverse").click()
    bobs.locator("#confirm-dialog").get_by_role("button", name="Reverse position").click()
    expect(row).to_contain_text("Short")
    row.get_by_role("button", name="Close").click()
    bobs.locator("#confirm-dialog").get_by_role("button", name="Close position").click()
    expect(row).to_have_count(0)
    expect(bobs.locator("#positions-body")).to_contain_text("No open positions")

    alices.get_by_role("tab", name="Orders").click()
    alices.locator("#orders-body tr").first.get_by_role("button", name="Cancel").click()
    expect(alices.locator("[data-count=orders]")).to_have_text("1")
    expect(alices.locator("#toasts")).to_contain_text("Order cancelled")
    alices.get_by_role("button", name="Cancel all").click()
    alices.locator("#confirm-dialog").get_by_role("button", name="Cancel all").click()
    expect(alices.locator("#orders-body")).to_contain_text("No open orders")


def test_it_amends_an_order_in_a_dialog(visit: Visit, alice: Person) -> None:
    page = open_desk(visit(alice))
    place(page, side="buy", size="0.3", price="59000")
    page.get_by_role("tab", name="Orders").click()
    page.locator("#orders-body").get_by_role("button", name="Amend").click()
    dialog = page.locator("#amend-dialog")
    dialog.get_by_label("Price", exact=True).fill("59000.03")
    dialog.get_by_role("button", name="Amend order").click()
    expect(dialog.locator("#amend-price-error")).to_contain_text("try 59000")
    dialog.get_by_label("Price", exact=True).fill("59100")
    dialog.get_by_role("button", name="Amend order").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#orders-body")).to_contain_text("59,100.0")


def test_it_says_what_is_wrong_beside_the_field_and_keeps_what_was_typed(visit: Visit, alice: Person) -> None:
    visitor = visit(alice)
    page = open_desk(visitor)
    place(page, side="buy", size="0.1", price="60000.05")
    expect(page.locator("#ticket-price-error")).to_contain_text("try 60000.1")
    expect(page.get_by_label("Price", exact=True)).to_have_value("60000.05")
    expect(page.get_by_label("Price", exact=True)).to_have_attribute("aria-invalid", "true")
    assert visitor.axe() == []
    place(page, side="buy", size="0.1", price="60000")
    expect(page.locator("#ticket-price-error")).to_be_hidden()
    expect(page.locator("#toasts")).to_contain_text("Order placed")
    expect(page.get_by_label("Size", exact=True)).to_have_value("")


def test_it_says_what_an_order_does_before_it_is_sent(visit: Visit, alice: Person) -> None:
    page = open_desk(visit(alice))
    fill_ticket(page, side="buy", size="0.5", price="60000")
    expect(page.locator("[data-receipt=order_value]")).to_have_text("$30,000.00")
    expect(page.locator("[data-receipt=leverage]")).to_contain_text("0.0×")
    expect(page.locator("[data-receipt=margin]")).to_contain_text("$3,000.00")
    fill_ticket(page, side="buy", size="50", price="60000")
    expect(page.locator("#ticket-reason")).to_contain_text("Not enough margin")
    expect(page.locator("#ticket-submit")).to_be_disabled()


def test_it_takes_an_order_from_the_keyboard_alone(visit: Visit, alice: Person) -> None:
    page = open_desk(visit(alice))
    page.keyboard.press("s")
    page.locator("#ticket input[name=side]:checked").focus()
    for _ in range(20):
        if page.evaluate("document.activeElement.id") == "ticket-price":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type("60500")
    for _ in range(3):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "ticket-size":
            break
    page.keyboard.type("0.1")
    page.keyboard.press("Enter")
    expect(page.locator("#orders-body")).to_contain_text("60,500.0")
    expect(page.locator("#orders-body")).to_contain_text("Sell")


def test_it_places_one_order_for_a_double_press(visit: Visit, alice: Person) -> None:
    page = open_desk(visit(alice))
    fill_ticket(page, side="buy", size="0.1", price="59000")
    page.locator("#ticket-submit").dblclick()
    expect(page.locator("#toasts")).to_contain_text("Order placed")
    page.reload()
    expect(page.locator("[data-count=orders]")).to_have_text("1")


def test_it_sets_the_leverage_of_a_market(visit: Visit, alice: Person) -> None:
    page = open_desk(visit(alice))
    page.locator("#ticket [data-open-dialog=leverage-dialog]").click()
    dialog = page.locator("#leverage-dialog")
    dialog.locator("#leverage-number").fill("500")
    dialog.get_by_role("button", name="Set leverage").click()
    expect(dialog.locator("#leverage-error")).not_to_be_empty()
    dialog.locator("#leverage-number").fill("20")
    dialog.get_by_role("button", name="Set leverage").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#ticket [data-leverage]")).to_have_text("20×")


def test_it_opens_the_ticket_as_a_sheet_on_a_phone(visit: Visit, alice: Person) -> None:
    visitor = visit(alice, size=PHONE)
    page = open_desk(visitor)
    page.get_by_role("link", name="Sell / Short").tap()
    sheet = page.locator("#ticket-sheet")
    expect(sheet).to_be_visible()
    assert visitor.axe() == []
    sheet.get_by_label("Price", exact=True).fill("60400")
    sheet.get_by_label("Size", exact=True).fill("0.1")
    page.locator("#ticket-submit").tap()
    expect(page.locator("#toasts")).to_contain_text("Order placed")
    expect(page.locator("[data-count=orders]")).to_have_text("1")
