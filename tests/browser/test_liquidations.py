"""A liquidation's report in a browser: readable, accessible, and disputed by a click."""

import pytest
from django.utils import timezone

from risk.models import Dispute, Liquidation, LiquidationStep
from tests.browser.conftest import DESK, PHONE, Visit
from tests.support.people import Person

pytestmark = pytest.mark.browser

BTC = 1


@pytest.fixture
def liquidation(alice: Person) -> Liquidation:
    now = timezone.now()
    row = Liquidation.objects.create(
        id=7, account_id=alice.account_id, equity_atoms=285_000_000, maintenance_atoms=300_000_000, closed_quote_atoms=11_400_000_000,
        fee_atoms=57_000_000, taken_over=[[BTC, 8_000, 568_000]], equity_after_atoms=100_000_000, started_at=now, ended_at=now,
        steps_taken=2,
    )  # fmt: skip
    for number, stage in enumerate(("book", "backstop"), 1):
        LiquidationStep.objects.create(
            liquidation=row, step=number, stage=stage, market_id=BTC, position_lots=10_000, wanted_lots=2_000, closed_lots=2_000,
            mark_ticks=570_000, limit_ticks=558_600, bankruptcy_ticks=556_000, quote_atoms=11_400_000_000, realised_atoms=-600_000_000,
            fee_atoms=57_000_000, equity_atoms=285_000_000, maintenance_atoms=300_000_000, equity_after_atoms=228_000_000,
            maintenance_after_atoms=240_000_000, taken_at=now,
        )  # fmt: skip
    return row


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_it_shows_the_report_and_takes_a_dispute(visit: Visit, alice: Person, liquidation: Liquidation, size: tuple[int, int]) -> None:
    visitor = visit(alice, size=size)
    page = visitor.open("/risk/liquidations/")
    assert visitor.axe() == []
    assert not visitor.overflows()
    page.get_by_role("link", name="Liquidation 7").click()
    page.get_by_role("heading", name="1. Sold on the book").wait_for()
    assert visitor.axe() == []
    assert not visitor.overflows()
    page.get_by_label("What do you object to").fill("The price was wrong.")
    page.get_by_role("button", name="Open a dispute").click()
    page.get_by_role("heading", name="Dispute").wait_for()
    assert Dispute.objects.get().text == "The price was wrong."
    assert page.get_by_role("button", name="Open a dispute").count() == 0
    assert visitor.axe() == []
