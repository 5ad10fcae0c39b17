"""Liquidation, to the atom. Alice is long ten lots from 10,000 with twelve USDC, which lasts down to 8,893 ticks."""

from markets.commands import SetMarketStatus, SweepLiquidations
from markets.ledger import INSURANCE
from tests.engine.desk import ALICE, BOB, CHARLIE, MARKET, OTHER, USDC, Desk

LIQUIDATION_TICKS = 8_893


def leveraged_alice(other_lots: int = 0) -> Desk:
    """Prices go to 9,400 first: a lone source may not move by more than a tenth at once."""
    desk = Desk(cash=0)
    for account_id, cash in ((ALICE, 12), (BOB, 1_000), (CHARLIE, 1_000)):
        desk.deposit(account_id, cash * USDC)
    desk.trade(10, 10_000, buyer=ALICE, seller=BOB)
    if other_lots:
        desk.sell(BOB, other_lots, 10_000, market_id=OTHER)
        desk.buy(ALICE, other_lots, 10_000, market_id=OTHER)
    desk.price(9_400)
    return desk


def test_it_names_the_first_tick_that_liquidates() -> None:
    desk = leveraged_alice()
    assert desk.account(ALICE).positions[0].liquidation_ticks == LIQUIDATION_TICKS
    desk.price(LIQUIDATION_TICKS + 1)
    assert desk.named("LiquidationStarted") == []
    desk.price(LIQUIDATION_TICKS)
    (started,) = desk.named("LiquidationStarted")
    assert started.equity_atoms == 11_950_000 - 11_070_000
    assert started.maintenance_atoms == 889_300


def test_it_cancels_orders_first() -> None:
    desk = leveraged_alice()
    desk.sell(ALICE, 10, 9_500, reduce_only=True)
    desk.sell(ALICE, 10, type="stop_market", trigger_ticks=8_000, reduce_only=True)
    desk.price(LIQUIDATION_TICKS)
    kinds = [type(event).__name__ for event in desk.events if type(event).__name__ != "MarkChanged"]
    assert kinds[:3] == ["OrderCancelled", "OrderCancelled", "LiquidationStarted"]
    assert {event.reason for event in desk.named("OrderCancelled")} == {"liquidation"}


def test_it_closes_on_the_book_and_stops_when_the_account_is_sound() -> None:
    desk = leveraged_alice()
    desk.buy(CHARLIE, 4, 8_890)
    desk.price(LIQUIDATION_TICKS)
    (fill,) = desk.fills()
    assert (fill.kind, fill.size_lots, fill.price_ticks, fill.taker_fee_atoms) == ("liquidation", 4, 8_890, 0)
    assert fill.taker_pnl_atoms == -4_440_000
    (done,) = desk.named("AccountLiquidated")
    assert done.closed_quote_atoms == 35_560_000
    assert done.fee_atoms == 177_800
    assert (done.insurance_paid_atoms, done.taken_over) == (0, ())
    assert done.equity_atoms == 11_950_000 - 4_440_000 - 6_642_000 - 177_800
    assert done.maintenance_atoms == 533_580
    assert desk.position(ALICE) == 6


def test_it_hands_what_the_book_does_not_take_to_the_insurance_account_at_mark() -> None:
    desk = leveraged_alice()
    desk.buy(CHARLIE, 10, 8_700)  # worse than 2 % below mark
    desk.price(LIQUIDATION_TICKS)
    assert desk.fills() == []
    (done,) = desk.named("AccountLiquidated")
    assert done.taken_over == ((MARKET, 10, LIQUIDATION_TICKS),)
    assert (done.fee_atoms, done.insurance_paid_atoms) == (444_650, 0)
    assert desk.account(ALICE).balances["USDC"] == 11_950_000 - 11_070_000 - 444_650
    (position,) = desk.account(INSURANCE).positions
    assert (position.size_lots, position.cost_atoms) == (10, 88_930_000)
    assert [(event.account_id, event.size_lots, event.realised_atoms) for event in desk.named("PositionChanged")] == [
        (ALICE, 0, -11_070_000),
        (INSURANCE, 10, 0),
    ]


def test_it_pays_a_debt_from_insurance_which_may_go_negative() -> None:
    desk = leveraged_alice()
    desk.price(8_700)
    (done,) = desk.named("AccountLiquidated")
    assert (done.fee_atoms, done.insurance_paid_atoms) == (0, 1_050_000)
    assert (done.equity_atoms, done.maintenance_atoms) == (0, 0)
    assert desk.account(ALICE).balances["USDC"] == 0
    assert desk.account(INSURANCE).balances["USDC"] == -1_050_000


def test_it_charges_no_more_fee_than_there_is() -> None:
    desk = leveraged_alice()
    desk.price(8_820)
    (done,) = desk.named("AccountLiquidated")
    assert done.fee_atoms == 11_950_000 - 11_800_000
    assert done.insurance_paid_atoms == 0


def test_it_never_liquidates_on_an_old_price() -> None:
    """Alice holds the other market too; while its price is old, the first market's fall liquidates nothing."""
    desk = leveraged_alice(other_lots=1)
    assert desk.position(ALICE, OTHER) == 1
    desk.now_ms += 60_001
    desk.price(9_400)
    desk.price(8_700)
    assert desk.named("LiquidationStarted") == []
    desk.price(10_000, market_id=OTHER)
    assert len(desk.named("LiquidationStarted")) == 1


def test_it_waits_until_the_market_matches_and_then_sweeps() -> None:
    desk = leveraged_alice()
    desk.do(SetMarketStatus(market_id=MARKET, status="halted", reason="test"))
    desk.price(8_700)
    assert desk.position(ALICE) == 10
    desk.do(SetMarketStatus(market_id=MARKET, status="normal", reason="test"))
    desk.do(SweepLiquidations())
    assert desk.position(ALICE) == 0


def test_it_never_touches_accounts_without_positions() -> None:
    desk = leveraged_alice()
    before = desk.account(CHARLIE)
    desk.price(8_700)
    desk.do(SweepLiquidations())
    assert desk.account(CHARLIE) == before


def test_it_lets_a_liquidations_fill_trigger_others() -> None:
    desk = leveraged_alice()
    stop = desk.sell(CHARLIE, 5, type="stop_market", trigger_ticks=8_891, trigger_by="last").orders[0]
    desk.buy(BOB, 20, 8_890)
    desk.price(LIQUIDATION_TICKS)
    assert [event.order_id for event in desk.named("OrderTriggered")] == [stop.order_id]
    assert desk.position(CHARLIE) == -5
