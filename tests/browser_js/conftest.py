"""A real Chromium over a small local exchange. Every page must leave no error and no policy violation behind."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.browser_js.desk import Desk

NAMES = ("chromium", "chromium-browser", "google-chrome")
expect.set_options(timeout=30_000)  # a busy machine is slow, not wrong


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--disable-dev-shm-usage"])
        yield chromium
        chromium.close()


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    desk.start()
    yield desk
    desk.stop()


@pytest.fixture
def page(browser: Browser, desk: Desk) -> Iterator[Page]:
    """A page whose console must stay free of errors, a lost connection apart."""
    context = browser.new_context(base_url=desk.url, timezone_id="Europe/Berlin", locale="de-DE")
    page = context.new_page()
    faults: list[str] = []

    def read(message: ConsoleMessage) -> None:
        if message.type == "error" and "WebSocket connection" not in message.text:
            faults.append(message.text)

    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", read)
    yield page
    context.close()
    assert faults == []
