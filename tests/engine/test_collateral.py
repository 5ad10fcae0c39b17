"""Collateral beside USDC: what it counts for, how much of it may come, and what happens when USDC is owed.

The other market's index values BTC here: 1,000 USD for a whole one, 10^8 atoms.
"""

import pytest

from markets.assets import CollateralTier
from markets.commands import Observation, ObservePrice, SweepLiquidations, Transfer, Withdraw
from markets.events import LedgerTransfer
from markets.ledger import BACKSTOP, FAUCET, INSURANCE
from tests.engine.desk import ALICE, BOB, CHARLIE, MARKET, OTHER, START_MS, USDC, Desk
from trading.engine.snapshot import decode, encode, state_hash
from trading.engine.withdrawals import total_debt, vault_atoms

BTC = 10**8
DAY_MS = 86_400_000


def funded(*, usdc: int = 0, btc: int = 10 * BTC, float_atoms: int = 100_000 * USDC) -> Desk:
    """Return a desk on which Alice has some USDC and BTC, Bob and Charlie have plenty, and the backstop has its float."""
    desk = Desk(cash=0)
    desk.admit()
    for account_id, amount in ((ALICE, usdc), (BOB, 1_000_000 * USDC), (CHARLIE, 1_000_000 * USDC)):
        if amount:
            desk.deposit(account_id, amount)
    if btc:
        desk.deposit(ALICE, btc, "BTC")
    if float_atoms:
        desk.fund(BACKSTOP, float_atoms)
    return desk


def observe(desk: Desk, ticks: int, confidence_ticks: int) -> None:
    desk.now_ms += 1
    unit = desk.engine.state.markets[OTHER].parameters.tick_e8
    prices = [Observation(OTHER, name, ticks * unit, confidence_ticks * unit, desk.now_ms) for name in ("pyth", "pyth_solana")]
    desk.do(ObservePrice(observations=tuple(prices)))


def test_it_counts_collateral_at_its_weights() -> None:
    view = funded(usdc=100 * USDC).account(ALICE)
    assert view.balances == {"BTC": 10 * BTC, "USDC": 100 * USDC}
    assert view.equity_atoms == 100 * USDC + 9_000 * USDC
    assert view.available_atoms == 100 * USDC + 8_000 * USDC


def test_it_counts_less_of_a_large_holding() -> None:
    """Of 300,000 USD the first 100,000 count 80 %, the rest 40 %."""
    assert funded(btc=300 * BTC).account(ALICE).available_atoms == 80_000 * USDC + 80_000 * USDC


def test_it_takes_confidence_off_the_price() -> None:
    desk = funded()
    observe(desk, 10_000, 50)
    assert desk.account(ALICE).equity_atoms == 9_000 * USDC * 995 // 1000


def test_it_lets_no_jump_of_the_price_open_positions() -> None:
    """The stable price follows within its limit, so that only maintenance sees the jump; a fall counts at once for both."""
    desk = funded()
    desk.price(15_000, market_id=OTHER)
    view = desk.account(ALICE)
    assert view.equity_atoms == 13_500 * USDC
    assert view.available_atoms <= 8_000 * USDC * 1_006 // 1_000
    desk.price(9_000, market_id=OTHER)
    assert desk.account(ALICE).available_atoms == 7_200 * USDC


def test_it_trades_on_collateral_alone() -> None:
    desk = funded()
    assert desk.buy(ALICE, 8_000, 9_990).reject is None
    reply = desk.buy(ALICE, 20, 9_990)
    assert reply.reject is not None
    assert reply.reject.code == "INSUFFICIENT_MARGIN"


def test_it_opens_nothing_on_collateral_whose_price_is_old() -> None:
    desk = funded()
    desk.now_ms += 61_000
    desk.price(10_000)
    assert desk.engine.state.markets[OTHER].index.state == "stale"
    view = desk.account(ALICE)
    assert (view.equity_atoms, view.available_atoms) == (9_000 * USDC, 0)
    reply = desk.do(Withdraw(account_id=ALICE, asset="BTC", amount_atoms=1, target_account_id=FAUCET))
    assert reply.reject is not None
    assert (reply.reject.code, reply.reject.data) == ("PRICE_STALE", {"oracle_state": "stale"})


@pytest.mark.parametrize(
    ("change", "field"), [({"account_cap_atoms": 10 * BTC}, "account_cap_atoms"), ({"exchange_cap_atoms": 10 * BTC}, "exchange_cap_atoms")]
)
def test_it_refuses_deposits_beyond_the_caps(change: dict[str, int], field: str) -> None:
    desk = funded()
    desk.admit(**change)
    reply = desk.deposit(ALICE, 1, "BTC")
    assert reply.reject is not None
    assert (reply.reject.code, reply.reject.data) == ("DEPOSIT_CAP", {"asset": "BTC", field: 10 * BTC, "held_atoms": 10 * BTC})


