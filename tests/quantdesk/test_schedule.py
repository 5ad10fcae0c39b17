"""What beat runs: each task does its work, and running it twice does no more than once."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.utils import timezone

from markets.models import Candle, Market, Trade
from markets.queries import GetMarkets
from markets.rollups import INTERVALS, week_of
from markets.tasks import check_candles
from oracle.tasks import poll_prices
from quantdesk.celery import app
from tests.support.engine import EngineProcesses, engine_process, engine_processes
from trading import journal
from trading.tasks import archive_journal, keep_partitions, let_time_pass, request_snapshot, sweep_liquidations

__all__ = ["engine_process", "engine_processes"]


def test_it_schedules_tasks_that_exist() -> None:
    app.loader.import_default_modules()
    entries: list[Any] = [*settings.CELERY_BEAT_SCHEDULE.values(), *settings.CHAIN_BEAT_SCHEDULE.values()]
    assert {entry["task"] for entry in entries} <= set(app.tasks)
    assert not set(settings.CELERY_BEAT_SCHEDULE) & set(settings.CHAIN_BEAT_SCHEDULE)
    assert current_app == app


def test_it_drops_what_would_run_late() -> None:
    entries: list[dict[str, dict[str, int]]] = [*settings.CELERY_BEAT_SCHEDULE.values(), *settings.CHAIN_BEAT_SCHEDULE.values()]  # type: ignore[list-item]
    options = [entry["options"] for entry in entries]
    assert all(option["expires"] > 0 for option in options)


def test_it_lets_time_pass_and_sweeps_twice_with_the_same_end(engine_process: EngineProcesses) -> None:
    before = engine_process.gateway.query(GetMarkets())
    assert [let_time_pass(), let_time_pass(), sweep_liquidations(), sweep_liquidations()] == [True] * 4
    after = engine_process.gateway.query(GetMarkets())
    assert [view.parameters for view in before] == [view.parameters for view in after]
    assert [(view.mark_ticks, view.open_interest_lots) for view in before] == [(view.mark_ticks, view.open_interest_lots) for view in after]


@pytest.mark.parametrize("task", [let_time_pass, sweep_liquidations])
def test_it_gives_up_quietly_without_an_engine(engine_processes: EngineProcesses, task: object) -> None:
    assert task() is False  # type: ignore[operator]


def test_it_has_a_snapshot_taken(engine_process: EngineProcesses) -> None:
    request_snapshot()
    request_snapshot()
    engine_process.current.wait_for("snapshot taken")


def test_it_polls_nothing_without_an_oracle(engine_process: EngineProcesses) -> None:
    seq = engine_process.state().seq
    assert poll_prices() == "skipped_no_oracle"
    assert engine_process.state().seq == seq
    assert len(list(journal.read(0, 10_000))) == seq


def test_it_makes_partitions_once(transactional_db: None) -> None:
    keep_partitions()
    assert keep_partitions() == []


def test_it_archives_nothing_of_a_young_journal_however_often(engine_process: EngineProcesses) -> None:
    rows = engine_process.state().seq
    assert [archive_journal(), archive_journal()] == [[], []]
    assert len(list(journal.read(0, 10_000))) == rows


PRICES = (100, 110, 90, 100, 105)


def yesterday() -> datetime:
    return timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)


def add_candle(market: Market, interval: str, minute: int = 0, *, volume_lots: int = 5, high_ticks: int = 110) -> None:
    Candle.objects.create(
        market=market,
        interval=interval,
        opened_at=week_of(yesterday()) if interval == "1w" else yesterday() + timedelta(minutes=minute),
        open_ticks=PRICES[0],
        high_ticks=high_ticks,
        low_ticks=90,
        close_ticks=PRICES[-1],
        volume_lots=volume_lots,
        volume_quote_atoms=sum(PRICES),
        trades=len(PRICES),
    )


@pytest.fixture
def market(db: None) -> Market:
    """A market that traded in one minute; a tick of a lot is an atom."""
    market = Market.objects.create(id=1, symbol="BTC-PERP", base_asset="BTC", tick_e8=10**5, lot_e8=10**5, status="normal", parameters={})
    for number, price_ticks in enumerate(PRICES):
        executed_at = yesterday() + timedelta(seconds=number)
        Trade.objects.create(
            id=number, market=market, price_ticks=price_ticks, size_lots=1, taker_side="buy", kind="trade", executed_at=executed_at
        )
    return market


def test_it_finds_no_fault_in_candles_that_add_up(market: Market) -> None:
    for interval in INTERVALS:
        add_candle(market, interval)
    assert check_candles() == 0


def test_it_finds_candles_that_differ_are_missing_or_invented(market: Market) -> None:
    add_candle(market, "1m")
    add_candle(market, "5m", volume_lots=6)  # differs
    add_candle(market, "15m", high_ticks=111)  # differs
    add_candle(market, "1h", 60)  # invented, and the right one is missing
    for interval in ("4h", "1d", "1w"):
        add_candle(market, interval)
    assert check_candles() == 4


def test_it_finds_minutes_that_are_not_what_traded(market: Market) -> None:
    for interval in INTERVALS:
        add_candle(market, interval)
    Trade.objects.filter(id=1).delete()
    assert check_candles() == 1
