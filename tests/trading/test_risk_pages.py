"""The risk pages without a browser: whose figures they show, what is asked of them, and what goes wrong in words."""

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.admin.utils import quote
from django.test import Client

from accounts.models import User
from markets.gateway import gateway
from markets.queries import GetAccount
from risk.models import RiskAlert, RiskSnapshot
from risk.tasks import watch_risk
from tests.support.api import PASSWORD
from tests.support.engine import EngineProcesses, engine_process, engine_processes
from tests.support.people import Person, alice, bob
from tests.trading.exchange import PRICE_TICKS, limit

__all__ = ["alice", "bob", "engine_process", "engine_processes"]

HTMX = {"HX-Request": "true"}


def browser(person: Person) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=person.username))
    return client


def text(response: Any) -> str:
    """Return what a page says, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


@pytest.fixture
def positions(alice: Person, bob: Person) -> None:
    """Alice is long 1 BTC against Bob, at 60,000."""
    for person, side in ((bob, "sell"), (alice, "buy")):
        reply = gateway().submit(limit(person.account_id, side=side, size_lots=10_000, price_ticks=PRICE_TICKS))
        assert reply.reject is None, reply.reject


@pytest.mark.usefixtures("positions")
def test_it_shows_an_account_its_margin_and_what_would_break_it(alice: Person) -> None:
    page = text(browser(alice).get("/risk/"))
    for words in ("Cross margin", "BTC-PERP Long 10×", "How BTC-PERP’s numbers come about", "Value at risk, historical", "10 Oct 2025"):
        assert words in page, words
    view = gateway().query(GetAccount(account_id=alice.account_id))
    assert view is not None
    assert f"{view.positions[0].liquidation_ticks // 10:,}.{view.positions[0].liquidation_ticks % 10}" in page
    figures = text(browser(alice).get("/risk/figures/", headers=HTMX))
    assert "Stress grid" in figures
    assert "<html" not in figures


def test_it_tells_an_account_without_positions_what_to_do(alice: Person) -> None:
    page = text(browser(alice).get("/risk/"))
    assert "No open positions, so nothing can be liquidated" in page
    assert "Stress grid" not in page
    assert "Nothing to warn of." in page


@pytest.mark.usefixtures("positions")
def test_it_works_out_what_an_order_and_a_fall_would_change(alice: Person) -> None:
    form = {"market": "BTC-PERP", "side": "sell", "size": "", "move_all": "-5%"}
    answer = browser(alice).post("/risk/what-if/", form, headers=HTMX)
    assert answer.status_code == 200
    assert re.search(r"Equity \$9,973\.00 \$6,973\.00", text(answer))
    refused = text(browser(alice).post("/risk/what-if/", form | {"side": "buy", "size": "5", "move_all": ""}, headers=HTMX))
    assert "Would be refused: " in refused
    alone = text(browser(alice).post("/risk/what-if/", form | {"move_BTC-PERP": "+5", "move_all": "-50"}, headers=HTMX))
    assert "$12,973.00" in alone


WRONG = [
    ({"size": "1.00000001"}, "try 1"),
    ({"size": "x"}, "must be a decimal string"),
    ({"size": "1", "price": "60000.01"}, "try 60000"),
    ({"size": "1", "side": "up"}, "does not have one of its values"),
    ({"size": "1", "market": "NO-PERP"}, "no such market"),
    ({"move_all": "-100"}, "is at most 99"),
    ({"move_all": "lots"}, "must be a decimal string"),
    ({"move_NO-PERP": "-1"}, "no such market"),
]


@pytest.mark.parametrize(("values", "words"), WRONG)
def test_it_says_what_cannot_be_worked_out(alice: Person, values: dict[str, str], words: str) -> None:
    form = {"market": "BTC-PERP", "side": "buy", "size": ""}
    answer = browser(alice).post("/risk/what-if/", form | values, headers=HTMX)
    assert answer.status_code in (404, 422)
    assert words in text(answer), text(answer)


def test_it_answers_a_plain_form_with_a_page(alice: Person) -> None:
    page = text(browser(alice).post("/risk/what-if/", {"market": "BTC-PERP", "side": "buy", "size": "0.1"}))
    assert "Back to risk" in page


def test_it_sends_strangers_to_log_in(engine_process: EngineProcesses) -> None:
    assert Client().get("/risk/").headers["Location"] == "/accounts/login/?next=/risk/"
    told = Client().get("/risk/figures/", headers=HTMX)
    assert (told.status_code, told.headers["HX-Redirect"]) == (204, "/accounts/login/?next=/risk/")


@pytest.mark.usefixtures("positions")
def test_it_shows_staff_who_falls_first_and_what_insurance_would_pay(alice: Person, bob: Person) -> None:
    sam = User.objects.create_user("sam", password=PASSWORD, is_staff=True)
    watch_risk()
    client = Client()
    client.force_login(sam)
    page = text(client.get("/risk/book/"))
    assert "Who falls first" in page
    assert re.search(rf"{alice.account_id} Cross \$9,973\.00 \$240\.00 \$60,000 −16\.29%", page)
    assert re.search(rf"{bob.account_id} Cross \$[\d,.]+ \$240\.00 \$60,000 \+1\d\.\d\d%", page)
    assert re.search(r"\+30% 1 \$\d,\d{3}\.\d\d short", page)
    assert re.search(r"−30% 1 \$8,027\.00 short", page)
    assert "No trading account" in text(client.get("/risk/"))
    assert browser(alice).get("/risk/book/").status_code == 403


def test_it_says_that_the_engine_is_away(alice: Person, engine_process: EngineProcesses) -> None:
    client = browser(alice)
    engine_process.current.stop()
    page = client.get("/risk/")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "2")
    answer = client.post("/risk/what-if/", {"market": "BTC-PERP", "side": "buy", "size": "0.1"}, headers=HTMX)
    assert answer.status_code == 503


@pytest.mark.usefixtures("positions")
def test_it_keeps_reports_and_alerts_in_the_admin(alice: Person) -> None:
    watch_risk()
    snapshot = RiskSnapshot.objects.get()
    alert = RiskAlert.objects.create(
        kind="margin_ratio", level="danger", account_id=alice.account_id, period_at=snapshot.period_at, text="Look."
    )
    client = Client()
    client.force_login(User.objects.create_superuser("root", password=PASSWORD))
    assert "1 risk snapshot" in text(client.get("/admin/risk/risksnapshot/"))
    row = text(client.get(f"/admin/risk/risksnapshot/{quote(str(snapshot.pk))}/change/", follow=True))
    assert "Insurance would pay, USDC" in row
    assert "-20%" in row
    assert "Look." in text(client.get("/admin/risk/riskalert/"))
    page = text(client.get(f"/admin/risk/riskalert/{alert.pk}/change/"))
    assert "Look." in page
    assert "Look." in text(browser(alice).get("/risk/"))
