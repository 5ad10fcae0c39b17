"""Events to rows: what each event does to the tables, whatever the runs it is projected in."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from accounts.models import Balance, LedgerTransfer
from markets import ledger
from markets.events import (
    AccountLiquidated,
    Event,
    FundingPaid,
    LedgerPosted,
    LiquidationStarted,
    MarketCreated,
    MarketStatusChanged,
    OrderTriggered,
    PositionChanged,
)
from markets.events import LedgerTransfer as Line
from markets.models import Candle, Market, Trade
from markets.stamps import at, ms
from oracle.models import OraclePrice
from risk.models import FundingPayment, FundingRate, Liquidation
from tests.trading.factories import ALICE, BOB, BTC, CHARLIE, NOON_MS, accepted, amended, cancelled, filled, mark
from trading.engine.identity import content_hash
from trading.journal import Row
from trading.models import Fill, Order, Position, Projection, UsedClientOrderId
from trading.projector.projector import Projector

pytestmark = pytest.mark.django_db

MINUTE_MS, DAY_MS = 60_000, 86_400_000
CREATED = MarketCreated(parameters=BTC)
Project = Callable[..., Projector]


def rows_of(*batches: Sequence[Any], start_ms: int = NOON_MS, step_ms: int = 1_000) -> list[Row]:
    return [
        Row(seq=seq, stamp_ms=start_ms + (seq - 1) * step_ms, commands=[], events=list(batch)) for seq, batch in enumerate(batches, start=1)
    ]


def project(rows: list[Row], *, rows_a_run: int = 1_000) -> Projector:
    projector = Projector(read=lambda after_seq, limit: [row for row in rows if row.seq > after_seq][: min(rows_a_run, limit)])
    projector.catch_up()
    return projector


def order(order_id: int, *fields: str) -> tuple[Any, ...]:
    found: tuple[Any, ...] = Order.objects.values_list(*fields).get(id=order_id)
    return found


@pytest.fixture(params=[1, 1_000], ids=["row by row", "at once"])
def rows_a_run(request: pytest.FixtureRequest) -> int:
    size: int = request.param
    return size


def test_it_keeps_an_order_as_it_was_asked(rows_a_run: int) -> None:
    event = accepted(1, client_order_id="mine\t\\n", type="stop_limit", trigger_ticks=610_000, status="untriggered", reduce_only=True)
    project(rows_of([CREATED], [event]), rows_a_run=rows_a_run)
    row = Order.objects.get(id=1)
    asked = event.order
    for name in ("account_id", "market_id", "client_order_id", "side", "type", "time_in_force", "post_only", "reduce_only",
                 "close_position", "self_trade_prevention", "price_ticks", "size_lots", "trigger_ticks", "trigger_by"):  # fmt: skip
        assert getattr(row, name) == getattr(asked, name)
    assert (row.status, row.reason, row.filled_lots, row.parent_order_id) == ("untriggered", None, 0, 0)
    assert ms(row.created_at) == ms(row.updated_at) == NOON_MS + 1_000
    used = UsedClientOrderId.objects.get(account_id=ALICE, client_order_id="mine\t\\n")
    assert (used.order_id, bytes(used.content_hash)) == (1, content_hash(asked))


def test_it_does_not_keep_ids_that_the_engine_gave() -> None:
    project(rows_of([CREATED], [accepted(1, client_order_id="~1"), accepted(2, client_order_id="~1")]))
    assert list(UsedClientOrderId.objects.values_list("order_id", flat=True)) == [2]


def test_it_fills_both_orders_and_posts_what_the_match_implies(rows_a_run: int) -> None:
    maker, taker = accepted(1, side="sell", size_lots=30), accepted(2, BOB)
    project(rows_of([CREATED], [maker], [taker, filled(7)]), rows_a_run=rows_a_run)
    quote = 600_000 * 10 * 10
    assert order(1, "status", "filled_lots", "filled_quote_atoms", "fee_atoms") == ("open", 10, quote, 9_000)
    assert order(2, "status", "filled_lots", "filled_quote_atoms", "fee_atoms") == ("filled", 10, quote, 27_000)
    sides = Fill.objects.order_by("id").values_list("id", "order_id", "account_id", "side", "liquidity", "quote_atoms", "fee_atoms")
    assert list(sides) == [(14, 1, ALICE, "sell", "maker", quote, 9_000), (15, 2, BOB, "buy", "taker", quote, 27_000)]
    assert Trade.objects.values_list("id", "price_ticks", "size_lots", "taker_side").get() == (7, 600_000, 10, "buy")
    fees = LedgerTransfer.objects.order_by("id").values_list("debit_account_id", "credit_account_id", "amount_atoms", "kind", "trade_id")
    assert list(fees) == [(BOB, ledger.FEES, 27_000, "fee", 7), (ALICE, ledger.FEES, 9_000, "fee", 7)]
    assert dict(Balance.objects.values_list("account_id", "amount_atoms")) == {BOB: -27_000, ALICE: -9_000, ledger.FEES: 36_000}
    assert Market.objects.values_list("last_ticks", "open_interest_lots").get() == (600_000, 10)


def test_it_ends_orders_with_their_reason(rows_a_run: int) -> None:
    resting = [accepted(1, side="sell", size_lots=30), accepted(2, BOB), accepted(3, time_in_force="gtd")]
    ends = [filled(1), cancelled(1, reason="self_trade"), cancelled(3, reason="expired")]
    project(rows_of([CREATED], resting, ends), rows_a_run=rows_a_run)
    assert order(1, "status", "reason", "filled_lots") == ("cancelled", "self_trade", 10)
    assert order(2, "status", "reason") == ("filled", None)
    assert order(3, "status", "reason") == ("expired", "expired")
    assert ms(order(3, "updated_at")[0]) == NOON_MS + 2_000


def test_it_amends_and_triggers_orders(rows_a_run: int) -> None:
    stop = accepted(1, type="stop_market", size_lots=0, price_ticks=0, trigger_ticks=610_000, status="untriggered", close_position=True)
    moved = amended(1, price_ticks=0, size_lots=0, trigger_ticks=620_000)
    triggered = OrderTriggered(order_id=1, account_id=ALICE, market_id=1, reference_ticks=620_100, price_ticks=650_000, size_lots=10)
    project(rows_of([CREATED], [stop], [moved], [triggered, filled(1, taker_order_id=1, maker_order_id=9)]), rows_a_run=rows_a_run)
    assert order(1, "status", "price_ticks", "size_lots", "trigger_ticks", "filled_lots") == ("filled", 650_000, 10, 620_000, 10)


def test_it_counts_a_position_from_where_it_was_opened(rows_a_run: int) -> None:
    opened = filled(1)
    funding = FundingPaid(market_id=1, due_ms=NOON_MS, rate_ppb=10, index_e8=5, payments=((BOB, -70), (ALICE, 68)), dust_atoms=2)
    reduced = filled(2, taker_side="sell", size_lots=4, taker_position_lots=6, taker_cost_atoms=36, taker_pnl_atoms=500,
                     maker_position_lots=-6, maker_cost_atoms=-36, maker_pnl_atoms=-500)  # fmt: skip
    project(rows_of([CREATED], [opened], [funding], [reduced]), rows_a_run=rows_a_run)
    bob = Position.objects.get(account_id=BOB)
    assert (bob.size_lots, bob.cost_atoms, bob.realised_atoms, bob.funding_atoms) == (6, 36, 500, -70)
    assert (ms(bob.opened_at), ms(bob.updated_at)) == (NOON_MS + 1_000, NOON_MS + 3_000)
    assert Market.objects.get().open_interest_lots == 6


def test_it_starts_anew_when_a_position_turns_over_and_drops_it_when_it_closes(rows_a_run: int) -> None:
    turned = filled(2, taker_side="sell", size_lots=15, taker_position_lots=-5, taker_cost_atoms=-30, taker_pnl_atoms=900,
                    maker_position_lots=5, maker_cost_atoms=30, maker_pnl_atoms=-900)  # fmt: skip
    closed = filled(3, size_lots=5, taker_position_lots=0, taker_cost_atoms=0, taker_pnl_atoms=7,
                    maker_account_id=CHARLIE, maker_position_lots=-5, maker_cost_atoms=-30)  # fmt: skip
    project(rows_of([CREATED], [filled(1)], [turned]), rows_a_run=rows_a_run)
    bob = Position.objects.get(account_id=BOB)
    assert (bob.size_lots, bob.realised_atoms, ms(bob.opened_at)) == (-5, 0, NOON_MS + 2_000)
    project(rows_of([CREATED], [filled(1)], [turned], [closed]), rows_a_run=rows_a_run)
    assert set(Position.objects.values_list("account_id", "size_lots")) == {(ALICE, 5), (CHARLIE, -5)}


def test_it_posts_funding_so_that_its_account_stays_at_zero(rows_a_run: int) -> None:
    paid = FundingPaid(market_id=1, due_ms=NOON_MS, rate_ppb=10, index_e8=5, payments=((BOB, -70), (ALICE, 68)), dust_atoms=2)
    project(rows_of([CREATED], [filled(1)], [paid]), rows_a_run=rows_a_run)
    balances = dict(Balance.objects.values_list("account_id", "amount_atoms"))
    assert (balances[ledger.FUNDING], balances[ledger.DUST]) == (0, 2)
    assert FundingRate.objects.values_list("market_id", "due_at", "rate_ppb").get() == (1, at(NOON_MS), 10)
    assert dict(FundingPayment.objects.values_list("account_id", "amount_atoms")) == {BOB: -70, ALICE: 68}


def test_it_records_a_liquidation_and_what_was_taken_over(rows_a_run: int) -> None:
    events: list[Event] = [
        LiquidationStarted(liquidation_id=1, account_id=BOB, equity_atoms=5, maintenance_atoms=9),
        filled(2, kind="liquidation", taker_side="sell", size_lots=4, taker_order_id=99, taker_position_lots=6, taker_cost_atoms=36,
               maker_account_id=CHARLIE, maker_position_lots=4, maker_cost_atoms=24),
        PositionChanged(account_id=BOB, market_id=1, size_lots=0, cost_atoms=0, realised_atoms=-3, previous_lots=6),
        PositionChanged(account_id=ledger.INSURANCE, market_id=1, size_lots=6, cost_atoms=30, realised_atoms=0, previous_lots=0),
        LedgerPosted(transfers=(Line(BOB, ledger.CLEARING, "USDC", 3, "trade_pnl"),), reason="take-over"),
        AccountLiquidated(liquidation_id=1, account_id=BOB, closed_quote_atoms=24, fee_atoms=1, insurance_paid_atoms=2,
                          taken_over=((1, 6, 600_000),), equity_atoms=0, maintenance_atoms=0),
    ]  # fmt: skip
    project(rows_of([CREATED], [filled(1)], *[[event] for event in events]), rows_a_run=rows_a_run)
    liquidation = Liquidation.objects.get()
    assert (liquidation.account_id, liquidation.equity_atoms, liquidation.insurance_paid_atoms) == (BOB, 5, 2)
    assert liquidation.taken_over == [[1, 6, 600_000]]
    assert (ms(liquidation.started_at), liquidation.equity_after_atoms) == (NOON_MS + 2_000, 0)
    assert Position.objects.get(account_id=ledger.INSURANCE).size_lots == 6
    assert Market.objects.get().open_interest_lots == 10
    assert LedgerTransfer.objects.get(reason="take-over").amount_atoms == 3


def test_it_keeps_one_price_a_second_and_the_market_as_it_is(rows_a_run: int) -> None:
    batches: list[list[Event]] = [
        [CREATED],
        [mark(600_100)],
        [mark(600_200)],
        [mark(600_300), MarketStatusChanged(market_id=1, status="halted", reason="test")],
    ]
    project(rows_of(*batches, step_ms=500), rows_a_run=rows_a_run)
    assert list(OraclePrice.objects.order_by("id").values_list("mark_ticks", flat=True)) == [600_100, 600_200]
    market = Market.objects.get()
    assert (market.symbol, market.mark_ticks, market.oracle_state, market.status, market.status_reason) == (
        "BTC-PERP", 600_300, "valid", "halted", "test",
    )  # fmt: skip
    assert market.parameters["taker_fee_ppm"] == BTC.taker_fee_ppm


def test_it_folds_trades_into_candles_of_every_interval(rows_a_run: int) -> None:
    prices = [600_000, 600_500, 599_000, 601_000]
    trades = [[filled(number, price_ticks=price)] for number, price in enumerate(prices, start=1)]
    project(rows_of([CREATED], *trades, step_ms=30_000), rows_a_run=rows_a_run)
    minutes = Candle.objects.filter(interval="1m").order_by("opened_at")
    assert list(minutes.values_list("open_ticks", "high_ticks", "low_ticks", "close_ticks", "trades")) == [
        (600_000, 600_000, 600_000, 600_000, 1),
        (600_500, 600_500, 599_000, 599_000, 2),
        (601_000, 601_000, 601_000, 601_000, 1),
    ]
    day = Candle.objects.get(interval="1d")
    assert (day.open_ticks, day.high_ticks, day.low_ticks, day.close_ticks) == (600_000, 601_000, 599_000, 601_000)
    assert (day.volume_lots, day.volume_quote_atoms, ms(day.opened_at) % DAY_MS) == (40, sum(prices) * 100, 0)


def test_it_forgets_orders_that_were_cancelled_unfilled_three_days_ago(rows_a_run: int) -> None:
    orders = [accepted(1, side="sell", size_lots=30), accepted(2, BOB), accepted(3), accepted(4, client_order_id="kept")]
    ends = [filled(1), cancelled(1), cancelled(4)]
    later = [[mark(600_000 + hour)] for hour in range(75)]
    project(rows_of([CREATED], orders, ends, *later, step_ms=3_600_000), rows_a_run=rows_a_run)
    assert set(Order.objects.values_list("id", flat=True)) == {1, 2, 3}
    assert UsedClientOrderId.objects.filter(order_id=4).exists()


def test_it_goes_on_where_another_projector_left_off() -> None:
    rows = rows_of([CREATED], [accepted(1, side="sell")], [accepted(2, BOB), filled(1)])
    behind = Projector(read=lambda after_seq, limit: [row for row in rows if row.seq > after_seq][:1])
    project(rows)
    behind.catch_up()
    assert Projection.objects.get().seq == behind.seq == 3
    assert Fill.objects.count() == 2
