"""Views and previews tell the truth, and asking changes nothing."""

import msgspec
import pytest

from markets.commands import Side
from markets.ledger import NAMES
from markets.queries import GetAccount, GetMarkets, GetOrder, GetState, PreviewOrder
from markets.views import OrderView, Preview, StateView
from tests.engine.desk import ALICE, BOB, CHARLIE, MARKET, OTHER, USDC, Desk
from trading.engine.snapshot import encode, state_hash


def busy_desk() -> Desk:
    desk = Desk(cash=1_000 * USDC)
    desk.trade(10, 10_000, buyer=ALICE, seller=BOB)
    desk.sell(BOB, 5, 10_000)
    desk.sell(BOB, 50, 10_010)
    desk.buy(CHARLIE, 50, 9_990)
    return desk


def preview(desk: Desk, side: Side, size: int, price: int = 0) -> Preview:
    found: Preview | None = desk.engine.answer(PreviewOrder(order=desk.order(ALICE, side, size, price)))
    assert found is not None
    return found


@pytest.mark.parametrize(("side", "size"), [("buy", 20), ("sell", 4), ("sell", 10), ("sell", 25)])
def test_it_previews_a_market_order_as_it_then_happens(side: Side, size: int) -> None:
    desk = busy_desk()
    seen = preview(desk, side, size)
    before = desk.account(ALICE)
    desk.place(ALICE, side, size)
    after = desk.account(ALICE)
    fills = desk.fills()
    value = sum(fill.price_ticks * fill.size_lots for fill in fills)
    assert seen.reject is None
    assert abs(seen.estimated_price_ticks - value / size) < 1
    assert seen.fee_taker_atoms == pytest.approx(sum(fill.taker_fee_atoms for fill in fills), abs=len(fills))
    assert seen.initial_margin_before_atoms == before.initial_margin_atoms
    assert seen.available_after_atoms == pytest.approx(after.available_atoms, abs=100_000)
    liquidation = after.positions[0].liquidation_ticks if after.positions else 0
    assert seen.liquidation_ticks_after == pytest.approx(liquidation, abs=1)
    assert seen.liquidation_ticks_before == before.positions[0].liquidation_ticks


def test_it_previews_a_refusal_with_figures() -> None:
    desk = busy_desk()
    seen = preview(desk, "buy", 10_000, 10_000)
    assert seen.reject is not None
    assert seen.reject.code == "INSUFFICIENT_MARGIN"
    assert seen.order_value_atoms == 100_000 * USDC
    assert seen.available_after_atoms < 0


def test_it_answers_what_an_absurd_order_would_do_within_64_bits() -> None:
    desk = busy_desk()
    for price in (0, 1, 2**52, 2**60):
        for size in (10**12, 2**60):
            msgspec.msgpack.encode(preview(desk, "buy", size, price))
            msgspec.msgpack.encode(desk.buy(ALICE, size, price))
            msgspec.msgpack.encode(desk.events)


def test_it_names_the_largest_size_that_margin_covers() -> None:
    desk = busy_desk()
    largest = preview(desk, "buy", 1, 9_990).max_size_lots
    assert preview(desk, "buy", largest, 9_990).reject is None
    over = preview(desk, "buy", largest + 10, 9_990).reject
    assert over is not None
    assert over.code == "INSUFFICIENT_MARGIN"


def test_it_finds_orders_by_both_ids_for_their_owner() -> None:
    desk = busy_desk()
    order = desk.buy(ALICE, 10, 9_900, client_order_id="mine").orders[0]
    for query in (GetOrder(account_id=ALICE, order_id=order.order_id), GetOrder(account_id=ALICE, client_order_id="mine")):
        view: OrderView = desk.engine.answer(query)
        assert view == order
    assert desk.engine.answer(GetOrder(account_id=CHARLIE, order_id=order.order_id)) is None
    assert desk.engine.answer(GetAccount(account_id=5_000)) is None
    assert desk.engine.answer(PreviewOrder(order=desk.order(5_000, "buy", 10, 9_900))) is None


def test_it_lists_markets() -> None:
    desk = busy_desk()
    first, second = desk.engine.answer(GetMarkets())
    assert (first.best_bid_ticks, first.best_ask_ticks, first.last_ticks, first.open_interest_lots) == (9_990, 10_000, 10_000, 10)
    assert (second.parameters.market_id, second.best_bid_ticks) == (OTHER, 0)


def test_it_hashes_its_state() -> None:
    desk = busy_desk()
    view: StateView = desk.engine.answer(GetState())
    assert view.state_hash == state_hash(desk.engine.state)
    assert (view.accounts, view.open_orders, view.stamp_ms) == (len(NAMES) + 3, 3, desk.now_ms)


def test_it_changes_nothing_by_answering() -> None:
    desk = busy_desk()
    desk.price(10_050)
    before = encode(desk.engine.state)
    for account_id in (ALICE, BOB, CHARLIE):
        desk.account(account_id)
        for market_id in (MARKET, OTHER):
            desk.engine.answer(PreviewOrder(order=desk.order(account_id, "sell", 7, 10_000, market_id=market_id)))
    desk.engine.answer(GetMarkets())
    assert encode(desk.engine.state) == before


def test_it_reports_levels_that_changed() -> None:
    desk = busy_desk()
    desk.buy(ALICE, 7, 10_010)
    assert desk.outcome.book_changes == {MARKET: {("sell", 10_000): 0, ("sell", 10_010): 48}}
    desk.buy(ALICE, 7, 9_990)
    assert desk.outcome.book_changes == {MARKET: {("buy", 9_990): 57}}