def test_it_withdraws_collateral_that_nothing_needs() -> None:
    """A position of 10,000 needs 1,000, that is the last 1.25 BTC at 80 %."""
    desk = funded()
    desk.trade(1_000, 10_000)
    desk.deposit(ALICE, 5 * USDC)  # its fee
    over = desk.do(Withdraw(account_id=ALICE, asset="BTC", amount_atoms=875_000_001, target_account_id=FAUCET))
    assert over.reject is not None
    assert over.reject.data == {"asset": "BTC", "withdrawable_atoms": 875_000_000}
    assert desk.do(Withdraw(account_id=ALICE, asset="BTC", amount_atoms=875_000_000, target_account_id=FAUCET)).reject is None
    assert desk.named("LedgerPosted")[0].transfers == (LedgerTransfer(ALICE, FAUCET, "BTC", 875_000_000, "withdrawal"),)
    assert desk.account(ALICE).available_atoms == 0


def test_it_converts_collateral_when_too_much_is_owed() -> None:
    """Alice loses 2,000 USDC that she has not got: beyond the limit the backstop buys BTC, at 980 a piece, from the next batch on."""
    desk = funded()
    desk.limit(debt_limit_atoms=1_000 * USDC)
    desk.trade(2_000, 10_000)
    desk.price(9_000)
    desk.trade(2_000, 9_000, buyer=BOB, seller=ALICE)
    owed = -desk.account(ALICE).balances["USDC"]
    assert owed > 2_000 * USDC
    desk.wait(1)
    (converted,) = desk.named("CollateralConverted")
    assert (converted.account_id, converted.asset, converted.price_e8, converted.haircut_ppm) == (ALICE, "BTC", 10**11, 20_000)
    assert converted.debt_atoms == owed
    assert 0 <= converted.paid_atoms - owed < 100
    assert desk.account(BACKSTOP).balances == {"BTC": converted.amount_atoms, "USDC": 100_000 * USDC - converted.paid_atoms}
    assert desk.account(ALICE).balances["USDC"] == converted.paid_atoms - owed
    assert desk.replay() == state_hash(desk.engine.state)


def test_it_leaves_a_small_debt_alone() -> None:
    desk = funded()
    desk.trade(2_000, 10_000)
    desk.price(9_900)
    desk.trade(2_000, 9_900, buyer=BOB, seller=ALICE)
    desk.wait(1)
    assert desk.named("CollateralConverted") == []
    assert desk.account(ALICE).balances["USDC"] < 0


@pytest.mark.parametrize(("float_atoms", "cap", "paid"), [(300 * USDC, 10**13, 300), (100_000 * USDC, 500 * USDC, 490)])
def test_it_converts_no_more_than_the_backstop_can_take(float_atoms: int, cap: int, paid: int) -> None:
    """Its float, and the cap on what it holds of the asset at index, of which it pays 98 %."""
    desk = funded(float_atoms=float_atoms)
    desk.admit(conversion_cap_atoms=cap)
    desk.limit(debt_limit_atoms=1_000 * USDC)
    desk.trade(2_000, 10_000)
    desk.price(9_000)
    desk.trade(2_000, 9_000, buyer=BOB, seller=ALICE)
    desk.wait(1)
    (converted,) = desk.named("CollateralConverted")
    assert paid * USDC - 100 < converted.paid_atoms <= paid * USDC
    assert desk.account(BACKSTOP).balances["USDC"] >= 0


def test_it_lets_only_what_the_vault_has_leave_while_more_is_owed_than_the_backstop_has() -> None:
    desk = funded(float_atoms=100 * USDC)
    desk.trade(2_000, 10_000)
    desk.price(9_900)
    desk.trade(2_000, 9_900, buyer=BOB, seller=ALICE)
    free = desk.account(BOB).withdrawable_atoms
    reply = desk.do(Withdraw(account_id=BOB, asset="USDC", amount_atoms=free + 1, target_account_id=FAUCET))
    assert reply.reject is not None
    assert reply.reject.code == "LIQUIDITY_SHORT"
    assert reply.reject.data["float_atoms"] == 100 * USDC
    assert reply.reject.data["withdrawable_atoms"] == free
    vault = vault_atoms(desk.engine.state)
    assert 0 < free <= vault
    more = desk.buy(ALICE, 100, 9_900)
    assert more.reject is not None
    assert more.reject.code == "LIQUIDITY_SHORT"
    desk.deposit(ALICE, 300 * USDC)
    assert desk.do(Withdraw(account_id=BOB, asset="USDC", amount_atoms=1, target_account_id=FAUCET)).reject is None


