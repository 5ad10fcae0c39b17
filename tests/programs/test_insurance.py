"""The insurance fund, as built: shares that nobody inflates, requests that nobody jumps, recoveries inside their bounds."""

import pytest
from solders.account import Account
from solders.keypair import Keypair

from tests.programs.support.batches import credit, house
from tests.programs.support.exchange import HOUR_S, USDC, Exchange
from tests.programs.support.insurance import DAY_S, PARAMETERS, Insurance
from tests.programs.support.svm import TAKEN, TOKEN, Refused, refused

PAR = 10**6
COOLDOWN_S = PARAMETERS["cooldown_s"]


@pytest.fixture
def insurance(funded: Exchange) -> Insurance:
    """Bob holds 50,000 USDC of the fund."""
    insurance = Insurance(funded)
    insurance.initialise()
    insurance.stake(funded.bob, 50_000 * USDC)
    return insurance


@pytest.fixture
def empty(funded: Exchange) -> Insurance:
    insurance = Insurance(funded)
    insurance.initialise()
    return insurance


def bankrupt(exchange: Exchange) -> int:
    """Let Alice end below zero without positions while the operator is silent; return by how much."""
    exchange.silence()
    exchange.deposit(exchange.charlie, 100_000 * USDC)
    exchange.match(exchange.order(exchange.alice, "buy", 7_900), exchange.order(exchange.bob, "sell", 7_900), 7_900)
    exchange.chain.warp(seconds=10)
    exchange.reprice(97_400)
    exchange.liquidate(exchange.alice, exchange.charlie, 7_900)
    return -exchange.balance(exchange.alice)


def give(insurance: Insurance, amount: int) -> None:
    """Put tokens into the vault past the program."""
    data = bytearray(insurance.exchange.chain.data(insurance.vault))
    data[64:72] = (insurance.vault_atoms() + amount).to_bytes(8, "little")
    insurance.exchange.chain.svm.set_account(insurance.vault, Account(10**9, bytes(data), TOKEN))


def test_only_the_deployer_begins_once_and_within_bounds(funded: Exchange) -> None:
    insurance = Insurance(funded)
    with refused("NotDeployer"):
        insurance.initialise(signer=funded.charlie)
    with refused("WrongAccounts"):
        insurance.initialise(asset=1)
    for wrong in (
        {"cooldown_s": HOUR_S},
        {"event_atoms": 0},
        {"event_atoms": PARAMETERS["day_atoms"] + 1},
        {"award_atoms": PARAMETERS["event_atoms"] + 1},
        {"min_stake_atoms": 999},
        {"bond_atoms": 0},
        {"first_ppm": 0},
        {"slot_ppm": 10**6 + 1},
        {"open_slots": 0},
        {"claim_s": 91 * DAY_S},
    ):
        with refused("BadParameters"):
            insurance.initialise(**wrong)
    insurance.initialise()
    with pytest.raises(Refused, match=TAKEN):
        insurance.initialise()


def test_it_sells_and_buys_back_shares_at_their_worth(insurance: Insurance) -> None:
    bob, charlie = insurance.exchange.bob, insurance.exchange.charlie
    assert insurance.stakes(bob)["shares"] == 50_000 * USDC * PAR
    insurance.contribute(charlie, 50_000 * USDC)
    insurance.stake(charlie, 10_000 * USDC)
    assert insurance.stakes(charlie)["shares"] == pytest.approx(5_000 * USDC * PAR, rel=1e-9)
    # Nobody's own shares keep their part: an atom for every 50,000 USDC.
    assert 10_000 * USDC - 2 <= insurance.leave(charlie) <= 10_000 * USDC
    assert 100_000 * USDC - 2 <= insurance.leave(bob) <= 100_000 * USDC
    assert insurance.state()["shares"] == 0
    assert insurance.vault_atoms() == insurance.state()["assets_atoms"] <= 4


def test_a_gift_to_the_vault_makes_no_share_dearer(insurance: Insurance) -> None:
    give(insurance, 10**6 * USDC)
    insurance.stake(insurance.exchange.charlie, 50_000 * USDC)
    assert insurance.stakes(insurance.exchange.charlie)["shares"] == insurance.stakes(insurance.exchange.bob)["shares"]
    assert insurance.leave(insurance.exchange.bob) == 50_000 * USDC


def test_the_first_staker_cannot_rob_the_second(empty: Insurance) -> None:
    attacker, victim = empty.exchange.charlie, empty.exchange.bob
    empty.stake(attacker, USDC)
    empty.contribute(attacker, 100_000 * USDC)
    empty.stake(victim, 10 * USDC)
    assert empty.leave(attacker) <= 100_001 * USDC
    assert empty.leave(victim) >= 10 * USDC - 1


