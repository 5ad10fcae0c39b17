"""Isolated margin: a position's own pool, filled from the cross pool as orders need it, and its losses' only payer."""

from typing import Literal

from markets.commands import MoveIsolatedMargin, SetLeverage, SetMarginMode
from markets.views import Reply
from tests.engine.desk import ALICE, BOB, CHARLIE, MARKET, OTHER, USDC, Desk


def isolate(desk: Desk, account_id: int = ALICE, mode: Literal["cross", "isolated"] = "isolated") -> Reply:
    return desk.do(SetMarginMode(account_id=account_id, market_id=MARKET, mode=mode))


def code(reply: Reply) -> str:
    return reply.reject.code if reply.reject else ""


def isolated_atoms(desk: Desk, account_id: int = ALICE) -> int:
    return desk.engine.state.accounts[account_id].isolated[MARKET].cash_atoms


def cross_atoms(desk: Desk, account_id: int = ALICE) -> int:
    return desk.engine.state.accounts[account_id].cross.cash_atoms


def isolated_desk(cash: int = 1_000 * USDC) -> Desk:
    desk = Desk(cash=cash)
    isolate(desk)
    return desk


def test_it_moves_in_what_an_order_needs() -> None:
    """A bid for 100 USDC at a tenth takes 9.99; half of it again when half of it is filled is not asked twice."""
    desk = isolated_desk()
    desk.buy(ALICE, 10, 9_990)
    (moved,) = desk.named("IsolatedMarginMoved")
    assert (moved.account_id, moved.market_id, moved.amount_atoms, moved.margin_atoms) == (ALICE, MARKET, 9_990_000, 9_990_000)
    assert (isolated_atoms(desk), cross_atoms(desk)) == (9_990_000, 1_000 * USDC - 9_990_000)
    assert desk.account(ALICE).balances == {"USDC": 1_000 * USDC}


def test_it_gives_back_what_cancelled_orders_held() -> None:
    desk = isolated_desk()
    order = desk.buy(ALICE, 10, 9_990).orders[0]
    desk.cancel(ALICE, order.order_id)
    assert (isolated_atoms(desk), cross_atoms(desk)) == (0, 1_000 * USDC)


def test_it_gives_back_what_a_closed_position_leaves() -> None:
    desk = isolated_desk()
    desk.trade(100, 10_000)
    desk.price(10_100)
    desk.trade(100, 10_100, buyer=BOB, seller=ALICE)
    assert isolated_atoms(desk) == 0
    assert cross_atoms(desk) == 1_000 * USDC + 10 * USDC - 500_000 - 202_000


def test_it_refuses_what_both_pools_together_cannot_cover() -> None:
    desk = isolated_desk(cash=10 * USDC)
    assert code(desk.buy(ALICE, 11, 10_000)) == "INSUFFICIENT_MARGIN"
    assert code(desk.buy(ALICE, 10, 10_000)) == ""
    assert code(desk.buy(ALICE, 10, 10_000, market_id=OTHER)) == "INSUFFICIENT_MARGIN"


def test_it_liquidates_an_isolated_position_and_leaves_the_rest_alone() -> None:
    desk = isolated_desk(cash=10_000 * USDC)
    desk.trade(1_000, 10_000)
    desk.trade(1_000, 10_000, buyer=CHARLIE, seller=BOB)
    before = cross_atoms(desk)
    assert isolated_atoms(desk) == 1_000 * USDC
    for ticks in (9_500, 9_050, 9_040, 9_030):
        desk.price(ticks)
        desk.buy(BOB, 3_000, ticks - 10)
        desk.wait(40_000)
    assert desk.position(ALICE) < 1_000
    assert cross_atoms(desk) >= before
    assert desk.position(CHARLIE) == 1_000


def test_it_moves_margin_by_hand() -> None:
    desk = isolated_desk()
    assert code(desk.do(MoveIsolatedMargin(account_id=ALICE, market_id=MARKET, amount_atoms=5))) == "NOTHING_TO_CHANGE"
    desk.trade(100, 10_000)
    assert code(desk.do(MoveIsolatedMargin(account_id=ALICE, market_id=MARKET, amount_atoms=50 * USDC))) == ""
    assert isolated_atoms(desk) == 150 * USDC
    over = desk.do(MoveIsolatedMargin(account_id=ALICE, market_id=MARKET, amount_atoms=-50 * USDC - 1))
    assert over.reject is not None
    assert (over.reject.code, over.reject.data) == ("INSUFFICIENT_BALANCE", {"movable_atoms": 50 * USDC})
    assert code(desk.do(MoveIsolatedMargin(account_id=ALICE, market_id=MARKET, amount_atoms=-50 * USDC))) == ""
    assert code(desk.do(MoveIsolatedMargin(account_id=ALICE, market_id=MARKET, amount_atoms=0))) == "INVALID_AMOUNT"
    assert code(desk.do(MoveIsolatedMargin(account_id=ALICE, market_id=OTHER, amount_atoms=1))) == "NOT_ISOLATED"


def test_it_never_moves_unrealised_profit_to_the_cross_pool() -> None:
    desk = isolated_desk()
    desk.trade(100, 10_000)
    desk.price(10_500)
    over = desk.do(MoveIsolatedMargin(account_id=ALICE, market_id=MARKET, amount_atoms=-1))
    assert code(over) == "INSUFFICIENT_BALANCE"


