"""Explanations against the engine itself: their terms sum to its totals, and their liquidation prices are where it liquidates."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from markets.commands import MoveIsolatedMargin, SetLeverage, SetMarginMode, Side
from markets.queries import ExplainMargin, GetExposures, PreviewMargin
from markets.views import Exposure, HoldingTerms, LiquidationTerms, MarginExplanation, MarginPreview, PoolTerms
from tests.engine.chance import Chance
from tests.engine.desk import ALICE, BOB, CHARLIE, MARKET, OTHER, USDC, Desk
from trading.engine import margin
from trading.engine.checks import MAX_SHOWN
from trading.engine.snapshot import state_hash

EXAMPLES = 12


def explain(desk: Desk, account_id: int = ALICE) -> MarginExplanation:
    found: MarginExplanation | None = desk.engine.answer(ExplainMargin(account_id=account_id))
    assert found is not None
    return found


def preview(desk: Desk, account_id: int = ALICE, **tried: object) -> MarginPreview:
    found: MarginPreview | None = desk.engine.answer(PreviewMargin(account_id=account_id, **tried))  # type: ignore[arg-type]
    assert found is not None
    return found


def holding(terms: MarginExplanation, market_id: int = MARKET) -> HoldingTerms:
    return next(held for pool in terms.pools for held in pool.holdings if held.market_id == market_id)


def check_sums(pool: PoolTerms) -> None:
    """Every total is the sum of its terms, to the atom."""
    assert pool.unrealised_atoms == sum(held.unrealised_atoms for held in pool.holdings)
    assert pool.equity_atoms == sum(term.value_atoms for term in pool.collateral) + pool.unrealised_atoms
    assert pool.initial_equity_atoms == sum(term.initial_value_atoms for term in pool.collateral) + pool.unrealised_atoms
    assert pool.initial_margin_atoms == sum(held.initial_margin_atoms for held in pool.holdings)
    assert pool.maintenance_margin_atoms == sum(held.maintenance_margin_atoms for held in pool.holdings)
    assert pool.available_atoms == pool.initial_equity_atoms - pool.initial_margin_atoms
    for held in pool.holdings:
        check_holding(held)


def check_holding(held: HoldingTerms) -> None:
    assert held.by_tiers_atoms == sum(part.initial_atoms for part in held.tiers)
    assert held.worst_notional_atoms == sum(part.notional_atoms for part in held.tiers)
    largest = max(held.by_leverage_atoms, held.by_tiers_atoms)
    assert held.initial_margin_atoms == largest + held.open_interest_atoms + held.concentration_atoms
    assert held.maintenance_margin_atoms == -(-held.notional_atoms * held.maintenance_ppm // 1_000_000) - held.deduction_atoms


def check_against_engine(desk: Desk, account_id: int) -> None:
    state = desk.engine.state
    account = state.accounts[account_id]
    terms = explain(desk, account_id)
    assert [pool.market_id for pool in terms.pools] == [pool.market_id for pool in account.pools()]
    for said, pool in zip(terms.pools, account.pools(), strict=True):
        check_sums(said)
        assert said.equity_atoms == margin.equity(state, pool)
        assert said.initial_margin_atoms == pool.initial_atoms
        assert said.maintenance_margin_atoms == margin.maintenance(state, pool)
        assert said.available_atoms == margin.available(state, pool)
        assert said.withdrawable_atoms == margin.withdrawable(state, pool)


@pytest.mark.parametrize("seed", range(4))
def test_it_explains_every_figure_of_a_busy_engine(seed: int) -> None:
    desk = Desk()
    chance = Chance(desk, seed)
    for number, command in enumerate(chance.commands(300)):
        desk.do(command)
        if number % 10 == 0:
            before = state_hash(desk.engine.state)
            for account_id in (ALICE, BOB, CHARLIE):
                check_against_engine(desk, account_id)
                preview(desk, account_id, moves_ppm={MARKET: -100_000}, leverages={OTHER: 3})
            assert state_hash(desk.engine.state) == before, "asking has changed the state"


def test_it_has_nothing_to_say_of_strangers_and_other_markets() -> None:
    desk = Desk()
    assert desk.engine.answer(ExplainMargin(account_id=4_711)) is None
    assert desk.engine.answer(ExplainMargin(account_id=3)) is None
    assert desk.engine.answer(PreviewMargin(account_id=ALICE, moves_ppm={99: 1})) is None


def liquidated(desk: Desk, account_id: int, market_id: int, ticks: int) -> bool:
    """Move the price there, say so twice, and tell whether the engine began to liquidate the account."""
    desk.price(ticks, market_id=market_id)
    desk.confirm()
    assert desk.market(market_id).mark_ticks == ticks
    return [event.account_id for event in desk.named("LiquidationStarted")] == [account_id]


def open_positions(desk: Desk, sizes: dict[int, int]) -> None:
    """Give Charlie positions against Bob, who has plenty."""
    for market_id, size in sizes.items():
        if size:
            buyer, seller = (CHARLIE, BOB) if size > 0 else (BOB, CHARLIE)
            desk.sell(seller, abs(size), 10_000, market_id=market_id)
            desk.buy(buyer, abs(size), 10_000, market_id=market_id, time_in_force="ioc")


SIZES = st.integers(-3_000, 3_000).filter(lambda size: abs(size) >= 20)
SIDES = ("liquidation_below", "liquidation_above")
ORACLE_TICKS = (2_000, 50_000)  # a price further from the average is halted, and nothing is liquidated on it
Make = Callable[[], Desk]


def check_liquidation(make: Make, market_id: int, pool_market_id: int = 0) -> int:
    """At the tick that is named the engine takes a position, and one tick before it does not: either way. Returns how many there are."""
    found = 0
    for side in SIDES:
        desk = make()
        terms: LiquidationTerms | None = getattr(holding(explain(desk, CHARLIE), market_id), side)
        if terms is None or not ORACLE_TICKS[0] < terms.ticks < ORACLE_TICKS[1]:
            continue
        found += 1
        assert terms.equity_atoms < terms.maintenance_atoms
        check_shown(desk, market_id)
        assert not liquidated(desk, CHARLIE, market_id, terms.ticks + (1 if side == SIDES[0] else -1))
        before = next(pool for pool in explain(desk, CHARLIE).pools if pool.market_id == pool_market_id)
        assert before.equity_atoms >= before.maintenance_margin_atoms
        assert liquidated(desk, CHARLIE, market_id, terms.ticks)
    return found


@settings(max_examples=EXAMPLES, deadline=None)
@given(first=SIZES, second=SIZES | st.just(0), spare=st.integers(1, 40))
def test_its_liquidation_prices_are_where_the_engine_liquidates(first: int, second: int, spare: int) -> None:
    for market_id, size in ((MARKET, first), (OTHER, second)):
        if size:
            check_liquidation(lambda: cross_desk(first, second, spare), market_id)


@settings(max_examples=EXAMPLES, deadline=None)
@given(first=SIZES, second=SIZES | st.just(0), spare=st.integers(1, 40))
def test_its_prices_are_right_for_isolated_positions(first: int, second: int, spare: int) -> None:
    """The isolated position falls alone: the price that is named says nothing of the other one's."""

    def make() -> Desk:
        return cross_desk(first, second, spare, isolated=True)

    assert check_liquidation(make, MARKET, MARKET) <= 1
    if second:
        check_liquidation(make, OTHER)


