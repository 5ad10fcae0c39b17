"""Deleveraging, the backstop and delisting: what they take from whom, to the atom, and what they leave alone."""

from random import Random

import msgspec
import pytest

from markets.assets import RiskParameters
from markets.commands import OpenAccount, SetLeverage, SetMarketStatus, SetRiskParameters, Side, SweepLiquidations
from markets.ledger import BACKSTOP, CLEARING, DUST, FEES, INSURANCE
from markets.queries import GetDeleveraging
from markets.views import DeleveragingPlace
from tests.engine.desk import ALICE, BOB, CHARLIE, MARKET, OTHER, USDC, Desk
from tests.engine.signing import signed
from tests.engine.test_liquidation import BACKSTOP_TICKS, cash, fall, fund, leveraged_alice
from trading.engine.snapshot import account_record, state_hash

SHORTS = (BOB, CHARLIE, 1003, 1004)


def crowd(sizes: tuple[int, ...], entries: tuple[int, ...], cash_usdc: int, wallets: tuple[int, ...] = ()) -> Desk:
    """Let Alice buy from several, each at a price of his own, so that their profits differ; 1,005 only has money."""
    desk = Desk(cash=0, maker_fee_ppm=0, taker_fee_ppm=0, wallets=wallets)
    desk.deposit(ALICE, cash_usdc * USDC)
    for account_id in (*SHORTS, 1005):
        desk.do(OpenAccount(account_id=account_id))
        desk.deposit(account_id, 10_000 * USDC)
    desk.do(SetLeverage(account_id=ALICE, market_id=MARKET, leverage=50))
    for account_id, size, entry in zip(SHORTS, sizes, entries, strict=True):
        if size:
            trade(desk, size, entry, buyer=ALICE, seller=account_id)
    return desk


def trade(desk: Desk, size: int, ticks: int, *, buyer: int, seller: int) -> None:
    """Let the seller rest and the buyer take; for accounts of wallets, under their signatures."""
    sides: tuple[tuple[int, Side], ...] = ((seller, "sell"), (buyer, "buy"))
    for account_id, side in sides:
        owned = desk.engine.state.accounts[account_id].self_custody
        more = {"signed": signed(side=side, size_lots=size, limit_ticks=ticks)} if owned else {}
        desk.place(account_id, side, size, ticks, **more)


def test_it_shares_by_unrealised_profit() -> None:
    """At 8,850 the shorts from 10,000 have earned 11.5 USDC with ten lots, those from 9,500 five less."""
    desk = crowd((10, 10, 10, 0), (10_000, 9_500, 10_000, 0), 30)
    before = {account_id: cash(desk, account_id) for account_id in SHORTS}
    fall(desk, 8_850)
    closed = {event.account_id: event for event in desk.named("PositionDeleveraged")}
    assert {account_id: event.closed_lots for account_id, event in closed.items()} == {BOB: -10, CHARLIE: -10, 1003: -10}
    profits = {account_id: event.profit_atoms for account_id, event in closed.items()}
    assert profits == {
        BOB: 11_500_000,
        CHARLIE: 6_500_000,
        1003: 11_500_000,
    }
    assert all(event.side_profit_atoms == 29_500_000 for event in closed.values())
    (done,) = desk.named("AccountLiquidated")
    ((_, size, quote),) = done.deleveraged
    assert (size, quote) == (30, 265_000_000)  # 295 USDC were paid, 30 were there
    assert cash(desk, ALICE) == 0
    earned = {account_id: cash(desk, account_id) - before[account_id] for account_id in SHORTS}
    assert earned[1004] == 0
    assert sum(earned.values()) + cash(desk, DUST) == 30_000_000
    assert cash(desk, DUST) == 2  # three parts of a third, each rounded against its owner
    assert cash(desk, CLEARING) == 0


def test_it_takes_part_of_the_winners_positions_in_proportion() -> None:
    """Of sixty lots short, Alice has twenty; another long keeps the rest of the market going."""
    desk = crowd((10, 10, 0, 0), (10_000, 9_600, 0, 0), 18)
    desk.trade(30, 10_000, buyer=1005, seller=BOB)
    desk.trade(10, 9_600, buyer=1005, seller=CHARLIE)
    fall(desk, 8_900)
    closed = {event.account_id: event.closed_lots for event in desk.named("PositionDeleveraged")}
    # Profits: Bob 40 lots x 1,100 ticks is 44, Charlie 20 x 700 is 14 USDC: 20 x 44 / 58 and 20 x 14 / 58, remainders to the first.
    assert closed == {BOB: -16, CHARLIE: -4}
    assert (desk.position(BOB), desk.position(CHARLIE), desk.position(1005)) == (-24, -16, 40)