def test_it_limits_what_leaves_in_an_hour_and_a_day() -> None:
    desk = funded()
    desk.limit(withdrawal_hour_atoms=1_000 * USDC, withdrawal_day_atoms=1_500 * USDC)
    hours = (START_MS // DAY_MS + 1) * DAY_MS
    desk.now_ms = hours
    desk.price(10_000, market_id=OTHER)

    def leave(account_id: int, asset: str, amount: int) -> str:
        reply = desk.do(Withdraw(account_id=account_id, asset=asset, amount_atoms=amount, target_account_id=FAUCET))
        return "" if reply.reject is None else f"{reply.reject.code} {reply.reject.data['window']} {reply.reject.data['left_atoms']}"

    assert leave(BOB, "USDC", 600 * USDC) == ""
    assert leave(BOB, "USDC", 401 * USDC) == f"WITHDRAWAL_LIMIT hour {400 * USDC}"
    assert leave(ALICE, "BTC", 41 * BTC // 100) == f"WITHDRAWAL_LIMIT hour {400 * USDC}"
    assert leave(ALICE, "BTC", 40 * BTC // 100) == ""
    desk.now_ms = hours + 3_600_000
    desk.price(10_000, market_id=OTHER)
    desk.restart()
    assert leave(BOB, "USDC", 600 * USDC) == f"WITHDRAWAL_LIMIT day {500 * USDC}"
    assert leave(BOB, "USDC", 500 * USDC) == ""
    desk.now_ms = hours + DAY_MS
    desk.price(10_000, market_id=OTHER)
    assert leave(BOB, "USDC", 600 * USDC) == ""


def test_it_keeps_a_share_of_notional_in_the_account() -> None:
    """INC-06: nobody takes out what a position of their size should have behind it, whatever its leverage."""
    desk = Desk(cash=10_000 * USDC)
    desk.lever(50)
    desk.limit(withdrawal_notional_ppm=200_000)
    desk.trade(1_000, 10_000)
    assert desk.account(ALICE).withdrawable_atoms == 10_000 * USDC - 5 * USDC - 2_000 * USDC


def test_it_pays_out_no_more_than_the_vault_has() -> None:
    """INC-14: Alice's profit is realised against Charlie while Bob's loss is not: what all may withdraw stays within the vault."""
    desk = Desk(cash=10_000 * USDC)
    desk.trade(5_000, 10_000)
    desk.price(10_900)
    desk.trade(5_000, 10_900, buyer=CHARLIE, seller=ALICE)
    free = [desk.account(account_id).withdrawable_atoms for account_id in (ALICE, BOB, CHARLIE)]
    assert desk.account(ALICE).balances["USDC"] > 14_000 * USDC
    assert 0 < sum(free) <= 30_000 * USDC


def test_it_moves_collateral_between_accounts() -> None:
    desk = funded()
    assert desk.do(Transfer(account_id=ALICE, to_account_id=BOB, asset="BTC", amount_atoms=4 * BTC)).reject is None
    assert [desk.account(a).balances["BTC"] for a in (ALICE, BOB)] == [6 * BTC, 4 * BTC]
    assert desk.do(Transfer(account_id=ALICE, to_account_id=BOB, asset="ETH", amount_atoms=1)).reject is not None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"decimals": 6}, "decimals"),
        ({"index_id": MARKET}, "index_id"),
        ({"tiers": ()}, "tiers"),
        ({"tiers": (CollateralTier(0, 500_000, 400_000),)}, "tiers"),
        ({"tiers": (CollateralTier(0, 500_000, 500_000), CollateralTier(1, 600_000, 600_000))}, "tiers"),
        ({"conversion_haircut_ppm": 1_000_000}, "conversion_haircut_ppm"),
        ({"exchange_cap_atoms": -1}, "exchange_cap_atoms"),
        ({"account_cap_atoms": -1}, "account_cap_atoms"),
        ({"conversion_cap_atoms": -1}, "conversion_cap_atoms"),
    ],
)
def test_it_refuses_assets_that_cannot_be(change: dict[str, object], field: str) -> None:
    reply = funded().admit(**change)
    assert reply.reject is not None
    assert (reply.reject.code, reply.reject.data) == ("INVALID_PARAMETERS", {"field": field})


def test_it_knows_that_collateral_of_the_markets_own_asset_falls_with_it() -> None:
    """Long 2,000 lots in the market whose index values the BTC: the price at which Alice is short is nearer than by her position alone."""
    desk = funded(usdc=1_000 * USDC)
    desk.trade(200, 10_000)
    desk.sell(BOB, 2_000, 10_000, market_id=OTHER)
    desk.buy(ALICE, 2_000, 10_000, market_id=OTHER, time_in_force="ioc")
    position = next(position for position in desk.account(ALICE).positions if position.market_id == OTHER)
    ticks = position.liquidation_ticks
    for mark, short in ((ticks + 1, False), (ticks, True)):
        desk.now_ms += 1
        desk.price(mark, market_id=OTHER)
        view = desk.account(ALICE)
        assert desk.market(OTHER).mark_ticks == mark
        assert (view.equity_atoms < view.maintenance_margin_atoms) is short


