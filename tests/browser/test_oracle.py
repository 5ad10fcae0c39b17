"""The index and its sources, opened from the trade page: live, legible, and within the policy."""

import pytest
from django.core.cache import cache
from playwright.sync_api import expect

from oracle import status
from oracle.feeds.feed import FeedRefused
from oracle.feeds.health import Health
from tests.browser.conftest import DESK, PHONE, Visit
from tests.support.engine import EngineProcesses, engine_process, engine_processes

__all__ = ["engine_process", "engine_processes"]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_it_shows_what_the_index_is_made_of(visit: Visit, engine_process: EngineProcesses, theme: str) -> None:
    visitor = visit(size=DESK, theme=theme)
    page = visitor.open("/trade/BTC-PERP/")
    health = Health("hermes")
    health.failed(FeedRefused(status=401))
    status.tell("hermes", [health.record()])  # it is true for some seconds only
    page.get_by_role("button", name="2 sources").click()
    panel = page.locator("#oracle-dialog")
    expect(panel.get_by_role("row", name="Simulation 1")).to_contain_text("60,000")
    expect(panel.get_by_text("Sources agree.")).to_be_visible()
    expect(panel.get_by_text("FEED_REFUSED")).to_be_visible()
    assert visitor.axe() == []
    engine_process.observe({1: 60_030 * 10**8})
    expect(panel.get_by_role("row", name="Simulation 2")).to_contain_text("60,030")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    cache.delete(status.KEY)


def test_it_opens_on_a_phone_too(visit: Visit) -> None:
    visitor = visit(size=PHONE)
    page = visitor.open("/trade/BTC-PERP/?view=info")
    page.locator(".info").get_by_role("button", name="2 sources").click()
    expect(page.locator("#oracle-dialog").get_by_text("Sources agree.")).to_be_visible()
    expect(page.locator("#oracle-dialog").get_by_text("The oracle process does not run.")).to_be_visible()
    assert not visitor.overflows()
    assert visitor.axe() == []
