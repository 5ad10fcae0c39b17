"""The trade page's modules against a small exchange: what they show, and what they let a person do."""

import json
import re
from binascii import crc32
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser_js.desk import PAGES, Desk

pytestmark = pytest.mark.browser

STATE = json.loads((PAGES / "trade.html").read_text().split('id="page-state">')[1].split("</script>")[0])
CANDLES = "/api/v1/markets/BTC-PERP/candles/"
HOUR_MS = 3_600_000
NOW_MS = 1_795_365_719_000
BIDS = [[642038, 156], [642034, 716], [642032, 1886], [642029, 1132]]
ASKS = [[642042, 537], [642043, 154], [642048, 149], [642050, 323]]
TICKER = {
    "market": "BTC-PERP",
    "status": "normal",
    "mark_price": "64202.6",
    "index_price": "64206.01000000",
    "oracle_state": "valid",
    "price_source": "simulated",
    "last_price": "64203.9",
    "change_24h": "0.023100",
    "volume_24h": "6513.250",
    "quote_volume_24h": "418200000.000000",
    "open_interest": "1501.500",
    "funding_rate": "-0.000011000",
    "next_funding_ms": NOW_MS + HOUR_MS,
}


def checksum(bids: list[list[int]], asks: list[list[int]]) -> int:
    return crc32(":".join(f"{price}:{size}" for price, size in asks + bids).encode())


def trade(number: int, price: str, size: str, side: str, time_ms: int = NOW_MS) -> dict[str, Any]:
    return {"trade_id": str(number), "price": price, "size": size, "side": side, "kind": "trade", "time_ms": time_ms}


def candle(index: int) -> dict[str, Any]:
    price = 64_000 + 3 * index
    figures = {"open": price, "high": price + 20, "low": price - 20, "close": price + 5, "volume": 3, "quote_volume": 3 * price}
    return {"opened_ms": NOW_MS - (NOW_MS % 60_000) - (99 - index) * 60_000, "trades": 4} | {k: str(v) for k, v in figures.items()}


@pytest.fixture
def trade_page(desk: Desk, page: Page) -> Iterator[Page]:
    desk.snapshots |= {
        "book": {"seq": 10, "bids": BIDS, "asks": ASKS, "checksum": checksum(BIDS, ASKS)},
        "trades": {"seq": 10, "trades": [trade(1, "64204.2", "0.010", "buy"), trade(2, "64203.9", "0.567", "sell")]},
        "ticker": {"seq": 10, "ticker": TICKER},
        "account": STATE["account"] | {"seq": 3},
    }
    desk.answers |= {
        CANDLES: lambda query: {"results": [candle(index) for index in range(100)]},
        "/api/v1/fills/": lambda query: {"results": []},
    }
    page.goto("/trade.html")
    expect(page.locator("body")).to_have_attribute("data-feed", "live")
    yield page


def texts(page: Page, selector: str) -> list[list[str]]:
    return [row.locator("td").all_inner_texts() for row in page.locator(f"{selector} tr").all()]


def push_book(desk: Desk, seq: int, **changed: Any) -> None:
    message = {"channel": "book", "market": "BTC-PERP", "type": "delta", "seq": seq, "prev_seq": seq - 1, "bids": [], "asks": []}
    desk.push(message | changed)


def push_account(desk: Desk, seq: int, **changed: Any) -> None:
    margin = {"equity": "10000.000000", "unrealised_pnl": "0.000000"}
    body = {"margin": margin, "orders": [], "fills": [], "positions": [], "notices": []} | changed
    desk.push({"channel": "account", "account_id": 7, "type": "update", "seq": seq, "prev_seq": seq - 1} | body)


def test_it_paints_the_book_with_totals_own_levels_and_spread(trade_page: Page) -> None:
    expect(trade_page.locator("#book-bids tr").first).to_have_text("64,203.80.1560.156")
    assert texts(trade_page, "#book-bids")[2] == ["64,203.2", "1.886", "2.758"]
    assert texts(trade_page, "#book-asks")[2] == ["64,204.2", "0.537", "0.537"]
    assert texts(trade_page, "#book-asks")[0] == ["64,204.8", "0.149", "0.840"]
    expect(trade_page.locator("[data-book-spread]")).to_have_text("Spread 0.4 · 0.06 bp")
    expect(trade_page.locator("[data-book-last]")).to_have_text("64,203.9")