def test_a_stake_that_buys_nothing_is_refused(empty: Insurance) -> None:
    with refused("BelowMinimum"):
        empty.stake(empty.exchange.bob, USDC - 1)
    with refused("BelowMinimum"):
        empty.contribute(empty.exchange.bob, 0)
    empty.contribute(empty.exchange.charlie, 2 * 10**6 * USDC)
    with refused("WorthNothing"):
        empty.stake(empty.exchange.bob, USDC)
    with refused("Full"):
        give_wallet(empty, empty.exchange.bob, 10**14)
        empty.contribute(empty.exchange.bob, 10**14)


def give_wallet(insurance: Insurance, owner: Keypair, amount: int) -> None:
    exchange = insurance.exchange
    exchange.wallets[owner, 0] = exchange.chain.token_account(exchange.mints[0], owner.pubkey(), amount)


def test_nobody_leaves_early_late_or_with_more(insurance: Insurance) -> None:
    exchange, bob = insurance.exchange, insurance.exchange.bob
    with refused("WrongRequest"):
        insurance.unstake(bob)
    with refused("TooMuch"):
        insurance.request(bob, insurance.stakes(bob)["shares"] + 1)
    with refused("WorthNothing"):
        insurance.request(bob, 1)
    with refused("NotOwner"):
        insurance.request(bob, signer=exchange.charlie)
    insurance.request(bob)
    with refused("WrongRequest"):
        insurance.request(bob)
    exchange.chain.warp(seconds=COOLDOWN_S - 1)
    with refused("TooEarly"):
        insurance.unstake(bob)
    exchange.chain.warp(seconds=1)
    with refused("NotOwner"):
        insurance.unstake(bob, signer=exchange.charlie, destination=exchange.wallet(exchange.charlie))
    with refused("ConstraintTokenOwner"):
        insurance.unstake(bob, destination=exchange.wallet(exchange.charlie))
    exchange.chain.warp(seconds=PARAMETERS["claim_s"] + 1)
    with refused("TooLate"):
        insurance.unstake(bob)
    insurance.cancel(bob)
    assert insurance.leave(bob) == 50_000 * USDC
    with refused("WrongRequest"):
        insurance.unstake(bob)


def test_a_request_earns_nothing_more(insurance: Insurance) -> None:
    bob, charlie = insurance.exchange.bob, insurance.exchange.charlie
    insurance.stake(charlie, 50_000 * USDC)
    insurance.request(bob)
    insurance.contribute(charlie, 10_000 * USDC)
    insurance.exchange.chain.warp(seconds=COOLDOWN_S)
    assert insurance.unstake(bob) == 50_000 * USDC
    assert insurance.leave(charlie) >= 60_000 * USDC - 2


def test_a_cancelled_request_gives_up_what_it_gained(insurance: Insurance) -> None:
    bob, charlie = insurance.exchange.bob, insurance.exchange.charlie
    insurance.stake(charlie, 50_000 * USDC)
    insurance.request(bob)
    insurance.contribute(charlie, 10_000 * USDC)
    with refused("NotOwner"):
        insurance.cancel(bob, signer=charlie)
    before = insurance.stakes(bob)["shares"]
    insurance.cancel(bob)
    assert insurance.stakes(bob)["shares"] < before
    with refused("WrongRequest"):
        insurance.cancel(bob)
    assert insurance.leave(bob) <= insurance.leave(charlie)


def test_a_request_bears_losses(insurance: Insurance) -> None:
    exchange = insurance.exchange
    insurance.request(exchange.bob)
    bankrupt(exchange)
    insurance.open_recovery(exchange.alice)
    exchange.chain.warp(seconds=COOLDOWN_S)
    insurance.recover(exchange.alice)
    assert insurance.unstake(exchange.bob) == 45_000 * USDC


def test_nobody_leaves_before_a_loss_that_is_on_record(insurance: Insurance) -> None:
    exchange = insurance.exchange
    insurance.request(exchange.bob)
    exchange.chain.warp(seconds=COOLDOWN_S)
    bankrupt(exchange)
    insurance.open_recovery(exchange.alice)
    assert insurance.unstake(exchange.bob) == 45_000 * USDC
    exchange.chain.warp(seconds=HOUR_S)
    insurance.recover(exchange.alice)
    assert insurance.recovery(exchange.alice)["paid_atoms"] == 5_000 * USDC


