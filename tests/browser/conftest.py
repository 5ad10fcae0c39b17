"""A real Chromium on a real web process. Every page that a test opens is watched: a policy violation or an error fails the test."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, expect, sync_playwright

from tests.support.people import Person, alice, bob, charlie
from tests.support.projector import ProjectorProcess, projector_process
from tests.support.web import WebProcess, web_process, web_processes

__all__ = ["alice", "bob", "charlie", "projector_process", "web_process", "web_processes"]

# Playwright's synchronous API keeps a loop in this thread, and Django would refuse to query beside it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WATCH = "document.addEventListener('securitypolicyviolation', (e) => reportFault(`${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}`))"
DESK, PHONE = (1920, 1080), (390, 844)
expect.set_options(timeout=30_000)  # a busy machine is slow, not wrong


class Site(Protocol):
    @property
    def url(self) -> str: ...


class Visitor:
    """One person's browser window on the exchange, or a stranger's."""

    def __init__(self, context: BrowserContext, web: Site) -> None:
        self.faults: list[str] = []
        self._web = web
        context.expose_function("reportFault", self.report)
        context.add_init_script(WATCH)
        self.context = context
        self.page: Page = context.new_page()
        self.page.on("pageerror", self._page_error)
        self.page.on("console", self._console)

    def report(self, fault: str) -> None:
        self.faults.append(fault)

    def url(self, path: str) -> str:
        return self._web.url + path

    def open(self, path: str) -> Page:
        self.page.goto(self.url(path))
        return self.page

    def axe(self) -> list[str]:
        """Return what axe finds on the page as it is, a line each."""
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("(tags) => axe.run(document, {runOnly: tags})", AXE_TAGS)
        return [f"{fault['id']}: {node['target']} {node['failureSummary']}" for fault in found["violations"] for node in fault["nodes"]]

    def overflows(self) -> bool:
        """Tell whether the page scrolls sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))

    def _page_error(self, error: Error) -> None:
        self.faults.append(str(error))

    def _console(self, message: ConsoleMessage) -> None:
        # A refused form answers 4xx on purpose, which Chromium reports; everything else on this level is ours to mend.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.faults.append(message.text)


Visit = Callable[..., Visitor]


def chromium_path() -> str | None:
    """Return the browser to use; None leaves it to Playwright's own."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--disable-dev-shm-usage", "--font-render-hinting=none"]
        launched = playwright.chromium.launch(executable_path=chromium_path(), args=arguments)
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Browser, web_process: WebProcess, projector_process: ProjectorProcess) -> Iterator[Visit]:
    """Open a window: visit(alice, size=PHONE, theme="light"). Without a person nobody is logged in."""
    visitors: list[Visitor] = []

    def open_window(
        person: Person | None = None, *, size: tuple[int, int] = DESK, theme: str = "dark", updown: str = "green-red"
    ) -> Visitor:
        small = size[0] < 768
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, has_touch=small, is_mobile=small)
        cookies = [("qd_theme", theme), ("qd_updown", updown), *([("sessionid", person.cookie.partition("=")[2])] if person else [])]
        context.add_cookies([{"name": name, "value": value, "url": web_process.url} for name, value in cookies])
        visitors.append(Visitor(context, web_process))
        return visitors[-1]

    yield open_window
    faults = [fault for visitor in visitors for fault in visitor.faults]
    for visitor in visitors:
        visitor.context.close()
    assert not faults, faults
