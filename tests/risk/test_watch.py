"""The risk sweep on a running exchange: what it stores and whom it warns, once a period."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from accounts.models import Account
from markets.gateway import Gateway, gateway
from markets.selectors import markets
from markets.units import QUOTE_ATOMS
from markets.views import Exposure, PriceExposure
from risk import alerts, reports
from risk.book import book_of, insurance_atoms, read_account, read_book
from risk.models import RiskAlert, RiskSnapshot
from risk.returns import returns_of
from risk.tasks import floor, forget_risk, watch_risk
from tests.support.engine import EngineProcesses, engine_process, engine_processes
from tests.trading.exchange import ALICE, BOB, BTC, CHARLIE, PRICE_TICKS, limit, open_account

__all__ = ["engine_process", "engine_processes"]

NOON = datetime(2026, 11, 22, 12, 34, 56, tzinfo=UTC)


def open_positions(gateway: Gateway, *, lots: int, alice_usdc: int) -> None:
    """Let Alice be long with little money, against Bob with much."""
    open_account(gateway, ALICE, usdc=alice_usdc)
    open_account(gateway, BOB)
    for account_id in (ALICE, BOB):
        Account.objects.create(id=account_id, name=f"account {account_id}")
    for account_id, side in ((BOB, "sell"), (ALICE, "buy")):
        reply = gateway.submit(limit(account_id, side=side, size_lots=lots, price_ticks=PRICE_TICKS))
        assert reply.reject is None, reply.reject


def test_it_reads_every_pool_and_reports_on_it(engine_process: EngineProcesses) -> None:
    open_positions(gateway(), lots=1_000, alice_usdc=1_000)
    book = read_book()
    assert (book.account_ids, book.assets) == ((ALICE, BOB), ("BTC",))
    assert book.pools.delta[:, 0].tolist() == [6_000, -6_000]
    assert read_account(BOB).pools.delta[:, 0].tolist() == [-6_000]
    assert reports.day_risk(book.of_account(ALICE), returns_of(book.assets)).historical.value > 0
    assert next((row, move < 0) for row, move in reports.first_to_fall(book, 5)) == (0, True)
    assert returns_of(("BTC", "NEW")).stands_in == ("NEW",)


def test_it_keeps_one_snapshot_a_period(engine_process: EngineProcesses) -> None:
    open_positions(gateway(), lots=1_000, alice_usdc=700)
    assert watch_risk() == watch_risk() == 0
    assert RiskSnapshot.objects.count() in (1, 2)  # a period may have ended in between
    snapshot = RiskSnapshot.objects.first()
    assert snapshot is not None
    assert (snapshot.pools, snapshot.notional_atoms) == (2, 12_000 * QUOTE_ATOMS)
    assert snapshot.insurance_atoms == insurance_atoms()
    assert [fall["pools"] for fall in snapshot.falls] == [0, 1, 1, 0, 0, 0]
    assert snapshot.falls[1]["deficit_atoms"] == pytest.approx((1_200 - 700 + 2.7) * QUOTE_ATOMS)
    assert snapshot.open_interest["BTC-PERP"] > 0


def pool(account_id: int, equity: int, maintenance: int, *notionals: tuple[int, int]) -> Exposure:
    prices = tuple(PriceExposure(index, size * QUOTE_ATOMS, size * QUOTE_ATOMS, 0) for index, size in notionals)
    return Exposure(account_id, 0, equity * QUOTE_ATOMS, 0, maintenance * QUOTE_ATOMS, prices)


@pytest.mark.django_db
def test_it_warns_accounts_at_two_levels_once_a_period() -> None:
    book = book_of([pool(ALICE, 100, 79), pool(BOB, 100, 80), pool(CHARLIE, 100, 50), pool(CHARLIE, 10, 9)], {})
    for _ in range(2):
        alerts.raise_alerts(alerts.account_alerts(book, NOON))
    found = RiskAlert.objects.order_by("account_id").values_list("account_id", "level", "text")
    assert list(found) == [
        (BOB, "warning", "Maintenance margin is 80% of equity; at 100 % the position is liquidated."),
        (CHARLIE, "danger", "Maintenance margin is 90% of equity; at 100 % the position is liquidated."),
    ]
    alerts.raise_alerts(alerts.account_alerts(book, NOON + timedelta(hours=1)))
    assert RiskAlert.objects.count() == 4


def test_it_warns_of_large_exposures_in_one_market() -> None:
    book = book_of(
        [pool(ALICE, 1, 0, (1, 95_000), (2, 5_000)), pool(BOB, 1, 0, (1, 85_000), (2, 15_000)), pool(CHARLIE, 1, 0, (1, 99))], {1: "BTC"}
    )
    (alert,) = alerts.concentration_alerts(book, NOON)
    assert (alert.account_id, alert.text) == (ALICE, "95% of a gross exposure of $100,000.00 is BTC.")


def test_it_warns_of_markets_near_their_cap(engine_process: EngineProcesses) -> None:
    views = [msgspec.structs.replace(view, open_interest_lots=view.parameters.max_open_interest_lots * 9 // 10) for view in markets()[:1]]
    (alert,) = alerts.open_interest_alerts(views, NOON)
    assert (alert.market_id, alert.text) == (BTC, "BTC-PERP: open interest is 90% of its cap.")
    assert list(alerts.open_interest_alerts(markets(), NOON)) == []


def test_it_waits_for_an_engine(engine_processes: EngineProcesses) -> None:
    assert watch_risk() is None
    assert not RiskSnapshot.objects.exists()


@pytest.mark.django_db
def test_it_warns_when_the_insurance_fund_loses_a_fifth_in_an_hour() -> None:
    snapshot(NOON - timedelta(minutes=70), insurance_usdc=500)
    snapshot(NOON - timedelta(minutes=30), insurance_usdc=100)
    assert list(alerts.insurance_alerts(81 * QUOTE_ATOMS, NOON, NOON)) == []
    (alert,) = alerts.insurance_alerts(80 * QUOTE_ATOMS, NOON, NOON)
    assert alert.text == "The insurance fund went from $100.00 to $80.00 within an hour."
    assert alerts.raise_alerts([alert]) == 1
    (again,) = alerts.insurance_alerts(80 * QUOTE_ATOMS, NOON, NOON)
    alerts.raise_alerts([again])
    assert RiskAlert.objects.count() == 1


@pytest.mark.django_db
def test_it_forgets_what_is_old() -> None:
    snapshot(datetime(2020, 1, 1, tzinfo=UTC), insurance_usdc=1)
    assert forget_risk() == 1
    assert forget_risk() == 0


def test_it_counts_periods_from_midnight() -> None:
    assert floor(NOON, timedelta(minutes=5)) == datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
    assert floor(NOON, timedelta(hours=1)) == datetime(2026, 11, 22, 12, tzinfo=UTC)


def snapshot(period_at: datetime, *, insurance_usdc: int) -> None:
    figures = dict.fromkeys(("pools", "equity_atoms", "notional_atoms", "maintenance_atoms", "value_at_risk_atoms"), 0)
    RiskSnapshot.objects.create(period_at=period_at, insurance_atoms=insurance_usdc * QUOTE_ATOMS, expected_shortfall_atoms=0, **figures)