@pytest.mark.parametrize(
    ("wallets", "closed"),
    [
        ((), {BOB: -16, CHARLIE: -4}),
        ((CHARLIE,), {BOB: -20}),
        ((BOB,), {CHARLIE: -20}),
        ((BOB, CHARLIE), {}),
        ((ALICE, BOB), {BOB: -16, CHARLIE: -4}),
    ],
    ids=["no wallets", "the platform's first", "though they earned less", "nobody", "a wallet's own loss"],
)
def test_a_platforms_account_is_taken_over_by_others_like_it(wallets: tuple[int, ...], closed: dict[int, int]) -> None:
    """On chain its loss would be the platform's word only; what a wallet lost is proven, and shared by all."""
    desk = crowd((10, 10, 0, 0), (10_000, 9_600, 0, 0), 18, wallets)
    trade(desk, 30, 10_000, buyer=1005, seller=BOB)
    trade(desk, 10, 9_600, buyer=1005, seller=CHARLIE)
    fall(desk, 8_900)
    assert {event.account_id: event.closed_lots for event in desk.named("PositionDeleveraged")} == closed


def test_the_exchange_takes_over_what_it_may_ask_no_wallet_for() -> None:
    """Alice has 20 lots, Charlie as a platform's account takes 5 of them; of the other 15 the exchange bears the loss."""
    desk = crowd((15, 5, 0, 0), (10_000, 10_000, 0, 0), 18, (BOB,))
    before = {account_id: cash(desk, account_id) for account_id in (BOB, FEES)}
    fall(desk, 8_900)
    assert {event.account_id: event.closed_lots for event in desk.named("PositionDeleveraged")} == {CHARLIE: -5}
    assert (desk.position(ALICE), desk.position(BOB), desk.position(INSURANCE)) == (0, -15, 15)
    (done,) = desk.named("AccountLiquidated")
    ((_, size, quote),) = done.deleveraged
    assert (size, quote) == (20, 182_000_000)  # 178 at mark, and 4 that Alice lacked
    assert cash(desk, ALICE) == 0
    assert cash(desk, BOB) == before[BOB]
    assert cash(desk, FEES) == before[FEES] - 3_000_000
    assert desk.engine.state.accounts[INSURANCE].holdings[MARKET].cost_atoms == 15 * 8_900_000


def test_it_reaches_those_without_profit_only_when_the_others_are_used_up() -> None:
    desk = crowd((10, 0, 0, 0), (10_000, 0, 0, 0), 11)
    desk.price(9_000)
    desk.trade(10, 9_000, buyer=1005, seller=CHARLIE)
    fall(desk, 9_010)
    fall(desk, 8_800)
    closed = {event.account_id: event.closed_lots for event in desk.named("PositionDeleveraged")}
    assert BOB in closed
    assert desk.position(ALICE) == 0
    assert -desk.position(CHARLIE) - desk.position(BOB) == desk.position(1005) == 10


@pytest.mark.parametrize("seed", range(5))
def test_it_conserves_value_whatever_the_crowd(seed: int) -> None:
    """All money that is anywhere is still there, the bankrupt has nothing, and who had no position is bit for bit the same."""
    draw = Random(seed)  # noqa: S311
    sizes = tuple(draw.randint(1, 60) for _ in SHORTS)
    desk = crowd(sizes, tuple(9_990 + draw.randint(0, 20) for _ in SHORTS), sum(sizes))
    desk.price(9_300)
    flat = encode_account(desk, 1005)
    total = sum(account.usdc_atoms() for account in desk.engine.state.accounts.values())
    fall(desk, 8_950 - draw.randint(0, 300))
    assert desk.named("PositionDeleveraged")
    assert total == sum(account.usdc_atoms() for account in desk.engine.state.accounts.values()) == 0
    assert (desk.position(ALICE), cash(desk, ALICE), cash(desk, CLEARING)) == (0, 0, 0)
    assert 0 <= cash(desk, DUST) < len(SHORTS)
    assert encode_account(desk, 1005) == flat
    assert all(cash(desk, account_id) >= 10_000 * USDC for account_id in SHORTS)


def encode_account(desk: Desk, account_id: int) -> bytes:
    return msgspec.msgpack.encode(account_record(desk.engine.state.accounts[account_id]))


def test_it_lets_the_exchange_pay_what_nobody_else_can() -> None:
    """A debt without a position, an empty fund: its fees stand behind it, and it is said so."""
    desk = leveraged_alice()
    pool = desk.engine.state.accounts[ALICE].cross
    desk.trade(10, 9_400, buyer=BOB, seller=ALICE)
    assert desk.position(ALICE) == 0
    desk.engine.state.accounts[FEES].cross.cash_atoms += pool.cash_atoms + 500
    pool.cash_atoms = -500  # however that came about
    fees = cash(desk, FEES)
    pool.armed = False
    desk.engine.state.unswept.add(ALICE)
    desk.now_ms += 1
    desk.engine.begin(desk.now_ms)
    desk.engine.apply(SweepLiquidations())
    desk.engine.finish()
    assert (pool.cash_atoms, cash(desk, FEES), cash(desk, INSURANCE)) == (0, fees - 500, 0)