def cash(desk: Desk, account_id: int) -> int:
    return desk.engine.state.accounts[account_id].cross.cash_atoms


@pytest.mark.parametrize("float_atoms", [100_000 * USDC, 0])
def test_it_lets_collateral_pay_back_what_insurance_paid(float_atoms: int) -> None:
    """Alice loses 9,600 of 10,000 in BTC, which counts 9,000: insurance pays by weight, and has all of it back from what the BTC brings."""
    desk = funded(float_atoms=float_atoms)
    desk.fund(INSURANCE, 10_000 * USDC)
    desk.lever(50)
    desk.trade(20_000, 10_000)
    desk.price(9_520)
    desk.confirm()
    (done,) = desk.named("AccountLiquidated")
    assert desk.named("InsurancePaid")
    assert done.insurance_paid_atoms == 0
    assert cash(desk, INSURANCE) == 10_000 * USDC
    assert 0 <= cash(desk, ALICE) < 100
    assert 0 < desk.account(ALICE).balances["BTC"] < BTC // 2
    desk.price(9_000, market_id=OTHER)
    desk.confirm()
    assert desk.named("InsurancePaid") == []
    assert desk.replay() == state_hash(desk.engine.state)


def test_it_counts_none_of_the_exchanges_own_accounts_among_debtors() -> None:
    """What the faucet gave is no debt, and what the exchange itself holds is not converted."""
    desk = funded()
    assert cash(desk, FAUCET) < 0
    assert desk.engine.state.debtors == set()


def test_it_looks_at_debtors_without_a_position_after_a_restart() -> None:
    """New weights leave Alice short of what she owes: the sweep finds her, restored or not."""
    desk = funded(float_atoms=0)
    desk.trade(2_000, 10_000)
    desk.price(9_500)
    desk.trade(2_000, 9_500, buyer=BOB, seller=ALICE)
    assert cash(desk, ALICE) < -1_000 * USDC
    desk.admit(tiers=(CollateralTier(0, 50_000, 50_000),))
    desk.restart()
    desk.do(SweepLiquidations())
    desk.confirm()
    assert desk.named("LiquidationStarted")


def test_it_keeps_nobody_in_for_a_loss_whose_profit_is_not_taken_yet() -> None:
    """Alice's 12,000 exceed the float, but Bob's profit is as unrealised: all else is there. Once he has taken it, 2,000 are not."""
    desk = funded(btc=200 * BTC, float_atoms=10_000 * USDC)
    desk.trade(24_000, 10_000)
    before = desk.account(CHARLIE).withdrawable_atoms
    assert before == 1_000_000 * USDC
    desk.price(9_500)
    assert desk.account(CHARLIE).withdrawable_atoms == before
    desk.trade(24_000, 9_500, buyer=BOB, seller=CHARLIE)
    free = [desk.account(account_id).withdrawable_atoms for account_id in (ALICE, BOB, CHARLIE)]
    assert free[1] < cash(desk, BOB)
    assert sum(free) <= vault_atoms(desk.engine.state)


def test_it_counts_a_debt_the_same_whenever_it_was_last_asked() -> None:
    """The sum is kept between prices: deposits, trades and fees of later batches are in it."""
    desk = funded(float_atoms=100 * USDC)
    desk.trade(2_000, 10_000)
    desk.price(9_900)
    for step in (
        lambda: desk.trade(1_000, 9_900, buyer=BOB, seller=ALICE),
        lambda: desk.deposit(ALICE, 50 * USDC),
        lambda: desk.trade(1_000, 9_900, buyer=BOB, seller=ALICE),
        lambda: desk.deposit(ALICE, 300 * USDC),
    ):
        step()
        kept = total_debt(desk.engine.state)
        assert kept == max(0, -(cash(desk, ALICE) + min(0, desk.account(ALICE).unrealised_atoms)))
        assert total_debt(decode(encode(desk.engine.state))) == kept


def test_it_adds_up_debts_once_while_prices_stand() -> None:
    """Who was looked at is looked at again only when prices have moved, or money."""
    desk = funded(float_atoms=100 * USDC)
    state = desk.engine.state
    total_debt(state)
    assert state.owing_epoch == state.mark_epoch
    state.owing[ALICE] = state.owing_atoms = 7 * USDC  # a mark: still there unless she is looked at again
    desk.deposit(BOB, USDC)
    assert total_debt(state) == 7 * USDC
    desk.deposit(ALICE, USDC)
    assert total_debt(state) == 0