@settings(max_examples=EXAMPLES, deadline=None)
@given(first=SIZES, second=SIZES | st.just(0), spare=st.integers(0, 30), coins=st.integers(1, 400))
def test_its_prices_are_right_with_collateral_in_the_traded_asset(first: int, second: int, spare: int, coins: int) -> None:
    """Collateral moves with the price that liquidates: a short may be liquidated by a fall, and a long sooner."""

    def make() -> Desk:
        return cross_desk(first, second, spare, coins=coins)

    for market_id, size in ((MARKET, first), (OTHER, second)):
        if size:
            check_liquidation(make, market_id)


def check_shown(desk: Desk, market_id: int) -> None:
    """Positions show the price that goes against them, or the other one if that is all there is."""
    terms = holding(explain(desk, CHARLIE), market_id)
    prices = [terms.liquidation_below, terms.liquidation_above][:: 1 if terms.size_lots > 0 else -1]
    shown = next(position.liquidation_ticks for position in desk.account(CHARLIE).positions if position.market_id == market_id)
    assert shown == next(price.ticks for price in prices if price is not None)


def cross_desk(first: int, second: int, spare: int, *, isolated: bool = False, coins: int = 0) -> Desk:
    """Charlie has little money, and in some of these BTC, whose price is the other market's."""
    desk = Desk(cash=0)
    desk.deposit(BOB, 100_000_000 * USDC)
    desk.deposit(CHARLIE, (abs(first) + abs(second)) * (220_000 + spare * 20_000))
    if coins:
        desk.admit()
        desk.deposit(CHARLIE, coins * 10**6, "BTC")
    desk.lever(50)
    if isolated:
        desk.do(SetMarginMode(account_id=CHARLIE, market_id=MARKET, mode="isolated"))
    open_positions(desk, {MARKET: first, OTHER: second})
    return desk


