"""What the broadcaster sends, and when."""

from typing import Any

import msgspec
import pytest

from markets.candles import Candle, rolled_up, started
from markets.events import (
    AccountLiquidated,
    CollateralConverted,
    DeadMansSwitchSet,
    FundingPaid,
    IsolatedMarginMoved,
    LeverageSet,
    LiquidationStarted,
    LiquidationStepped,
    MarginCalled,
    MarginModeSet,
    MarketCreated,
    MarketStatusChanged,
    PositionChanged,
    PositionDeleveraged,
)
from markets.gateway import Message
from tests.trading.factories import (
    ALICE,
    BOB,
    ETH,
    NOON_MS,
    Outcome,
    accepted,
    account_view,
    cancelled,
    filled,
    mark,
    market_view,
)
from trading.broadcast.broadcaster import Broadcaster
from trading.broadcast.day import DAY_MS, Day
from trading.broadcast.market import History

MINUTE_MS = 60_000
INTERVALS_MS = {"1m": MINUTE_MS, "1h": 60 * MINUTE_MS}


class Feed:
    """A broadcaster with a clock that tests set."""

    def __init__(self, *, history: History | None = None) -> None:
        self.broadcaster = Broadcaster(
            markets=[market_view()],
            levels={1: {("buy", 599_999): 5, ("sell", 600_001): 7}},
            histories={1: history or History()},
            intervals_ms=INTERVALS_MS,
            seq=10,
            stamp_ms=NOON_MS,
            statuses={0: "normal", 1: "normal"},
        )
        self.seq = 10
        self.now_ms = NOON_MS
        self.account_seq = 1

    def commit(self, *events: Any, after_ms: int = 10, accounts: set[int] | None = None, **outcome: Any) -> dict[str, list[dict[str, Any]]]:
        """Commit one batch after a while, and return what is sent at once, by topic."""
        self.seq += 1
        self.account_seq += 1
        self.now_ms += after_ms
        done = Outcome(events=list(events), accounts=accounts or set(), **outcome)
        self.broadcaster.committed(
            seq=self.seq, stamp_ms=self.now_ms, outcome=done, account=lambda id_: account_view(id_, self.account_seq)
        )
        return self.due()

    def due(self, after_ms: int = 0) -> dict[str, list[dict[str, Any]]]:
        self.now_ms += after_ms
        sent: dict[str, list[dict[str, Any]]] = {}
        for message in self.broadcaster.due(self.now_ms):
            sent.setdefault(message.topic, []).append(body(message))
        return sent

    def snapshot(self, topic: str) -> dict[str, Any]:
        message = self.broadcaster.snapshot(topic)
        assert message is not None
        return body(message)


def body(message: Message) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(message.payload)
    return found


@pytest.fixture
def feed() -> Feed:
    return Feed()


def test_it_sends_a_changed_book_at_once_and_then_every_100_ms(feed: Feed) -> None:
    first = feed.commit(book_changes={1: {("buy", 599_998): 3}})
    assert first["book:1"][0]["bids"] == [[599_998, 3]]
    assert "book:1" not in feed.commit(book_changes={1: {("buy", 599_998): 4}})
    assert "book:1" not in feed.commit(book_changes={1: {("sell", 600_001): 0}})
    later = feed.due(after_ms=80)["book:1"][0]
    assert (later["bids"], later["asks"]) == ([[599_998, 4]], [[600_001, 0]])
    assert (later["prev_seq"], later["seq"]) == (11, 13)
    assert "book:1" not in feed.due(after_ms=1_000)


def test_it_answers_the_book_as_committed_whatever_was_sent(feed: Feed) -> None:
    feed.commit(book_changes={1: {("buy", 599_998): 3}})
    feed.commit(book_changes={1: {("buy", 600_000): 1}})
    view = feed.broadcaster.book(1, 2)
    assert view is not None
    assert (view.seq, view.bids, view.asks) == (12, ((600_000, 1), (599_999, 5)), ((600_001, 7),))
    assert feed.snapshot("book:1")["bids"] == [[599_999, 5], [599_998, 3]]
    assert feed.broadcaster.book(9, 2) is None