def test_it_shows_how_a_position_stands_in_the_queue() -> None:
    desk = crowd((10, 10, 20, 0), (10_000, 9_500, 10_000, 0), 400)
    desk.price(9_000)
    (bob,) = places(desk, BOB)
    assert (bob.profit_atoms, bob.side_profit_atoms, bob.share_ppm) == (10_000_000, 35_000_000, 285_714)
    assert (bob.place, bob.places) == (2, 3)
    (alice,) = places(desk, ALICE)
    assert (alice.profit_atoms, alice.share_ppm, alice.place, alice.places) == (0, 0, 1, 1)
    assert places(desk, 1005) == []
    assert places(desk, 7) == places(desk, 9_999) == []


def places(desk: Desk, account_id: int) -> list[DeleveragingPlace]:
    found: list[DeleveragingPlace] = desk.engine.answer(GetDeleveraging(account_id=account_id))
    return found


def test_the_backstop_sells_what_it_took_slice_by_slice() -> None:
    desk = leveraged_alice(lots=1_000, liquidation_min_notional_atoms=1)
    fund(desk, BACKSTOP, 5_000)
    fall(desk, BACKSTOP_TICKS - 10)
    assert desk.position(BACKSTOP) == 1_000
    desk.buy(BOB, 400, 8_800)
    desk.wait(4_999)
    assert desk.position(BACKSTOP) == 1_000
    desk.wait(1)
    (fill,) = desk.fills()
    assert (fill.kind, fill.size_lots, fill.taker_account_id, fill.taker_fee_atoms) == ("liquidation", 200, BACKSTOP, 0)
    desk.restart()
    desk.wait(1_000)
    assert desk.fills() == []
    desk.wait(4_000)
    assert desk.position(BACKSTOP) == 640


def test_the_backstop_takes_nothing_that_it_could_not_keep() -> None:
    """What it may still lose must be the maintenance of what it has and gets: 0.883 USDC for Alice's ten lots."""
    for missing_atoms, stage in ((1, "deleveraging"), (0, "backstop")):
        desk = leveraged_alice()
        fund(desk, BACKSTOP, 1)
        desk.do(SetRiskParameters(parameters=RiskParameters(backstop_loss_cap_atoms=883_000 - missing_atoms)))
        fall(desk, BACKSTOP_TICKS - 10)
        assert [event.stage for event in desk.named("LiquidationStepped")] == [stage]
        assert desk.position(BACKSTOP) == (0 if stage == "deleveraging" else 10)


def test_the_backstop_loses_no_more_than_its_cap() -> None:
    """It has a thousand and may lose ten: at that price what it holds is closed against the other side, and its own money stays."""
    desk = leveraged_alice()
    fund(desk, BACKSTOP, 1_000)
    desk.do(SetRiskParameters(parameters=RiskParameters(backstop_loss_cap_atoms=10 * USDC)))
    fund(desk, INSURANCE, 50)
    fall(desk, BACKSTOP_TICKS - 10)
    assert desk.position(BACKSTOP) == 10
    fall(desk, 7_700)
    assert desk.position(BACKSTOP) == 0
    assert cash(desk, BACKSTOP) == 990 * USDC
    assert cash(desk, INSURANCE) == 50 * USDC


def test_it_settles_a_delisted_market_from_insurance_and_then_from_the_winners() -> None:
    """At 8,000 Alice owes 8.05 USDC; the fund has five, and Bob's settlement gives the rest."""
    desk = leveraged_alice()
    fund(desk, INSURANCE, 5)
    desk.do(SetMarketStatus(market_id=MARKET, status="halted", reason="the end is near"))
    desk.price(8_000)
    for _ in range(40):
        desk.now_ms += 59_000
        desk.publish(8_000, MARKET, ("pyth", "pyth_solana"))
    flat = encode_account(desk, CHARLIE)
    before = cash(desk, BOB)
    desk.do(SetMarketStatus(market_id=MARKET, status="delisted", reason="the end"))
    (settled,) = desk.named("MarketSettled")
    assert (settled.price_ticks, settled.positions, settled.window_ms) == (8_000, 2, 1_800_000)
    assert settled.covered_ms >= 1_770_000
    assert (settled.shortfall_atoms, settled.insurance_paid_atoms, settled.winners_paid_atoms) == (8_050_000, 5_000_000, 3_050_000)
    assert (cash(desk, ALICE), cash(desk, INSURANCE), cash(desk, CLEARING)) == (0, 0, 0)
    assert cash(desk, BOB) == before + 20_000_000 - 3_050_000
    assert encode_account(desk, CHARLIE) == flat


def test_it_leaves_the_other_positions_of_a_delisted_markets_holders_alone() -> None:
    desk = leveraged_alice(other_lots=1)
    desk.do(SetMarketStatus(market_id=MARKET, status="delisted", reason="the end"))
    assert (desk.position(ALICE, OTHER), desk.position(BOB, OTHER)) == (1, -1)
    assert desk.position(ALICE) == desk.position(BOB) == 0


def test_it_replays_to_the_same_state() -> None:
    desk = leveraged_alice()
    fund(desk, INSURANCE, 1)
    fall(desk, 8_700)
    assert desk.replay() == state_hash(desk.engine.state)