def test_it_previews_what_an_order_then_does() -> None:
    desk = Desk()
    desk.sell(BOB, 500, 10_010)
    desk.sell(BOB, 500, 10_020)
    order = desk.order(ALICE, "buy", 1_500, 10_020)
    tried = preview(desk, order=order)
    assert tried.reject is None
    assert tried.before == explain(desk)
    desk.do(order)
    after = explain(desk)
    assert tried.after.pools == after.pools
    assert holding(after).size_lots == 1_000
    assert holding(after).worst_notional_atoms > holding(after).notional_atoms


def test_it_previews_what_a_reduction_then_does() -> None:
    desk = Desk()
    desk.trade(1_000, 10_000)
    desk.buy(BOB, 700, 9_990)
    order = desk.order(ALICE, "sell", 400, 9_990, reduce_only=True, time_in_force="ioc")
    tried = preview(desk, order=order)
    desk.do(order)
    assert tried.after.pools == explain(desk).pools


def test_it_previews_what_an_isolated_order_then_does() -> None:
    desk = Desk()
    desk.do(SetMarginMode(account_id=ALICE, market_id=MARKET, mode="isolated"))
    desk.sell(BOB, 500, 10_000)
    for order in (desk.order(ALICE, "buy", 800, 10_000), desk.order(ALICE, "buy", 300, 9_900)):
        tried = preview(desk, order=order)
        desk.do(order)
        assert tried.after.pools == explain(desk).pools
    tried = preview(desk, isolated_atoms={MARKET: 50 * USDC}, leverages={MARKET: 4})
    desk.do(SetLeverage(account_id=ALICE, market_id=MARKET, leverage=4))
    desk.do(MoveIsolatedMargin(account_id=ALICE, market_id=MARKET, amount_atoms=50 * USDC))
    assert {pool.market_id: pool.equity_atoms for pool in tried.after.pools}[MARKET] > 50 * USDC
    assert holding(tried.after).initial_margin_atoms == holding(explain(desk)).initial_margin_atoms


def test_it_previews_the_way_back_from_an_isolated_position() -> None:
    desk = Desk()
    desk.do(SetMarginMode(account_id=ALICE, market_id=MARKET, mode="isolated"))
    desk.trade(500, 10_000)
    desk.buy(BOB, 500, 9_990)
    order = desk.order(ALICE, "sell", 500, 9_990, reduce_only=True, time_in_force="ioc")
    tried = preview(desk, order=order)
    desk.do(order)
    assert tried.after.pools == explain(desk).pools
    assert tried.after.pools[1].equity_atoms == 0


def test_it_names_what_crowds_and_large_positions_add() -> None:
    desk = Desk(margin_rises_from_lots=1_000, max_open_interest_lots=3_000, concentration_from_lots=500, concentration_ppm=50_000)
    desk.trade(2_000, 10_000)
    check_against_engine(desk, ALICE)
    terms = holding(explain(desk))
    assert terms.by_leverage_atoms == 2_000 * USDC
    assert terms.concentration_atoms == 15_000 * USDC * 5 // 100
    assert terms.open_interest_atoms == (20_000 - 2_750) * USDC // 2