def test_it_sends_trades_at_once_and_remembers_fifty(feed: Feed) -> None:
    update = feed.commit(filled(1), filled(2, price_ticks=600_010, taker_side="sell"))["trades:1"][0]
    assert [(trade["trade_id"], trade["price"], trade["size"], trade["side"]) for trade in update["trades"]] == [
        ("1", "60000.0", "0.0010", "buy"),
        ("2", "60001.0", "0.0010", "sell"),
    ]
    assert (update["type"], update["prev_seq"], update["seq"]) == ("update", 10, 11)
    for number in range(3, 103):
        feed.commit(filled(number))
    snapshot = feed.snapshot("trades:1")
    assert [trade["trade_id"] for trade in snapshot["trades"]] == [str(number) for number in range(53, 103)]
    assert snapshot["seq"] == 111


def test_it_makes_no_trade_messages_that_nobody_watches(feed: Feed) -> None:
    feed.broadcaster.is_watched = lambda topic: topic == "nothing"
    assert "trades:1" not in feed.commit(filled(1))
    assert feed.snapshot("trades:1")["seq"] == 11
    feed.broadcaster.is_watched = lambda topic: True
    assert feed.commit(filled(2))["trades:1"][0]["prev_seq"] == 11


def test_it_sends_ticker_and_candles_every_500_ms_when_they_changed(feed: Feed) -> None:
    first = feed.commit(filled(1), mark(600_100))
    assert first["ticker:1"][0]["ticker"]["last_price"] == "60000.0"
    assert first["candles:1:1m"][0]["candle"]["trades"] == 1
    assert set(feed.commit(filled(2), after_ms=100)) == {"trades:1", "journal"}
    later = feed.due(after_ms=400)
    assert later["candles:1:1m"][0]["candle"]["trades"] == 2
    assert later["ticker:1"][0]["ticker"]["volume_24h"] == "0.0020"
    assert set(feed.due(after_ms=10_000)) == {"tickers"}  # those of all markets, in their own time
    assert feed.due(after_ms=10_000) == {}


def test_it_ends_a_candle_before_it_starts_the_next(feed: Feed) -> None:
    feed.commit(filled(1), after_ms=MINUTE_MS - 300)
    feed.commit(filled(2, price_ticks=600_020), after_ms=200)
    feed.commit(filled(3, price_ticks=600_050), after_ms=200)
    ended, begun = feed.due(after_ms=200)["candles:1:1m"]
    assert (ended["candle"]["close"], ended["candle"]["trades"]) == ("60002.0", 2)
    assert (begun["candle"]["open"], begun["candle"]["trades"]) == ("60005.0", 1)
    assert begun["prev_seq"] == ended["seq"] < begun["seq"]
    assert feed.snapshot("candles:1:1m")["candle"] == begun["candle"]


def test_it_tells_prices_and_their_source(feed: Feed) -> None:
    feed.commit(mark(600_100, sources=("simulation",), state="single"), MarketStatusChanged(market_id=0, status="cancel_only", reason=""))
    ticker = feed.snapshot("ticker:1")["ticker"]
    assert (ticker["mark_price"], ticker["index_price"], ticker["oracle_state"]) == ("60010.0", "60010.00000000", "single")
    assert (ticker["price_source"], ticker["status"]) == ("simulated", "cancel_only")
    assert (ticker["best_bid"], ticker["best_ask"]) == ("59999.9", "60000.1")
    assert (ticker["funding_rate"], ticker["next_funding_ms"]) == ("0.000012500", NOON_MS + 3_600_000)
    halted = MarketStatusChanged(market_id=1, status="halted", reason="")
    feed.commit(mark(600_100, sources=(), state="stale"), halted, after_ms=3_600_000)
    ticker = feed.snapshot("ticker:1")["ticker"]
    assert (ticker["price_source"], ticker["status"], ticker["next_funding_ms"]) == ("simulated", "halted", NOON_MS + 7_200_000)
    feed.commit(MarketStatusChanged(market_id=0, status="normal", reason=""), after_ms=1_000)
    assert feed.snapshot("ticker:1")["ticker"]["status"] == "halted"


