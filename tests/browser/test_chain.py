"""The chain's pages in a real browser: they follow blocks by themselves, read well on every screen, and keep the policy."""

from typing import Any

import pytest
from playwright.sync_api import expect

from chain.prices import observe
from tests.browser.conftest import DESK, PHONE, Visit
from tests.chain.custody.desks import CustodyDesk, custody_desk
from tests.support.web import WebProcess, WebProcesses

pytestmark = pytest.mark.browser
__all__ = ["custody_desk"]

SCREENS = ((DESK, "dark"), (DESK, "light"), (PHONE, "dark"), (PHONE, "light"))
SOON_MS = 60_000


@pytest.fixture
def web_process(custody_desk: CustodyDesk, web_processes: WebProcesses, settings: Any) -> WebProcess:
    return web_processes.start(CHAIN_DIR=str(settings.CHAIN_DIR))


def test_it_shows_strangers_the_exchange_and_follows_it(visit: Visit, custody_desk: CustodyDesk) -> None:
    for size, theme in SCREENS:
        visitor = visit(size=size, theme=theme)
        page = visitor.open("/chain/")
        expect(page.get_by_role("heading", name="Chain", exact=True)).to_be_visible()
        assert visitor.axe() == []
        assert not visitor.overflows()
    slot = page.locator("#exchange-title + span")
    before = slot.inner_text()
    custody_desk.localnet.advance(5)
    expect(slot).not_to_have_text(before, timeout=SOON_MS)


def test_it_waits_with_whoever_sent_a_transaction(visit: Visit, custody_desk: CustodyDesk) -> None:
    localnet, chain = custody_desk.localnet, custody_desk.chain
    signed = localnet.signed(localnet.rich(), observe(chain, 1))
    visitor = visit()
    page = visitor.open(f"/chain/tx/{signed.signatures[0]}/")
    expect(page.get_by_role("heading", name="Not on this chain")).to_be_visible()
    localnet.client.send_raw_transaction(bytes(signed))
    localnet.advance()
    expect(page.locator("#outcome-title + span")).to_have_text("Confirmed, not final yet", timeout=SOON_MS)
    localnet.finalize()
    expect(page.locator("#outcome-title + span")).to_have_text("Finalized", timeout=SOON_MS)

    for size, theme in SCREENS:
        visitor = visit(size=size, theme=theme)
        page = visitor.open(f"/chain/tx/{signed.signatures[0]}/")
        for summary in page.locator("summary").all():
            if summary.is_visible():
                summary.click()
        expect(page.get_by_text("Instruction: ObserveMarket")).to_be_visible()
        page.keyboard.press("Escape")
        assert visitor.axe() == []
        assert not visitor.overflows()