def test_it_applies_deltas_and_marks_own_prices(desk: Desk, trade_page: Page) -> None:
    push_book(desk, 11, bids=[[642038, 0], [642030, 100]], asks=[[642040, 5]])
    expect(trade_page.locator("#book-bids tr").first).to_have_text("64,203.40.7160.716")
    expect(trade_page.locator("#book-bids tr.own td").first).to_have_text("64,203.0")
    expect(trade_page.locator("#book-asks tr").last).to_have_attribute("data-ticks", "642040")


def test_it_groups_prices_away_from_the_spread(trade_page: Page) -> None:
    trade_page.click("[data-group='10']")
    expect(trade_page.locator("#book-bids tr").first).to_have_text("64,203.02.7582.758")
    assert texts(trade_page, "#book-bids")[1] == ["64,202.0", "1.132", "3.890"]
    assert texts(trade_page, "#book-asks")[2] == ["64,205.0", "1.163", "1.163"]
    expect(trade_page.locator("[data-group='10']")).to_have_attribute("aria-pressed", "true")


def test_it_asks_for_the_book_again_when_checksums_differ(desk: Desk, trade_page: Page) -> None:
    bids = [[642038, 1]]
    desk.snapshots["book"] = {"seq": 30, "bids": bids, "asks": ASKS, "checksum": checksum(bids, ASKS)}
    for seq in range(11, 21):
        push_book(desk, seq, checksum=1)
    desk.wait_heard(op="resync", channel="book")
    expect(trade_page.locator("#book-bids tr").first).to_have_text("64,203.80.0010.001")
    assert len(desk.asked(op="resync")) == 1


def test_it_closes_the_book_while_the_connection_is_lost(desk: Desk, trade_page: Page) -> None:
    trade_page.fill("[name=size]", "0.5")
    trade_page.check("[name=type][value=market]")
    expect(trade_page.locator("#ticket-submit")).to_be_enabled()
    desk.snapshots.pop("book")
    desk.hang_up()
    expect(trade_page.locator("#book-bids")).to_have_js_property("inert", True)
    expect(trade_page.locator("#ticket-reason")).to_have_text("Prices are stale: market orders wait for the connection")
    expect(trade_page.locator("#ticket-submit")).to_be_disabled()
    trade_page.check("[name=type][value=limit]")
    expect(trade_page.locator("#ticket-submit")).to_be_enabled()


def test_it_shows_trades_newest_first_and_merges_those_of_one_moment(desk: Desk, trade_page: Page) -> None:
    same = [trade(3, "64205.2", "0.100", "buy", NOW_MS + 1), trade(4, "64205.2", "0.467", "buy", NOW_MS + 1)]
    desk.push({"channel": "trades", "market": "BTC-PERP", "type": "update", "seq": 11, "prev_seq": 10, "trades": same})
    expect(trade_page.locator("#tape-rows tr").first).to_have_text("64,205.20.56717:41:59")
    expect(trade_page.locator("#tape-rows tr")).to_have_count(3)
    expect(trade_page.locator("#tape-rows tr").first).to_have_class("up")
    expect(trade_page.locator("#tape-rows time").first).to_have_attribute("title", "2026-11-22 16:41:59.001 UTC")
    expect(trade_page.locator("[data-stat=last_price]")).to_have_text("64,205.2")
    expect(trade_page.locator("[data-stat=last_price]")).to_have_class(re.compile(r"\bup\b"))
    expect(trade_page).to_have_title("64,205.2 BTC-PERP · QuantDesk")


def test_it_keeps_fifty_trades(desk: Desk, trade_page: Page) -> None:
    many = [trade(number, f"{64_000 + number}.0", "0.001", "sell", NOW_MS + number) for number in range(120)]
    desk.push({"channel": "trades", "market": "BTC-PERP", "type": "update", "seq": 11, "prev_seq": 10, "trades": many})
    expect(trade_page.locator("#tape-rows tr").first).to_contain_text("64,119.0")
    expect(trade_page.locator("#tape-rows tr")).to_have_count(50)


def test_it_shows_the_market_in_words_and_signs(trade_page: Page) -> None:
    shown = {
        "mark_price": "64,202.6",
        "index_price": "64,206.0",
        "change_24h": "+2.31%",
        "quote_volume_24h": "$418.2M",
        "open_interest": "$96.4M",
        "funding_rate": "−0.0011%",
        "oracle_state": "Valid",
    }
    for name, text in shown.items():
        expect(trade_page.locator(f"[data-stat={name}]")).to_have_text(text)
    expect(trade_page.locator("[data-stat=funding_rate]")).to_have_class("down")