def test_it_forgets_what_traded_more_than_a_day_ago() -> None:
    feed = Feed(history=History(minutes=[minute(NOON_MS - DAY_MS + MINUTE_MS, 590_000), minute(NOON_MS - MINUTE_MS, 610_000)]))
    feed.commit(filled(1))
    ticker = feed.snapshot("ticker:1")["ticker"]
    assert (ticker["open_24h"], ticker["low_24h"], ticker["high_24h"]) == ("59000.0", "59000.0", "61000.0")
    assert (ticker["volume_24h"], ticker["change_24h"]) == ("0.0030", "0.016949")
    feed.commit(mark(), after_ms=2 * MINUTE_MS)
    ticker = feed.snapshot("ticker:1")["ticker"]
    assert (ticker["open_24h"], ticker["low_24h"], ticker["volume_24h"]) == ("61000.0", "60000.0", "0.0020")


def minute(opened_ms: int, price_ticks: int) -> Candle:
    return started(opened_ms=opened_ms, price_ticks=price_ticks, size_lots=10, quote_atoms=1_000)


def test_it_counts_a_day_as_adding_its_minutes_up_would() -> None:
    day = Day()
    minutes = [minute(NOON_MS + number * 7 * MINUTE_MS, 600_000 + number) for number in range(400)]
    for one in minutes:
        day.add(one)
        day.expire(one.opened_ms)
    (whole,) = rolled_up([one for one in minutes if one.opened_ms > minutes[-1].opened_ms - DAY_MS], 10 * 365 * DAY_MS)
    assert day.open_high_low() == (whole.open_ticks, whole.high_ticks, whole.low_ticks)
    assert (day.volume_lots, day.volume_quote_atoms) == (whole.volume_lots, whole.volume_quote_atoms)


def test_it_keeps_open_interest_from_events_alone(feed: Feed) -> None:
    feed.commit(filled(1))
    taken_over = PositionChanged(account_id=BOB, market_id=1, size_lots=0, cost_atoms=0, realised_atoms=0, previous_lots=10)
    took_over = PositionChanged(account_id=3, market_id=1, size_lots=10, cost_atoms=0, realised_atoms=0, previous_lots=0)
    feed.commit(taken_over, took_over, after_ms=1_000)
    assert feed.snapshot("ticker:1")["ticker"]["open_interest"] == "0.0010"


def test_it_tells_an_account_only_of_itself(feed: Feed) -> None:
    snapshot = feed.broadcaster.snapshot(f"account:{ALICE}", account_view(ALICE, 1))
    assert snapshot is not None
    sent = feed.commit(accepted(1, side="sell"), accepted(2, BOB), filled(1), accounts={ALICE, BOB})
    (update,) = sent[f"account:{ALICE}"]
    assert f"account:{BOB}" not in sent
    assert [(order["order_id"], order["status"], order["filled"]) for order in update["orders"]] == [("1", "filled", "0.0010")]
    assert [(fill["liquidity"], fill["side"], fill["fee"]) for fill in update["fills"]] == [("maker", "sell", "0.009000")]
    assert (update["prev_seq"], update["seq"]) == (1, 2)
    assert [position["size"] for position in update["positions"]] == ["0"]
    feed.broadcaster.forget(ALICE)
    assert feed.commit(cancelled(1), accounts={ALICE}).keys() == {"journal"}


def test_it_notices_an_account_of_what_is_no_order(feed: Feed) -> None:
    feed.broadcaster.snapshot(f"account:{ALICE}", account_view(ALICE, 1))
    sent = feed.commit(
        LeverageSet(account_id=ALICE, market_id=1, leverage=7),
        DeadMansSwitchSet(account_id=ALICE, due_ms=5),
        FundingPaid(market_id=1, due_ms=NOON_MS, rate_ppb=3, index_e8=4, payments=((ALICE, -2_500_000), (BOB, 2_500_000)), dust_atoms=0),
        LiquidationStarted(liquidation_id=9, account_id=ALICE, equity_atoms=1, maintenance_atoms=2),
        AccountLiquidated(
            liquidation_id=9, account_id=ALICE, closed_quote_atoms=0, fee_atoms=0, insurance_paid_atoms=0,
            taken_over=((1, -10, 600_000),), equity_atoms=0, maintenance_atoms=0,
        ),
        accounts={ALICE},
    )  # fmt: skip
    notices = {notice.pop("kind"): notice for notice in sent[f"account:{ALICE}"][0]["notices"]}
    assert notices["leverage"] == {"market": "BTC-PERP", "leverage": 7}
    assert notices["dead_mans_switch"] == {"due_ms": 5}
    assert notices["funding"] == {"market": "BTC-PERP", "due_ms": NOON_MS, "amount": "-2.500000"}
    assert notices["liquidation_started"]["maintenance_margin"] == "0.000002"
    assert notices["liquidation"]["taken_over"] == [{"market": "BTC-PERP", "size": "-0.0010", "price": "60000.0"}]