def test_a_recovery_moves_money_into_the_account(insurance: Insurance) -> None:
    exchange = insurance.exchange
    deficit = bankrupt(exchange)
    insurance.open_recovery(exchange.alice)
    state, vault = insurance.state(), exchange.vault_atoms()
    assert (state["owed_atoms"], state["reserved_atoms"]) == (deficit, 5_000 * USDC)
    with pytest.raises(Refused, match=TAKEN):
        insurance.open_recovery(exchange.alice)
    exchange.chain.warp(seconds=HOUR_S - 1)
    with refused("TooEarly"):
        insurance.recover(exchange.alice)
    exchange.chain.warp(seconds=1)
    insurance.recover(exchange.alice)
    assert exchange.balance(exchange.alice) == 5_000 * USDC - deficit
    assert exchange.vault_atoms() == vault + 5_000 * USDC
    assert insurance.vault_atoms() == insurance.state()["assets_atoms"] == 45_000 * USDC


def test_what_is_not_covered_is_on_record(insurance: Insurance) -> None:
    exchange = insurance.exchange
    deficit = bankrupt(exchange)
    insurance.open_recovery(exchange.alice)
    exchange.chain.warp(seconds=HOUR_S)
    insurance.recover(exchange.alice)
    state = insurance.state()
    assert (state["owed_atoms"], state["reserved_atoms"]) == (deficit - 5_000 * USDC, 0)
    with refused("OutsideBounds"):
        insurance.recover(exchange.alice)
    with refused("StillBankrupt"):
        insurance.close_recovery(exchange.alice)
    exchange.deposit(exchange.bob, deficit - 5_000 * USDC, user=exchange.user(exchange.alice))
    with refused("NotBankrupt"):
        insurance.recover(exchange.alice)
    with refused("WrongAccounts"):
        insurance.close_recovery(exchange.alice, opener=exchange.bob.pubkey())
    insurance.close_recovery(exchange.alice)
    assert insurance.state()["owed_atoms"] == 0
    assert not exchange.chain.exists(insurance.recovery_of(exchange.alice))


def test_a_day_has_a_bound_too(funded: Exchange) -> None:
    insurance = Insurance(funded)
    insurance.initialise(event_atoms=5_000 * USDC, day_atoms=5_000 * USDC, award_atoms=USDC)
    insurance.stake(funded.bob, 50_000 * USDC)
    deficit = bankrupt(funded)
    insurance.open_recovery(funded.alice)
    funded.chain.warp(seconds=HOUR_S)
    insurance.recover(funded.alice)
    # A second event of the same day: whole again, then below zero once more.
    funded.deposit(funded.bob, deficit - 5_000 * USDC, user=funded.user(funded.alice))
    insurance.close_recovery(funded.alice)
    fall_again(funded)
    insurance.open_recovery(funded.alice)
    funded.chain.warp(seconds=HOUR_S)
    with refused("OutsideBounds"):
        insurance.recover(funded.alice)
    funded.chain.warp(seconds=DAY_S)
    insurance.recover(funded.alice)
    assert insurance.state()["assets_atoms"] >= 40_000 * USDC