def test_it_says_what_a_market_does_not_take_for_as_long_as_it_lasts(desk: Desk, trade_page: Page) -> None:
    notice = trade_page.locator(".market-notice")
    ticker = {"channel": "ticker", "market": "BTC-PERP", "type": "update", "seq": 11, "prev_seq": 10}
    desk.push(ticker | {"ticker": TICKER | {"status": "cancel_only"}})
    expect(notice).to_have_text("This market takes cancellations only for now.")
    desk.push(ticker | {"seq": 12, "ticker": TICKER})
    expect(notice).to_have_count(0)


def test_it_puts_a_clicked_price_into_the_ticket(trade_page: Page) -> None:
    trade_page.check("[name=type][value=market]")
    trade_page.click("#book-asks tr >> nth=1")
    expect(trade_page.locator("[name=price]")).to_have_value("64204.3")
    expect(trade_page.locator("[name=type][value=limit]")).to_be_checked()


def test_it_labels_the_button_and_values_the_order_exactly(trade_page: Page) -> None:
    expect(trade_page.locator("#ticket-reason")).to_have_text("Enter a size")
    expect(trade_page.locator("#ticket-submit")).to_be_disabled()
    trade_page.click("[data-best-price]")
    trade_page.fill("[name=size]", "0.85")
    expect(trade_page.locator("#ticket-submit")).to_have_text("Buy 0.850 BTC")
    expect(trade_page.locator("[data-receipt=order_value]")).to_have_text("$54,573.23")
    trade_page.check("[name=side][value=sell]")
    expect(trade_page.locator("#ticket-submit")).to_have_text("Sell 0.850 BTC")


@pytest.mark.parametrize(
    ("size", "unit", "reason"),
    [
        ("0.8504", "base", "Size must be a multiple of 0.001 BTC: try 0.850"),
        ("0.0001", "base", "Size must be a multiple of 0.001 BTC: try 0.001"),
        ("half", "base", "Enter a size"),
        ("1,5", "base", "Enter the size as a number, such as 0.5"),
        ("0", "base", "Enter a size"),
        ("5", "quote", "This buys less than one lot"),
    ],
)
def test_it_says_beside_the_button_why_a_size_cannot_be_sent(trade_page: Page, size: str, unit: str, reason: str) -> None:
    trade_page.fill("[name=price]", "64000")
    trade_page.select_option("[name=size_unit]", unit)
    trade_page.fill("[name=size]", size)
    expect(trade_page.locator("#ticket-reason")).to_have_text(reason)
    expect(trade_page.locator("#ticket-submit")).to_have_text("Buy")
    expect(trade_page.locator("#ticket-submit")).to_be_disabled()


def test_it_turns_dollars_into_lots_and_the_slider_into_a_size(trade_page: Page) -> None:
    trade_page.fill("[name=price]", "64,000")
    trade_page.select_option("[name=size_unit]", "quote")
    trade_page.fill("[name=size]", "32k")
    expect(trade_page.locator("#ticket-submit")).to_have_text("Buy 0.500 BTC")
    expect(trade_page.locator("[data-size-slider]")).to_have_value("25")
    expect(trade_page.locator("[data-size-slider]")).to_have_attribute("style", "--value: 25;")
    trade_page.select_option("[name=size_unit]", "base")
    trade_page.locator("[data-size-slider]").fill("50")
    expect(trade_page.locator("[name=size]")).to_have_value("1.000")
    expect(trade_page.locator("#ticket-submit")).to_have_text("Buy 1.000 BTC")


def test_it_pulls_the_slider_on_an_estimate_until_the_server_knows_better(trade_page: Page) -> None:
    trade_page.evaluate("document.getElementById('receipt-figures').dataset.maxSizeLots = '0'")
    trade_page.fill("[name=price]", "50000")
    trade_page.locator("[data-size-slider]").fill("50")
    expect(trade_page.locator("[name=size]")).to_have_value("0.496")
    trade_page.check("[name=side][value=sell]")
    trade_page.locator("[data-size-slider]").fill("100")
    expect(trade_page.locator("[name=size]")).to_have_value("1.842")
    trade_page.evaluate("""() => {
        document.getElementById("receipt-figures").dataset.maxSizeLots = "1800";
        const detail = { ctx: { sourceElement: { id: "receipt" } } };
        document.dispatchEvent(new CustomEvent("htmx:after:swap", { detail }));
    }""")
    expect(trade_page.locator("[name=size]")).to_have_value("1.800")


