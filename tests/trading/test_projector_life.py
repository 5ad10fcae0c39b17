"""Random lives of the real engine: the tables say what the engine's state says, however they were projected."""

from collections import Counter

import pytest
from django.db import connection
from django.db.models import F, Sum

from accounts.models import Balance, LedgerTransfer
from markets.candles import Candle as Bar
from markets.candles import rolled_up, started
from markets.models import Candle, Market, Trade
from markets.stamps import ms
from markets.units import tick_lot_atoms
from tests.engine.desk import USDC
from tests.trading.lives import JournalledDesk, project, random_life, tables
from trading.api.rows import order_view as stored_view
from trading.engine.views import order_view
from trading.models import Fill, Order, Position
from trading.projector import projector
from trading.projector.projector import Projector
from trading.rebuild import truncate

pytestmark = pytest.mark.django_db

LIVES = [(1, 600 * USDC, 50), (2, 5_000 * USDC, 5), (3, 200_000 * USDC, 50), (4, 2_000 * USDC, 50)]


@pytest.fixture(params=LIVES, ids=[f"seed {seed}" for seed, _, _ in LIVES])
def desk(request: pytest.FixtureRequest) -> JournalledDesk:
    seed, cash, leverage = request.param
    return random_life(seed=seed, cash=cash, leverage=leverage)


def test_it_shows_orders_positions_and_balances_as_the_engine_has_them(desk: JournalledDesk) -> None:
    project(desk.rows(), rows_a_run=7)
    state = desk.engine.state
    known = {order_id: order_view(order) for order_id, order in state.orders.items()}
    assert {order.id: stored_view(order) for order in Order.objects.filter(id__in=known)} == known
    held = {
        (account_id, market_id): (holding.size_lots, holding.cost_atoms, holding.realised_atoms, holding.funding_atoms)
        for account_id, account in state.accounts.items()
        for market_id, holding in account.holdings.items()
        if holding.size_lots
    }
    fields = ("size_lots", "cost_atoms", "realised_atoms", "funding_atoms")
    assert {(p.account_id, p.market_id): tuple(getattr(p, name) for name in fields) for p in Position.objects.all()} == held
    balances = {(account_id, "USDC"): account.usdc_atoms() for account_id, account in state.accounts.items()}
    for account_id, account in state.accounts.items():
        balances |= {(account_id, asset): amount for asset, amount in account.cross.collateral.items()}
    stored = {(row.account_id, row.asset): row.amount_atoms for row in Balance.objects.all()}
    assert {key: amount for key, amount in stored.items() if amount} == {key: amount for key, amount in balances.items() if amount}
    for market in Market.objects.all():
        live = state.markets[market.id]
        assert (market.mark_ticks, market.index_e8, market.oracle_state) == (live.mark_ticks, live.index.price_e8, live.index.state)
        assert (market.last_ticks, market.open_interest_lots) == (live.last_ticks, live.open_interest_lots)
        assert market.status == live.status


def test_it_gives_the_same_rows_in_runs_of_any_size(desk: JournalledDesk) -> None:
    rows = desk.rows()
    project(rows, rows_a_run=1)
    row_by_row = tables()
    erase()
    project(rows)
    assert tables() == row_by_row
    erase()
    project(rows[: len(rows) // 3])
    project(rows)
    assert tables() == row_by_row


def test_it_keeps_a_ledger_that_adds_up_to_every_balance(desk: JournalledDesk) -> None:
    project(desk.rows())
    sums: Counter[int] = Counter()
    for transfer in LedgerTransfer.objects.all():
        sums[transfer.debit_account_id] -= transfer.amount_atoms
        sums[transfer.credit_account_id] += transfer.amount_atoms
    assert dict(Balance.objects.values_list("account_id", "amount_atoms")) == dict(sums)
    assert sum(sums.values()) == 0
    assert LedgerTransfer.objects.filter(credit_account=F("debit_account")).count() == 0


def test_it_leaves_positions_of_each_market_summing_to_zero(desk: JournalledDesk) -> None:
    project(desk.rows())
    sums = Position.objects.values_list("market_id").annotate(lots=Sum("size_lots"))
    assert all(lots == 0 for _, lots in sums)
    assert Fill.objects.count() == 2 * Trade.objects.count() > 0


def test_it_keeps_candles_that_the_tape_rebuilds(desk: JournalledDesk) -> None:
    project(desk.rows(), rows_a_run=5)
    for market in Market.objects.all():
        atoms = tick_lot_atoms(tick_e8=market.tick_e8, lot_e8=market.lot_e8)
        trades = [
            started(
                opened_ms=ms(trade.executed_at),
                price_ticks=trade.price_ticks,
                size_lots=trade.size_lots,
                quote_atoms=trade.price_ticks * trade.size_lots * atoms,
            )
            for trade in Trade.objects.filter(market=market).order_by("id")
        ]
        for interval, length_ms in Candle.INTERVALS_MS.items():
            stored = Candle.objects.filter(market=market, interval=interval).order_by("opened_at")
            assert [bar_of(candle) for candle in stored] == rolled_up(trades, length_ms)


def test_it_goes_on_after_a_restart_in_the_middle(desk: JournalledDesk) -> None:
    rows = desk.rows()
    project(rows)
    whole = tables()
    erase()
    half = len(rows) // 2
    project(rows[:half], rows_a_run=11)
    assert Projector(read=lambda *_: []).seq == half
    project(rows, rows_a_run=13)
    assert tables() == whole


def test_it_folds_one_run_while_another_is_written(desk: JournalledDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    project(desk.rows())
    whole = tables()
    erase()
    monkeypatch.setattr(projector, "RUN_EVENTS", 10)
    project(desk.rows())
    assert tables() == whole


def erase() -> None:
    connection.ensure_connection()
    truncate(connection.connection)


def bar_of(candle: Candle) -> Bar:
    return Bar(
        opened_ms=ms(candle.opened_at),
        open_ticks=candle.open_ticks,
        high_ticks=candle.high_ticks,
        low_ticks=candle.low_ticks,
        close_ticks=candle.close_ticks,
        volume_lots=candle.volume_lots,
        volume_quote_atoms=candle.volume_quote_atoms,
        trades=candle.trades,
    )
