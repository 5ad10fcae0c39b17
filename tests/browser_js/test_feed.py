"""The socket's client: gaps, refusals, silence, reconnection."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser_js.desk import Desk

pytestmark = pytest.mark.browser

BOOK = {"seq": 10, "bids": [[100, 5]], "asks": [[101, 7]]}


def delta(seq: int, prev_seq: int) -> dict[str, Any]:
    return {"channel": "book", "market": "BTC-PERP", "type": "delta", "seq": seq, "prev_seq": prev_seq, "bids": [], "asks": []}


@pytest.fixture
def feed(desk: Desk, page: Page) -> Iterator[Page]:
    """A page that follows the book: its state and the numbers that came through are its text."""
    desk.snapshots["book"] = BOOK
    page.goto("/feed.html")
    expect(page.locator("#state")).to_have_text("live")
    yield page


def test_it_hands_on_a_snapshot_and_the_chain_that_follows(desk: Desk, feed: Page) -> None:
    desk.push(delta(11, 10))
    desk.push(delta(15, 11))
    expect(feed.locator("#seqs")).to_have_text("10 11 15")


def test_it_measures_the_round_trip(feed: Page) -> None:
    expect(feed.locator("#rtt")).not_to_be_empty()


def test_it_asks_once_for_a_snapshot_at_a_gap_and_drops_what_comes_before_it(desk: Desk, feed: Page) -> None:
    desk.snapshots.clear()
    desk.push(delta(13, 12))
    desk.wait_heard(op="resync", channel="book")
    expect(feed.locator("#state")).to_have_text("resyncing")
    desk.push(delta(14, 13))
    desk.push(delta(15, 14))
    desk.push({"channel": "book", "market": "BTC-PERP", "type": "snapshot", **BOOK, "seq": 15})
    desk.push(delta(16, 15))
    expect(feed.locator("#seqs")).to_have_text("10 15 16")
    expect(feed.locator("#state")).to_have_text("live")
    assert len(desk.asked(op="resync")) == 1


def test_it_ignores_what_it_has_seen(desk: Desk, feed: Page) -> None:
    desk.push(delta(11, 10))
    desk.push(delta(11, 10))
    desk.push(delta(12, 11))
    expect(feed.locator("#seqs")).to_have_text("10 11 12")
    assert desk.asked(op="resync") == []


def test_it_connects_again_when_the_server_hangs_up(desk: Desk, feed: Page) -> None:
    desk.snapshots["book"] = {**BOOK, "seq": 40}
    desk.hang_up()
    expect(feed.locator("#seqs")).to_have_text("10 40")
    expect(feed.locator("#states")).to_have_text("live offline connecting live")
    assert desk.opened == 2


def test_it_calls_a_silent_server_stale_and_tries_another_socket(desk: Desk, feed: Page) -> None:
    desk.fall_silent()
    expect(feed.locator("#states")).to_have_text("live stale connecting live", timeout=60_000)
    assert desk.opened == 2


FOLLOW_TICKER = "window.feed.subscribe({ channel: 'ticker', market: 'BTC-PERP' }, () => {})"


def test_it_asks_whether_a_quiet_exchange_lives(desk: Desk, feed: Page) -> None:
    desk.snapshots["ticker"] = {"seq": 3, "ticker": {}}
    feed.evaluate(FOLLOW_TICKER)
    desk.wait_heard(op="resync", channel="ticker", count=2)
    expect(feed.locator("#states")).to_have_text("live")


def test_it_is_stale_while_only_pings_are_answered(desk: Desk, feed: Page) -> None:
    feed.evaluate(FOLLOW_TICKER)
    expect(feed.locator("#state")).to_have_text("stale", timeout=60_000)
    desk.push({"channel": "book", "market": "BTC-PERP", "type": "snapshot", **BOOK, "seq": 20})
    expect(feed.locator("#states")).to_have_text("live stale live")
    assert desk.opened == 1


def test_it_stays_live_beside_a_topic_that_is_refused(desk: Desk, feed: Page) -> None:
    desk.refuses.add("account")
    feed.evaluate("window.feed.subscribe({ channel: 'account' }, () => {})")
    expect(feed.locator("#refused")).to_have_text("NOT_AUTHENTICATED")
    expect(feed.locator("#state")).to_have_text("live")


def test_it_reconnects_at_once_when_the_network_is_back(desk: Desk, feed: Page) -> None:
    feed.context.set_offline(True)
    expect(feed.locator("#state")).to_have_text("offline")
    feed.context.set_offline(False)
    expect(feed.locator("#state")).to_have_text("live")


def test_it_shares_one_subscription_and_ends_it_with_the_last_follower(desk: Desk, feed: Page) -> None:
    desk.snapshots["ticker"] = {"seq": 3, "ticker": {"last_price": "64203.9"}}
    feed.evaluate("""() => {
        const follow = () => window.feed.subscribe({ channel: "ticker", market: "BTC-PERP" }, ({ ticker }) => show(ticker));
        const show = ({ last_price: price }) => { document.getElementById("refused").textContent += `${price} `; };
        window.first = follow();
        window.second = follow();
    }""")
    expect(feed.locator("#refused")).to_have_text("64203.9 64203.9")
    feed.evaluate("window.first.cancel()")
    feed.evaluate("window.second.cancel()")
    desk.wait_heard(op="unsubscribe", channel="ticker")
    assert len(desk.asked(op="subscribe", channel="ticker")) == 1
    assert len(desk.asked(op="unsubscribe", channel="ticker")) == 1
