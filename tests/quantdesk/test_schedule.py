"""What beat runs: each task does its work, and running it twice does no more than once."""

import pytest
from celery import current_app
from django.conf import settings

from markets.models import Candle, Market
from markets.queries import GetMarkets
from markets.rollups import INTERVALS_MS
from markets.tasks import check_candles
from oracle.tasks import poll_prices
from quantdesk.celery import app
from tests.support.engine import EngineProcesses, engine_process, engine_processes
from trading import journal
from trading.tasks import archive_journal, keep_partitions, let_time_pass, request_snapshot, sweep_liquidations

__all__ = ["engine_process", "engine_processes"]


def test_it_schedules_tasks_that_exist() -> None:
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert scheduled <= set(app.tasks)
    assert current_app == app


def test_it_drops_what_would_run_late() -> None:
    options: list[dict[str, int]] = [entry["options"] for entry in settings.CELERY_BEAT_SCHEDULE.values()]  # type: ignore[misc]
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


def add_candle(market: Market, interval: str, minute: int, *, volume_lots: int = 5, high_ticks: int = 110) -> None:
    from datetime import timedelta

    from django.utils import timezone

    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    Candle.objects.create(
        market=market,
        interval=interval,
        opened_at=midnight + timedelta(minutes=minute),
        open_ticks=100,
        high_ticks=high_ticks,
        low_ticks=90,
        close_ticks=105,
        volume_lots=volume_lots,
        volume_quote_atoms=volume_lots * 1_000,
        trades=volume_lots,
    )


@pytest.fixture
def market(db: None) -> Market:
    return Market.objects.create(id=1, symbol="BTC-PERP", base_asset="BTC", tick_e8=1, lot_e8=1, status="normal", parameters={})


def test_it_finds_no_fault_in_candles_that_add_up(market: Market) -> None:
    add_candle(market, "1m", 0)
    for interval in INTERVALS_MS:
        if interval != "1m":
            add_candle(market, interval, 0)
    assert check_candles() == 0


def test_it_finds_candles_that_differ_are_missing_or_invented(market: Market) -> None:
    add_candle(market, "1m", 0)
    add_candle(market, "5m", 0, volume_lots=6)  # differs
    add_candle(market, "15m", 0, high_ticks=111)  # differs
    add_candle(market, "1h", 60)  # invented, and the right one is missing
    for interval in ("4h", "1d"):
        add_candle(market, interval, 0)
    assert check_candles() == 4