def test_it_notices_an_account_of_its_margin_mode_and_of_conversions(feed: Feed) -> None:
    feed.broadcaster.snapshot(f"account:{ALICE}", account_view(ALICE, 1))
    sent = feed.commit(
        MarginModeSet(account_id=ALICE, market_id=1, mode="isolated"),
        IsolatedMarginMoved(account_id=ALICE, market_id=1, amount_atoms=5, margin_atoms=5),
        CollateralConverted(
            account_id=ALICE,
            asset="BTC",
            amount_atoms=150_000,
            price_e8=6 * 10**12,
            haircut_ppm=25_000,
            paid_atoms=87_750_000,
            debt_atoms=7,
        ),
        accounts={ALICE},
    )
    update = sent[f"account:{ALICE}"][0]
    notices = {notice.pop("kind"): notice for notice in update["notices"]}
    assert notices["margin_mode"] == {"market": "BTC-PERP", "mode": "isolated"}
    assert notices["conversion"] == {"asset": "BTC", "amount": "0.00150000", "paid": "87.750000"}
    assert update["positions"] == []  # there is none whose margin could be shown


def test_it_notices_an_account_of_each_step_towards_its_liquidation(feed: Feed) -> None:
    feed.broadcaster.snapshot(f"account:{ALICE}", account_view(ALICE, 1))
    sent = feed.commit(
        MarginCalled(account_id=ALICE, market_id=0, level=2, equity_atoms=100, maintenance_atoms=95),
        LiquidationStepped(
            liquidation_id=9, account_id=ALICE, step=1, stage="book", market_id=1, position_lots=20, wanted_lots=12, closed_lots=10,
            mark_ticks=600_000, limit_ticks=588_000, bankruptcy_ticks=580_000, quote_atoms=60_000_000, realised_atoms=-5, fee_atoms=1,
            equity_atoms=90, maintenance_atoms=100, equity_after_atoms=80, maintenance_after_atoms=50,
        ),
        PositionDeleveraged(
            liquidation_id=8, bankrupt_account_id=BOB, account_id=ALICE, market_id=1, position_lots=-30, closed_lots=-10,
            mark_ticks=600_000, quote_atoms=60_500_000, profit_atoms=5, side_profit_atoms=9, realised_atoms=4,
        ),
        accounts={ALICE},
    )  # fmt: skip
    notices = {notice.pop("kind"): notice for notice in sent[f"account:{ALICE}"][0]["notices"]}
    assert notices["margin_call"] == {"level": 2, "margin": "cross", "equity": "0.000100", "maintenance_margin": "0.000095"}
    step = notices["liquidation_step"]
    assert (step["stage"], step["closed"], step["limit_price"], step["equity"]) == ("book", "0.0010", "58800.0", "0.000080")
    assert notices["deleveraged"] == {
        "market": "BTC-PERP",
        "side": "sell",
        "closed": "0.0010",
        "quote": "60.500000",
        "realised_pnl": "0.000004",
    }


def test_it_opens_the_channels_of_a_new_market(feed: Feed) -> None:
    assert feed.broadcaster.snapshot("book:2") is None
    feed.commit(MarketCreated(parameters=ETH), book_changes={2: {("buy", 300_000): 4}})
    assert feed.snapshot("book:2")["bids"] == [[300_000, 4]]
    assert feed.snapshot("ticker:2")["ticker"]["market"] == "ETH-PERP"


@pytest.mark.parametrize(
    "topic", ["", "book", "book:", "book:x", "book:9", "book:1:1m", "candles:1", "candles:1:2m", "tape:1", "account:x", "²:²"]
)
def test_it_knows_no_other_topics(feed: Feed, topic: str) -> None:
    assert feed.broadcaster.snapshot(topic) is None


def test_it_names_each_commit_on_the_journal_channel(feed: Feed) -> None:
    assert feed.commit()["journal"] == [{"seq": 11}]
    assert feed.snapshot("journal") == {"seq": 11}