def fall_again(exchange: Exchange) -> None:
    exchange.deposit(exchange.bob, 3_000 * USDC, user=exchange.user(exchange.alice))
    ticks = exchange.prices.state()["price_e8"] // 10**7
    exchange.reprice(ticks // 10)
    buy, sell = exchange.order(exchange.alice, "buy", 1_000, ticks), exchange.order(exchange.bob, "sell", 1_000, ticks)
    exchange.match(buy, sell, 1_000, ticks)
    exchange.chain.warp(seconds=10)
    exchange.reprice(ticks // 10 * 96 // 100)
    exchange.liquidate(exchange.alice, exchange.charlie, 1_000)


def test_a_loss_above_the_fund_voids_its_shares(empty: Insurance) -> None:
    exchange = empty.exchange
    empty.stake(exchange.bob, 1_000 * USDC)
    deficit = bankrupt(exchange)
    empty.open_recovery(exchange.alice)
    exchange.chain.warp(seconds=HOUR_S)
    empty.recover(exchange.alice)
    state = empty.state()
    assert (state["generation"], state["shares"], state["assets_atoms"]) == (2, 0, 0)
    assert state["owed_atoms"] == deficit - 1_000 * USDC
    for act in (empty.request, empty.cancel, empty.unstake):
        with refused("WrittenOff"):
            act(exchange.bob)
    empty.stake(exchange.bob, 2_000 * USDC)
    assert empty.stakes(exchange.bob)["shares"] == 2_000 * USDC * PAR
    # What is still owed of the old event is paid by the new generation, as far as its bound goes: that was on record.
    empty.recover(exchange.alice)
    assert empty.recovery(exchange.alice)["paid_atoms"] == 3_000 * USDC


def test_nobody_is_made_whole_who_is_not_below_zero(insurance: Insurance) -> None:
    exchange = insurance.exchange
    for owner in (exchange.alice, exchange.charlie, exchange.authority):
        with refused("NotBankrupt"):
            insurance.open_recovery(owner)
    exchange.silence()
    exchange.deposit(exchange.charlie, 100_000 * USDC)
    exchange.match(exchange.order(exchange.alice, "buy", 7_900), exchange.order(exchange.bob, "sell", 7_900), 7_900)
    exchange.chain.warp(seconds=10)
    exchange.reprice(97_400)
    # Its equity is below zero, but a position may still save it, and its balance is its cost.
    with refused("NotBankrupt"):
        insurance.open_recovery(exchange.alice)


def test_who_holds_something_else_is_not_bankrupt(insurance: Insurance) -> None:
    exchange = insurance.exchange
    exchange.deposit(exchange.alice, 1, asset=1)
    bankrupt(exchange)
    with refused("NotBankrupt"):
        insurance.open_recovery(exchange.alice)


def test_accounts_that_the_operator_writes_are_not_insured(insurance: Insurance) -> None:
    exchange = insurance.exchange
    for sub_account in (0, 1):
        exchange.create_user(exchange.custodian, sub_account)
    exchange.deposit(exchange.custodian, 5, sub_account=1)  # together the operator's accounts never owe
    exchange.settle({exchange.custodian: [house(0, -5)], exchange.bob: [credit(5)]})
    exchange.finalise()
    assert exchange.balance(exchange.custodian) == -5
    with refused("NotBankrupt"):
        insurance.open_recovery(exchange.custodian)


def test_what_batches_will_pay_is_not_paid_twice(insurance: Insurance) -> None:
    exchange = insurance.exchange
    exchange.settle(exchange.fill(7_900))
    exchange.chain.warp(seconds=10)
    exchange.reprice(97_400)
    exchange.settle(exchange.fill(7_900, 974_000, buyer=exchange.bob, seller=exchange.alice))
    with refused("NotBankrupt"):
        insurance.open_recovery(exchange.alice)
    exchange.finalise()
    deficit = -exchange.balance(exchange.alice)
    assert deficit > 0
    insurance.open_recovery(exchange.alice)
    assert insurance.recovery(exchange.alice)["first_atoms"] == deficit
    # The engine's own insurance is sooner than the delay.
    exchange.deposit(exchange.bob, deficit, user=exchange.user(exchange.alice))
    exchange.chain.warp(seconds=HOUR_S)
    with refused("NotBankrupt"):
        insurance.recover(exchange.alice)
    insurance.close_recovery(exchange.alice)


def test_the_haircut_takes_over_what_a_frozen_exchange_owes(insurance: Insurance) -> None:
    exchange = insurance.exchange
    bankrupt(exchange)
    insurance.open_recovery(exchange.alice)
    exchange.chain.warp(seconds=HOUR_S, slots=1_001)
    exchange.send("freeze_silent", {}, {}, [exchange.charlie])
    with refused("WrongPhase"):
        insurance.recover(exchange.alice)
    insurance.close_recovery(exchange.alice)
    assert insurance.state()["reserved_atoms"] == 0
    assert insurance.leave(exchange.bob) == 50_000 * USDC


def test_the_money_goes_where_it_belongs_only(insurance: Insurance) -> None:
    exchange = insurance.exchange
    bankrupt(exchange)
    insurance.open_recovery(exchange.alice)
    exchange.chain.warp(seconds=HOUR_S)
    other = exchange.asset_accounts(1)
    for accounts in (
        {"dex_vault": other["vault"]},
        {"asset": other["asset"]},
        {"asset": other["asset"], "dex_vault": other["vault"]},
        {"dex_vault": exchange.wallet(exchange.charlie)},
        {"user": exchange.user(exchange.bob)},
        {"vault": exchange.wallet(exchange.charlie)},
        {"perp_dex": exchange.prices.program.id},
    ):
        with pytest.raises(Refused):
            insurance.recover(exchange.alice, **accounts)
    assert insurance.vault_atoms() == 50_000 * USDC
    wallet = exchange.chain.token_account(exchange.mints[1], exchange.bob.pubkey(), USDC)
    for act in (insurance.stake, insurance.contribute):
        with refused("ConstraintTokenMint"):
            act(exchange.bob, USDC, source=wallet)
        with refused("ConstraintTokenOwner"):
            act(exchange.bob, USDC, source=exchange.wallet(exchange.charlie))