def test_it_fills_the_ticket_to_close_a_position(trade_page: Page) -> None:
    trade_page.check("[name=type][value=market]")
    trade_page.select_option("[name=size_unit]", "quote")
    trade_page.click("[data-reduce]")
    expect(trade_page.locator("#ticket-submit")).to_have_text("Sell 0.850 BTC")
    expect(trade_page.locator("[name=price]")).to_have_value("64204.2")
    expect(trade_page.locator("[name=type][value=limit]")).to_be_checked()
    expect(trade_page.locator("[name=reduce_only]")).to_be_checked()
    trade_page.click("[data-reduce]")
    expect(trade_page.locator("[name=reduce_only]")).to_be_checked()


PREVIEWED = """([code, reason]) => {
    Object.assign(document.getElementById("receipt-figures").dataset, { rejectCode: code, reason });
    const detail = { ctx: { sourceElement: { id: "receipt" } } };
    document.dispatchEvent(new CustomEvent("htmx:after:swap", { detail }));
}"""


def test_it_says_what_the_preview_found_and_asks_again_by_itself(trade_page: Page) -> None:
    submit, reason = trade_page.locator("#ticket-submit"), trade_page.locator("#ticket-reason")
    trade_page.evaluate("document.body.addEventListener('ticket:fresh', () => { document.body.dataset.asked = 'yes'; })")
    trade_page.fill("[name=size]", "1")
    trade_page.evaluate(PREVIEWED, ["INSUFFICIENT_MARGIN", "Not enough margin"])
    expect(reason).to_have_text("Not enough margin")
    expect(submit).to_be_disabled()
    expect(trade_page.locator("body")).to_have_attribute("data-asked", "yes")
    trade_page.evaluate(PREVIEWED, ["PRICE_STALE", "There is no fresh oracle price"])
    expect(reason).to_have_text("There is no fresh oracle price")
    expect(submit).to_be_enabled()
    trade_page.evaluate("document.querySelector('[data-stat=oracle_state]').dataset.oracle = 'halted'")
    trade_page.evaluate(PREVIEWED, ["PRICE_STALE", "The price is stale"])
    expect(submit).to_be_disabled()
    expect(reason).to_contain_text("The price is halted")
    trade_page.evaluate("document.querySelector('[data-stat=oracle_state]').dataset.oracle = 'valid'")
    trade_page.fill("[name=size]", "2")
    expect(reason).to_be_empty()


def test_it_marks_positions_to_market(desk: Desk, trade_page: Page) -> None:
    expect(trade_page.locator("[data-cell=unrealised_pnl]")).to_have_text("+$206.30")
    expect(trade_page.locator("[data-cell=roe]")).to_have_text("+7.6%")
    expect(trade_page.locator("[data-account=equity]")).to_have_text("$10,206.30")
    moved = TICKER | {"mark_price": "63859.9"}
    desk.push({"channel": "ticker", "market": "BTC-PERP", "type": "update", "seq": 11, "prev_seq": 10, "ticker": moved})
    expect(trade_page.locator("[data-cell=unrealised_pnl]")).to_have_text("−$85.00")
    expect(trade_page.locator("[data-cell=unrealised_pnl]")).to_have_class("down")
    expect(trade_page.locator("[data-cell=notional]")).to_have_text("$54,280.92")


def test_it_tells_of_fills_once_per_order_and_asks_for_fresh_tables(desk: Desk, trade_page: Page) -> None:
    trade_page.evaluate("""() => {
        window.changes = 0;
        document.body.addEventListener("account:changed", () => { window.changes += 1; });
    }""")
    fill = {"order_id": "5", "market": "BTC-PERP", "side": "buy", "size": "0.100", "price": "64203.8", "time_ms": NOW_MS}
    order = STATE["account"]["orders"][0] | {"filled": "0.300", "average_price": "64204.06700"}
    push_account(desk, 4, fills=[fill, fill | {"size": "0.200", "price": "64204.2"}], orders=[order])
    expect(trade_page.locator("#toasts [data-toast]")).to_have_text(re.compile(r"Bought 0\.300 of 0\.500 BTC-PERP\s*at 64,204\.06700"))
    assert trade_page.evaluate("window.changes") == 1
    trade_page.click("[data-dismiss]")
    expect(trade_page.locator("[data-toast]")).to_have_count(0)