def test_it_explains_collateral() -> None:
    """Two BTC at 1,000 with a confidence of 10: at 90 % to keep and 80 % to open, on the worse of price and stable price."""
    desk = Desk()
    desk.admit()
    desk.deposit(ALICE, 2 * 10**8, "BTC")
    check_against_engine(desk, ALICE)
    usdc, btc = explain(desk).pools[0].collateral
    assert (usdc.asset, usdc.value_atoms) == ("USDC", 1_000_000 * USDC)
    assert (btc.asset, btc.full_atoms, btc.value_atoms, btc.initial_value_atoms) == ("BTC", 2_000 * USDC, 1_800 * USDC, 1_600 * USDC)
    (row,) = desk.engine.answer(GetExposures(first_account_id=ALICE, last_account_id=ALICE))
    assert [msgspec.structs.astuple(price) for price in row.prices] == [(OTHER, 1_800 * USDC, 0, 0)]


def test_it_says_why_a_previewed_order_would_be_refused() -> None:
    desk = Desk(cash=1_000 * USDC)
    tried = preview(desk, order=desk.order(ALICE, "buy", 100_000, 10_000))
    assert tried.reject is not None
    assert tried.reject.code == "INSUFFICIENT_MARGIN"
    assert tried.after.pools[0].available_atoms < 0


@pytest.mark.parametrize("ticks", [9_000, 11_500])
def test_it_previews_what_a_price_then_does(ticks: int) -> None:
    desk = Desk()
    desk.trade(1_000, 10_000)
    tried = preview(desk, moves_ppm={MARKET: (ticks - 10_000) * 100})
    desk.cancel_all(BOB)
    desk.price(ticks)
    assert holding(tried.after).mark_ticks == ticks
    assert tried.after.pools == explain(desk).pools


def test_it_previews_leverage() -> None:
    desk = Desk()
    desk.trade(1_000, 10_000)
    tried = preview(desk, leverages={MARKET: 2})
    assert holding(tried.before).initial_margin_atoms == 1_000 * USDC
    assert holding(tried.after).initial_margin_atoms == 5_000 * USDC
    assert tried.after.pools[0].maintenance_margin_atoms == tried.before.pools[0].maintenance_margin_atoms


def test_it_lists_the_pools_that_prices_move() -> None:
    desk = Desk()
    desk.trade(1_000, 10_000)
    found: list[Exposure] = desk.engine.answer(GetExposures(first_account_id=0, last_account_id=10**9))
    assert [(row.account_id, [msgspec.structs.astuple(price) for price in row.prices]) for row in found] == [
        (ALICE, [(MARKET, 10_000 * USDC, 10_000 * USDC, 100 * USDC)]),
        (BOB, [(MARKET, -10_000 * USDC, 10_000 * USDC, 100 * USDC)]),
    ]  # fmt: skip
    assert found[0].equity_atoms == margin.equity(desk.engine.state, desk.engine.state.accounts[ALICE].cross)
    assert desk.engine.answer(GetExposures(first_account_id=BOB, last_account_id=BOB)) == found[1:]


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_it_answers_the_most_absurd_order_with_figures_that_a_message_can_carry(side: Side) -> None:
    desk = Desk(max_order_lots=10**12)
    desk.admit()
    desk.deposit(ALICE, 10**12, "BTC")
    order = desk.order(ALICE, side, 10**12, type="stop_market", trigger_ticks=10**12)
    tried = preview(desk, order=order, moves_ppm={OTHER: 10**15})
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(tried), type=MarginPreview) == tried
    assert abs(holding(tried.after).cost_atoms) == MAX_SHOWN
    assert max(part.notional_atoms for part in holding(tried.after).tiers) == MAX_SHOWN


def test_it_leaves_the_makers_alone_that_a_tried_order_would_meet() -> None:
    """The sums of the maker's pool are of the engine's prices, never of a copy's."""
    desk = Desk()
    desk.sell(BOB, 100, 10_010)
    state = desk.engine.state
    maker = state.accounts[BOB].cross
    order = desk.order(ALICE, "buy", 50, 10_010, time_in_force="fok")
    tried = preview(desk, order=order)
    assert tried.reject is None
    assert holding(tried.after).size_lots == 50
    assert {maker.epoch, maker.floor_epoch} == {state.mark_epoch}
    tried = preview(desk, order=msgspec.structs.replace(order, size_lots=200))
    assert tried.reject is not None
    assert tried.reject.code == "FOK_UNFILLABLE"
    assert holding(tried.after).size_lots == 100