def test_it_changes_the_mode_only_where_nothing_is_at_stake() -> None:
    desk = Desk()
    order = desk.buy(ALICE, 10, 9_990).orders[0]
    assert code(isolate(desk)) == "HAS_EXPOSURE"
    desk.cancel(ALICE, order.order_id)
    assert code(isolate(desk)) == ""
    assert code(isolate(desk)) == "NOTHING_TO_CHANGE"
    desk.trade(10, 10_000)
    assert code(isolate(desk, mode="cross")) == "HAS_EXPOSURE"
    desk.trade(10, 10_000, buyer=BOB, seller=ALICE)
    assert code(isolate(desk, mode="cross")) == ""
    assert desk.engine.state.accounts[ALICE].isolated == {}


def test_it_brings_in_what_a_lower_leverage_needs() -> None:
    desk = isolated_desk()
    desk.trade(100, 10_000)
    assert code(desk.do(SetLeverage(account_id=ALICE, market_id=MARKET, leverage=5))) == ""
    assert isolated_atoms(desk) == 200 * USDC
    assert code(desk.do(SetLeverage(account_id=ALICE, market_id=MARKET, leverage=1))) == "INSUFFICIENT_MARGIN"


def test_it_lets_no_reduction_cost_more_than_the_pool_has() -> None:
    """Alice may not close at a price that leaves less than nothing: that loss would be somebody else's."""
    desk = isolated_desk()
    for account_id in (ALICE, BOB):
        desk.do(SetLeverage(account_id=account_id, market_id=MARKET, leverage=50))
    desk.trade(100, 10_000)
    desk.buy(BOB, 100, 9_700)
    order = desk.sell(ALICE, 100, 9_700, reduce_only=True, time_in_force="ioc").orders[0]
    assert (order.status, order.reason, desk.position(ALICE)) == ("cancelled", "margin", 100)


def test_it_goes_on_from_a_snapshot() -> None:
    desk = isolated_desk()
    desk.trade(100, 10_000)
    desk.restart()
    assert isolated_atoms(desk) == 100 * USDC
    desk.trade(100, 10_000, buyer=BOB, seller=ALICE)
    assert isolated_atoms(desk) == 0


def test_it_keeps_the_mode_of_an_empty_pool_in_a_snapshot() -> None:
    desk = isolated_desk()
    desk.restart()
    assert code(isolate(desk)) == "NOTHING_TO_CHANGE"
    desk.buy(ALICE, 10, 9_990)
    assert isolated_atoms(desk) == 9_990_000


def test_it_brings_in_what_an_isolated_maker_lacks_at_its_fill() -> None:
    """An offer at mark holds its initial margin and no more: the fee comes from the cross pool when it is filled."""
    desk = isolated_desk()
    desk.sell(ALICE, 10, 10_000)
    assert isolated_atoms(desk) == 10 * USDC
    desk.buy(BOB, 10, 10_000)
    assert desk.position(ALICE) == -10
    assert isolated_atoms(desk) == 10 * USDC
    assert cross_atoms(desk) == 990 * USDC - 20_000


def test_it_cancels_an_isolated_maker_that_neither_pool_can_pay_for() -> None:
    desk = isolated_desk(cash=10 * USDC)
    desk.deposit(BOB, 10 * USDC)
    desk.sell(ALICE, 10, 10_000)
    desk.buy(BOB, 10, 10_000)
    assert desk.position(ALICE) == 0
    assert desk.named("OrderCancelled")[0].reason == "margin"


def test_it_takes_no_margin_out_at_an_old_price() -> None:
    desk = isolated_desk()
    desk.trade(100, 10_000)
    desk.do(MoveIsolatedMargin(account_id=ALICE, market_id=MARKET, amount_atoms=50 * USDC))
    desk.now_ms += 61_000
    desk.wait(1)
    over = desk.do(MoveIsolatedMargin(account_id=ALICE, market_id=MARKET, amount_atoms=-1))
    assert over.reject is not None
    assert (over.reject.code, over.reject.data) == ("PRICE_STALE", {"oracle_state": "stale"})
    assert code(desk.do(MoveIsolatedMargin(account_id=ALICE, market_id=MARKET, amount_atoms=1))) == ""


def test_it_keeps_a_share_of_notional_in_an_isolated_pool() -> None:
    """INC-06: 20 % of 1,000 stay with the position, though a tenth is its initial margin; without one all goes back."""
    desk = isolated_desk()
    desk.limit(withdrawal_notional_ppm=200_000)
    desk.trade(100, 10_000)
    desk.do(MoveIsolatedMargin(account_id=ALICE, market_id=MARKET, amount_atoms=150 * USDC))
    over = desk.do(MoveIsolatedMargin(account_id=ALICE, market_id=MARKET, amount_atoms=-50 * USDC - 1))
    assert over.reject is not None
    assert (over.reject.code, over.reject.data) == ("INSUFFICIENT_BALANCE", {"movable_atoms": 50 * USDC})
    assert code(desk.do(MoveIsolatedMargin(account_id=ALICE, market_id=MARKET, amount_atoms=-50 * USDC))) == ""
    desk.trade(100, 10_000, buyer=BOB, seller=ALICE)
    assert isolated_atoms(desk) == 0


def test_it_fills_a_complete_order_from_an_isolated_maker_whose_fee_is_in_its_cross_pool() -> None:
    desk = isolated_desk()
    desk.sell(ALICE, 10, 10_000)
    assert code(desk.buy(BOB, 10, 10_000, time_in_force="fok")) == ""
    assert desk.position(ALICE) == -10


def test_it_fills_no_complete_order_from_an_isolated_maker_that_neither_pool_can_pay_for() -> None:
    desk = isolated_desk(cash=10 * USDC)
    desk.deposit(BOB, 10 * USDC)
    desk.sell(ALICE, 10, 10_000)
    assert code(desk.buy(BOB, 10, 10_000, time_in_force="fok")) == "FOK_UNFILLABLE"