def test_it_lets_a_form_have_its_answer_before_the_tables_are_drawn_anew(desk: Desk, trade_page: Page) -> None:
    trade_page.evaluate("""() => {
        window.changes = 0;
        document.body.addEventListener("account:changed", () => { window.changes += 1; });
        window.tell = (name, from) => from.dispatchEvent(new CustomEvent(name, { bubbles: true, detail: { ctx: window } }));
        window.tell("htmx:before:request", document.getElementById("ticket"));
    }""")
    order = STATE["account"]["orders"][0] | {"filled": "0.300", "average_price": "64204.06700"}
    push_account(desk, 4, fills=[{"order_id": "5", "market": "ETH-PERP"}], orders=[order])
    expect(trade_page.locator("#toasts [data-toast]")).to_have_count(1)
    assert trade_page.evaluate("window.changes") == 0
    trade_page.evaluate("window.tell('htmx:finally:request', document)")
    assert trade_page.evaluate("window.changes") == 1


def test_it_draws_candles_and_follows_them(desk: Desk, trade_page: Page) -> None:
    mount = trade_page.locator("[data-chart-canvas]")
    expect(mount).to_have_attribute("aria-label", "BTC-PERP candles of 1m, last price 64,302.0")
    expect(trade_page.locator("[data-chart-skeleton]")).to_be_hidden()
    latest = candle(99) | {"close": "64203.9"}
    desk.push({"channel": "candles", "market": "BTC-PERP", "interval": "1m", "type": "update", "seq": 1, "prev_seq": 0, "candle": latest})
    expect(mount).to_have_attribute("aria-label", "BTC-PERP candles of 1m, last price 64,203.9")
    assert trade_page.locator("[data-chart-canvas] [tabindex]").count() == 0


def test_it_asks_for_the_candles_that_it_missed(desk: Desk, trade_page: Page) -> None:
    mount = trade_page.locator("[data-chart-canvas]")
    expect(mount).to_have_attribute("aria-label", re.compile("64,302.0"))
    assert len(desk.asked(path=CANDLES)) == 1
    desk.answers[CANDLES] = lambda query: {"results": [candle(index) for index in range(103)]}
    desk.hang_up()
    desk.wait_heard(path=CANDLES, count=2)
    expect(mount).to_have_attribute("aria-label", re.compile("64,311.0"))


def test_it_changes_period_and_indicators_and_remembers_them(desk: Desk, trade_page: Page) -> None:
    trade_page.click("[data-period='15m']")
    trade_page.check("[data-indicator=RSI]")
    trade_page.check("[data-indicator=VWAP]")
    desk.wait_heard(path=CANDLES, interval="15m")
    desk.wait_heard(op="unsubscribe", channel="candles", interval="1m")
    trade_page.reload()
    expect(trade_page.locator("[data-period='15m']")).to_have_attribute("aria-pressed", "true")
    expect(trade_page.locator("[data-indicator=RSI]")).to_be_checked()
    desk.wait_heard(op="subscribe", channel="candles", interval="15m", count=2)


def test_it_draws_depth_and_reads_it_at_the_pointer(trade_page: Page) -> None:
    trade_page.click("[data-chart-view=depth]")
    depth = trade_page.locator("[data-depth-canvas]")
    expect(depth.locator("path").first).to_have_attribute("d", re.compile(r"^M\d+ \d+V\d+H"))
    depth.hover(position={"x": 2, "y": 200})
    expect(depth.locator("text").last).to_have_text("Bids to 64,202.9: 3.890 BTC")
    expect(trade_page.locator("[data-chart-canvas]")).to_be_hidden()
    trade_page.click("[data-chart-view=price]")
    expect(trade_page.locator("[data-chart-canvas]")).to_be_visible()


LINE_AT = """(value) => {
    const mount = document.querySelector("[data-chart-canvas]");
    const box = mount.getBoundingClientRect();
    const { y } = klinecharts.init(mount).convertToPixel({ value }, { paneId: "candle_pane", absolute: true });
    return { x: box.x + 300, y: box.y + y };
}"""


def drawn(page: Page) -> int:
    return page.evaluate("JSON.parse(localStorage.getItem('qd.drawings') ?? '{}')['BTC-PERP']?.length ?? 0")  # type: ignore[no-any-return]


