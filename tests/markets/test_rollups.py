"""A day and more of random trading: the candles that the projector grew are those that the tape gives, row for row."""

import io
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from markets import rollups
from markets.events import AnyEvent, MarkChanged, MarketCreated, OrderFilled
from markets.models import Candle, MarkCandle
from tests.trading.factories import BTC, ETH, filled, mark
from tests.trading.lives import project
from trading import journal
from trading.rebuild import truncate

pytestmark = pytest.mark.django_db

SUNDAY_EVENING = datetime(2026, 11, 22, 18, tzinfo=UTC)  # a day and a week end within the run
LAST_OF_NOVEMBER = datetime(2026, 11, 30, 12, tzinfo=UTC)  # a month does
HOURS = 30
MONDAY = datetime(2001, 1, 1, tzinfo=UTC)
INTERVALS = {name: timedelta(milliseconds=length) for name, length in Candle.INTERVALS_MS.items()}


def stamp(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def traded(*, seed: int, since: datetime, pause_ms: int) -> list[journal.Row]:
    """Return a journal of trades and marks in two markets, quiet hours among them."""
    random = Random(seed)  # noqa: S311 - a workload, not a secret
    made = [journal.Row(seq=1, stamp_ms=stamp(since), commands=[], events=[MarketCreated(parameters=BTC), MarketCreated(parameters=ETH)])]
    prices = {BTC.market_id: 600_000, ETH.market_id: 300_000}
    while made[-1].stamp_ms < stamp(since) + HOURS * 3_600_000:
        passed_ms = int(random.expovariate(1 / pause_ms)) + (7_200_000 if random.random() < 0.001 else 0)
        events: list[AnyEvent] = []
        for number in range(random.randint(1, 4)):
            market_id = random.choice([BTC.market_id, ETH.market_id])
            prices[market_id] += random.randint(-300, 300)
            if random.random() < 0.5:
                events.append(mark(prices[market_id], market_id=market_id))
            else:
                trade = {"price_ticks": prices[market_id], "size_lots": random.randint(1, 500), "market_id": market_id}
                events.append(filled(len(made) * 10 + number, **trade))
        made.append(journal.Row(seq=len(made) + 1, stamp_ms=made[-1].stamp_ms + passed_ms, commands=[], events=events))
    return made


def opened(at: datetime, interval: timedelta) -> datetime:
    return at - (at - MONDAY) % interval


def naive(rows: list[journal.Row], event: type[MarkChanged] | type[OrderFilled]) -> dict[tuple[int, str, datetime], list[tuple[int, int]]]:
    """Return (price, size) of everything that happened in each bucket, in order."""
    found: dict[tuple[int, str, datetime], list[tuple[int, int]]] = {}
    for row in rows:
        at = datetime.fromtimestamp(row.stamp_ms / 1000, UTC)
        for each in row.events:
            if isinstance(each, event):
                price, size = (each.price_ticks, each.size_lots) if isinstance(each, OrderFilled) else (each.mark_ticks, 0)
                for name, length in INTERVALS.items():
                    found.setdefault((each.market_id, name, opened(at, length)), []).append((price, size))
    return found


def stored(model: type[Candle] | type[MarkCandle]) -> list[Any]:
    return sorted(model.objects.values_list())


@pytest.fixture(params=[SUNDAY_EVENING, LAST_OF_NOVEMBER], ids=["week", "month"])
def rows(request: pytest.FixtureRequest) -> list[journal.Row]:
    rows = traded(seed=5, since=request.param, pause_ms=15_000 if request.config.getoption("--nightly") else 60_000)
    project(rows, rows_a_run=7)
    return rows


def test_it_grows_candles_as_the_trades_would_give_them_at_once(rows: list[journal.Row]) -> None:
    atoms = {BTC.market_id: 10, ETH.market_id: 10}
    expected = {
        key: (
            happened[0][0],
            max(price for price, _ in happened),
            min(price for price, _ in happened),
            happened[-1][0],
            sum(size for _, size in happened),
            sum(price * size * atoms[key[0]] for price, size in happened),
            len(happened),
        )
        for key, happened in naive(rows, OrderFilled).items()
    }
    assert {tuple(row[:3]): tuple(row[3:]) for row in Candle.objects.values_list(*COLUMNS)} == expected
    assert len({opened_at for _, name, opened_at in expected if name == "1d"}) >= 2


COLUMNS = (
    "market_id", "interval", "opened_at", "open_ticks", "high_ticks", "low_ticks", "close_ticks", "volume_lots", "volume_quote_atoms",
    "trades",
)  # fmt: skip


def test_it_rebuilds_every_interval_from_the_tape_row_for_row(rows: list[journal.Row]) -> None:
    before = stored(Candle)
    Candle.objects.filter(interval="5m").delete()
    Candle.objects.filter(interval="1w").update(close_ticks=1)
    Candle.objects.filter(interval="1m").update(trades=0)
    first, last = (datetime.fromtimestamp(rows[at].stamp_ms / 1000, UTC) for at in (0, -1))
    output = io.StringIO()
    call_command("rebuild_candles", str(first.date()), str(last.date()), stdout=output)
    assert stored(Candle) == before
    assert output.getvalue() == f"{len(before):,} candles made of the tape.\n"
    assert rollups.mismatches(now=last, days=7) == []


def test_it_samples_marks_so_that_extremes_are_exact(rows: list[journal.Row]) -> None:
    happened = naive(rows, MarkChanged)
    found = {(c.market_id, c.interval, c.opened_at): c for c in MarkCandle.objects.all()}
    assert found.keys() == happened.keys()
    for key, marks in happened.items():
        prices = [price for price, _ in marks]
        candle = found[key]
        assert (candle.open_ticks, candle.high_ticks, candle.low_ticks) == (prices[0], max(prices), min(prices))
        assert candle.close_ticks in prices[-4:]  # of those in the last second the first, or the last extreme


def test_it_writes_the_same_whatever_the_runs(rows: list[journal.Row]) -> None:
    before = stored(Candle), stored(MarkCandle)
    truncate(connection.connection)
    project(rows, rows_a_run=1_000)
    assert (stored(Candle), stored(MarkCandle)) == before
