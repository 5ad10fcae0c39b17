"""The engine is killed while two people have orders and positions: the pages find everything again by themselves."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.test_orders import open_desk, place
from tests.support.engine import EngineProcesses
from tests.support.people import Person

pytestmark = pytest.mark.browser


def test_it_shows_the_same_state_after_the_engine_was_killed(
    visit: Visit, alice: Person, bob: Person, engine_process: EngineProcesses
) -> None:
    alices, bobs = open_desk(visit(alice)), open_desk(visit(bob))
    place(alices, side="sell", size="0.5", price="60010")
    expect(alices.locator("[data-count=orders]")).to_have_text("1")
    place(bobs, side="buy", size="0.2")
    expect(bobs.locator("#position-BTC-PERP")).to_contain_text("Long")
    expect(alices.locator("#orders-body")).to_contain_text("0.2000 /")
    equity = bobs.locator("#equity b").inner_text()

    engine_process.kill()
    expect(bobs.locator("body")).not_to_have_attribute("data-feed", "live", timeout=60_000)
    engine_process.start()
    expect(bobs.locator("body")).to_have_attribute("data-feed", "live", timeout=60_000)
    expect(alices.locator("body")).to_have_attribute("data-feed", "live", timeout=60_000)

    bobs.reload()
    expect(bobs.locator("#position-BTC-PERP")).to_contain_text("0.2000")
    expect(bobs.locator("#equity b")).to_have_text(equity)
    expect(alices.locator("#orders-body")).to_contain_text("0.2000 /")
    place(bobs, side="buy", size="0.1")
    expect(bobs.locator("#position-BTC-PERP")).to_contain_text("0.3000")
    expect(alices.locator("#position-BTC-PERP")).to_contain_text("0.3000")