def test_it_keeps_what_is_drawn_until_it_is_deleted(trade_page: Page) -> None:
    chart, menu = trade_page.locator("[data-chart-canvas]"), trade_page.locator("#draw-menu")
    for kept in (0, 1):
        expect(chart).to_have_attribute("aria-label", re.compile("last price"))
        menu.locator("summary").click()
        menu.get_by_text("Horizontal line").click()
        expect(menu).not_to_have_attribute("open", re.compile(".*"))
        at = trade_page.evaluate(LINE_AT, 64_150 + 20 * kept)
        trade_page.mouse.move(at["x"], at["y"])
        trade_page.mouse.click(at["x"], at["y"])
        assert drawn(trade_page) == kept + 1
        if not kept:
            trade_page.reload()
    trade_page.keyboard.press("Delete")
    assert drawn(trade_page) == 1, "the last one drawn is the one that is selected"
    menu.locator("summary").click()
    menu.get_by_text("Clear").click()
    assert drawn(trade_page) == 0


def test_it_amends_an_order_whose_line_is_dragged(desk: Desk, trade_page: Page) -> None:
    desk.answers["/api/v1/orders/5/"] = lambda query: {}
    expect(trade_page.locator("[data-chart-canvas]")).to_have_attribute("aria-label", re.compile("last price"))
    start, end = trade_page.evaluate(LINE_AT, 64_203), trade_page.evaluate(LINE_AT, 64_100)
    trade_page.mouse.move(start["x"], start["y"])
    trade_page.mouse.down()
    trade_page.mouse.move(end["x"], (start["y"] + end["y"]) / 2)
    trade_page.mouse.move(end["x"], end["y"])
    trade_page.mouse.up()
    asked = desk.wait_heard(path="/api/v1/orders/5/", method="PATCH")
    assert asked["body"].keys() == {"price"}
    assert abs(float(asked["body"]["price"]) - 64_100) < 2
    expect(trade_page.locator("#toasts")).to_contain_text("Order moved")


CLOSE_AT = """(label) => {
    const width = klinecharts.utils.calcTextWidth(label, 11, 500, "Inter, system-ui, sans-serif");
    return document.querySelector("[data-chart-canvas]").getBoundingClientRect().x + 8 + width + 8 + 7;
}"""


def test_it_cancels_an_order_whose_tag_is_closed(desk: Desk, trade_page: Page) -> None:
    desk.answers["/api/v1/orders/5/"] = lambda query: {}
    expect(trade_page.locator("[data-chart-canvas]")).to_have_attribute("aria-label", re.compile("last price"))
    trade_page.mouse.click(trade_page.evaluate(CLOSE_AT, "Buy · 0.300"), trade_page.evaluate(LINE_AT, 64_203)["y"])
    desk.wait_heard(path="/api/v1/orders/5/", method="DELETE")
    expect(trade_page.locator("#toasts")).to_contain_text("Order cancelled")
    assert desk.asked(method="PATCH") == []


def test_it_moves_the_ticket_into_a_sheet_on_a_phone(trade_page: Page) -> None:
    trade_page.set_viewport_size({"width": 390, "height": 844})
    trade_page.click("[data-open-ticket=sell]")
    expect(trade_page.locator("#ticket-sheet #ticket")).to_be_visible()
    expect(trade_page.locator("[name=side][value=sell]")).to_be_checked()
    trade_page.keyboard.press("Escape")
    expect(trade_page.locator("#ticket-home #ticket")).to_be_visible()


def test_it_obeys_keys_only_while_nobody_types(trade_page: Page) -> None:
    trade_page.locator("body").press("s")
    expect(trade_page.locator("[name=side][value=sell]")).to_be_checked()
    trade_page.locator("body").press("m")
    expect(trade_page.locator("[name=type][value=market]")).to_be_checked()
    trade_page.locator("[name=price]").press("b")
    expect(trade_page.locator("[name=side][value=sell]")).to_be_checked()
    limit = trade_page.locator("[name=type][value=limit]")
    trade_page.fill("[name=price]", "64000")
    limit.check()
    limit.press("2")
    expect(trade_page.locator("[name=size]")).to_have_value("1.000")
    trade_page.click("[data-share='75']")
    expect(trade_page.locator("[name=size]")).to_have_value("1.500")
    limit.press("x")
    expect(trade_page.locator("#confirm-dialog")).to_contain_text("Cancel all open orders")
