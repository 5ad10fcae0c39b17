"""Liquidations step by step and disputes about them, as built: never above maintenance, never too much at once, never without a bond."""

import pytest
from solders.instruction import AccountMeta
from solders.keypair import Keypair
from solders.system_program import advance_nonce_account, create_nonce_account

from tests.programs.support.exchange import PRICE, USDC, Exchange, value_atoms
from tests.programs.support.insurance import DAY_S, PARAMETERS, Insurance
from tests.programs.support.svm import TAKEN, Refused, refused

LOTS = 7_900
SHORT = 98_600
BOND = PARAMETERS["bond_atoms"]


@pytest.fixture
def insurance(funded: Exchange) -> Insurance:
    """The operator is silent; Alice is long 7,900 lots of Bob's, Charlie can take them over, Bob staked 50,000 USDC."""
    insurance = Insurance(funded)
    insurance.initialise()
    insurance.stake(funded.bob, 50_000 * USDC)
    funded.silence()
    funded.deposit(funded.charlie, 100_000 * USDC)
    funded.match(funded.order(funded.alice, "buy", LOTS), funded.order(funded.bob, "sell", LOTS), LOTS)
    return insurance


@pytest.fixture
def short(insurance: Insurance) -> Insurance:
    reprice(insurance, SHORT)
    return insurance


@pytest.fixture
def liquidated(short: Insurance) -> Insurance:
    short.begin(short.exchange.alice)
    short.step(short.exchange.alice, short.exchange.charlie, LOTS // 10)
    return short


def reprice(insurance: Insurance, dollars: int) -> None:
    insurance.exchange.chain.warp(seconds=10)
    insurance.exchange.reprice(dollars)


def test_a_liquidation_begins_below_maintenance_only(insurance: Insurance) -> None:
    exchange = insurance.exchange
    for owner in (exchange.alice, exchange.bob, exchange.charlie):
        with refused("NotShort"):
            insurance.begin(owner)
    reprice(insurance, SHORT)
    insurance.begin(exchange.alice)
    record = insurance.liquidation(exchange.alice)
    assert 0 < record["equity_atoms"] < record["maintenance_atoms"]
    assert record["positions"][0] == {"market_id": 1, "lots": LOTS, "taken_lots": 0}
    with refused("WrongLiquidation"):
        insurance.begin(exchange.alice, number=2)
    with refused("NotShort"):
        insurance.begin(exchange.bob)


def test_nobody_is_judged_by_a_price_that_was_kept_back(short: Insurance) -> None:
    exchange = short.exchange
    exchange.chain.warp(seconds=10)
    # The oracle knows that the price came back; the market was not told.
    exchange.prices.agree(PRICE)
    with refused("BadPriceState"):
        short.begin(exchange.alice)
    exchange.observe()
    with refused("NotShort"):
        short.begin(exchange.alice)


def test_an_old_or_single_price_liquidates_nobody(short: Insurance) -> None:
    exchange = short.exchange
    exchange.chain.warp(seconds=61)
    with refused("BadPriceState"):
        short.begin(exchange.alice)
    exchange.prices.pyth(SHORT)
    exchange.observe()
    with refused("BadPriceState"):
        short.begin(exchange.alice)


def test_it_needs_every_market_and_its_own_feed(short: Insurance) -> None:
    exchange = short.exchange
    market, feed = short.prices()
    exchange.prices.create(2)
    other = AccountMeta(exchange.prices.feed(2), is_signer=False, is_writable=False)
    for more in ([], [market], [market, other], [market, market], [feed, market]):
        with refused("WrongAccounts|AccountDiscriminatorMismatch|AccountOwnedByWrongProgram"):
            short.begin(exchange.alice, more=more)


def test_what_may_be_taken_grows_with_time(short: Insurance) -> None:
    exchange = short.exchange
    short.begin(exchange.alice)
    for lots in (0, -1):
        with refused("BadChanges"):
            short.step(exchange.alice, exchange.charlie, lots)
    with refused("AboveFraction"):
        short.step(exchange.alice, exchange.charlie, LOTS // 10 + 1)
    short.step(exchange.alice, exchange.charlie, LOTS // 10)
    with refused("AboveFraction"):
        short.step(exchange.alice, exchange.charlie, 1)
    exchange.chain.warp(seconds=1, slots=10)
    with refused("AboveFraction"):
        short.step(exchange.alice, exchange.charlie, LOTS // 100 + 1)
    short.step(exchange.alice, exchange.charlie, LOTS // 100)
    assert exchange.lots(exchange.alice) == LOTS - LOTS // 10 - LOTS // 100
    record = short.liquidation(exchange.alice)
    value = value_atoms(LOTS // 10 + LOTS // 100, SHORT * 10)
    assert (record["steps"], record["fees_atoms"]) == (2, value // 100)


def test_it_stops_at_maintenance(insurance: Insurance) -> None:
    exchange = insurance.exchange
    reprice(insurance, 98_700)
    insurance.begin(exchange.alice)
    reprice(insurance, PRICE)
    with refused("NotShort"):
        insurance.step(exchange.alice, exchange.charlie, 1)
    insurance.end(exchange.alice)
    with refused("WrongLiquidation"):
        insurance.step(exchange.alice, exchange.charlie, 1)
    with refused("WrongLiquidation"):
        insurance.end(exchange.alice)


def test_a_step_that_heals_ends_it(short: Insurance) -> None:
    exchange = short.exchange
    short.begin(exchange.alice)
    exchange.chain.warp(seconds=1, slots=900)
    exchange.reprice(SHORT)
    with refused("StillShort"):
        short.end(exchange.alice)
    short.step(exchange.alice, exchange.charlie, LOTS)
    assert short.liquidation(exchange.alice)["ended"]
    with refused("WrongLiquidation"):
        short.step(exchange.alice, exchange.charlie, 1)


def test_an_old_liquidation_begins_again_and_small(short: Insurance) -> None:
    exchange = short.exchange
    short.begin(exchange.alice)
    exchange.chain.warp(seconds=1, slots=PARAMETERS["open_slots"] + 1)
    exchange.reprice(SHORT)
    with refused("WrongLiquidation"):
        short.step(exchange.alice, exchange.charlie, 1)
    short.begin(exchange.alice, number=2)
    with refused("ConstraintSeeds"):
        short.step(exchange.alice, exchange.charlie, 1, number=1)
    with refused("AboveFraction"):
        short.step(exchange.alice, exchange.charlie, LOTS, number=2)
    short.step(exchange.alice, exchange.charlie, LOTS // 10, number=2)


def test_a_small_position_goes_whole(funded: Exchange) -> None:
    insurance = Insurance(funded)
    insurance.initialise(small_atoms=10**6 * USDC)
    funded.silence()
    funded.deposit(funded.charlie, 100_000 * USDC)
    funded.match(funded.order(funded.alice, "buy", LOTS), funded.order(funded.bob, "sell", LOTS), LOTS)
    reprice(insurance, SHORT)
    insurance.begin(funded.alice)
    insurance.step(funded.alice, funded.charlie, LOTS)
    assert funded.lots(funded.alice) == 0


def test_nobody_liquidates_himself_or_for_another(short: Insurance) -> None:
    exchange = short.exchange
    short.begin(exchange.alice)
    with refused("WrongAccounts|ConstraintDuplicateMutableAccount"):
        short.step(exchange.alice, exchange.alice, 1)
    with refused("ConstraintSeeds"):
        short.step(exchange.alice, exchange.charlie, 1, taken_by=exchange.bob)


def test_the_engine_decides_while_live(funded: Exchange) -> None:
    insurance = Insurance(funded)
    insurance.initialise()
    funded.deposit(funded.charlie, 100_000 * USDC)
    funded.settle(funded.fill(LOTS))
    funded.finalise()
    reprice(insurance, SHORT)
    insurance.begin(funded.alice)
    with refused("WrongPhase"):
        insurance.step(funded.alice, funded.charlie, 1)


def test_who_was_liquidated_disputes_once_and_in_time(liquidated: Insurance) -> None:
    exchange = liquidated.exchange
    with refused("NotOwner"):
        liquidated.dispute(exchange.alice, USDC, signer=exchange.charlie)
    for claim in (0, PARAMETERS["award_atoms"] + 1):
        with refused("OutsideBounds"):
            liquidated.dispute(exchange.alice, claim)
    liquidated.dispute(exchange.alice, 500 * USDC)
    assert liquidated.state()["bonds_atoms"] == BOND
    assert liquidated.vault_atoms() == liquidated.state()["assets_atoms"] + BOND
    with pytest.raises(Refused, match=TAKEN):
        liquidated.dispute(exchange.alice, USDC)


def test_nothing_happened_nothing_to_dispute(short: Insurance) -> None:
    exchange = short.exchange
    short.begin(exchange.alice)
    with refused("TooEarly"):
        short.dispute(exchange.alice, USDC)
    short.step(exchange.alice, exchange.charlie, 1)
    exchange.chain.warp(seconds=PARAMETERS["dispute_s"] + 1)
    with refused("TooLate"):
        short.dispute(exchange.alice, USDC)


def test_a_dispute_that_is_upheld_is_paid(liquidated: Insurance) -> None:
    exchange = liquidated.exchange
    liquidated.dispute(exchange.alice, 500 * USDC)
    with refused("TooEarly"):
        liquidated.close_dispute(exchange.alice)
    with refused("NotArbiter"):
        liquidated.decide(exchange.alice, 500 * USDC, arbiter=exchange.charlie)
    with refused("AboveClaim"):
        liquidated.decide(exchange.alice, 500 * USDC + 1)
    liquidated.decide(exchange.alice, 400 * USDC)
    with refused("WrongDispute"):
        liquidated.decide(exchange.alice, 500 * USDC)
    with refused("ConstraintTokenOwner"):
        liquidated.close_dispute(exchange.alice, destination=exchange.wallet(exchange.charlie))
    with refused("NotOwner"):
        liquidated.close_dispute(exchange.alice, paid_to=exchange.charlie)
    assert liquidated.close_dispute(exchange.alice) == 400 * USDC + BOND
    state = liquidated.state()
    assert (state["assets_atoms"], state["bonds_atoms"], state["owed_atoms"]) == (49_600 * USDC, 0, 0)
    assert not exchange.chain.exists(liquidated.dispute_of(exchange.alice))
    with refused("AlreadyDone"):
        liquidated.dispute(exchange.alice, USDC)


def test_the_arbiter_decides_nothing_on_a_durable_nonce(liquidated: Insurance) -> None:
    exchange, authority = liquidated.exchange, liquidated.exchange.authority
    liquidated.dispute(exchange.alice, 500 * USDC)
    drawer = Keypair.from_seed(bytes([61] * 32))
    made = create_nonce_account(authority.pubkey(), drawer.pubkey(), authority.pubkey(), 10**9)
    exchange.chain.send(list(made), [authority, drawer])
    exchange.chain.warp(seconds=1)
    advance = advance_nonce_account({"nonce_pubkey": drawer.pubkey(), "authorized_pubkey": authority.pubkey()})
    accounts = {"authority": authority.pubkey(), "dispute": liquidated.dispute_of(exchange.alice)}
    decide = liquidated.instruction("decide_dispute", {"award_atoms": 500 * USDC}, accounts)
    with refused("DurableNonce"):
        exchange.chain.send([advance, decide], [authority], budget=False)
    exchange.chain.send([decide], [authority], budget=False)


def test_the_next_authority_is_the_next_arbiter(liquidated: Insurance) -> None:
    exchange = liquidated.exchange
    liquidated.dispute(exchange.alice, 500 * USDC)
    exchange.hand_on(exchange.charlie)
    with refused("NotArbiter"):
        liquidated.decide(exchange.alice, USDC)
    liquidated.decide(exchange.alice, USDC, arbiter=exchange.charlie)
    assert liquidated.close_dispute(exchange.alice) == USDC + BOND


def test_a_dispute_that_is_rejected_loses_its_bond(liquidated: Insurance) -> None:
    exchange = liquidated.exchange
    liquidated.dispute(exchange.alice, 500 * USDC)
    liquidated.decide(exchange.alice, 0)
    assert liquidated.close_dispute(exchange.alice) == 0
    state = liquidated.state()
    assert (state["assets_atoms"], state["bonds_atoms"]) == (50_000 * USDC + BOND, 0)
    with refused("AlreadyDone"):
        liquidated.dispute(exchange.alice, USDC)


def test_nobody_decides_late_and_silence_gives_the_bond_back(liquidated: Insurance) -> None:
    exchange = liquidated.exchange
    liquidated.dispute(exchange.alice, 500 * USDC)
    exchange.chain.warp(seconds=PARAMETERS["decision_s"] + 1)
    with refused("TooLate"):
        liquidated.decide(exchange.alice, 0)
    assert liquidated.close_dispute(exchange.alice) == BOND
    assert liquidated.state()["assets_atoms"] == 50_000 * USDC


def test_an_award_above_the_bounds_waits_and_the_bond_does_not(funded: Exchange) -> None:
    insurance = Insurance(funded)
    insurance.initialise(event_atoms=1_000 * USDC, day_atoms=1_000 * USDC)
    insurance.stake(funded.bob, 300 * USDC)
    funded.silence()
    funded.deposit(funded.charlie, 100_000 * USDC)
    funded.match(funded.order(funded.alice, "buy", LOTS), funded.order(funded.bob, "sell", LOTS), LOTS)
    reprice(insurance, SHORT)
    insurance.begin(funded.alice)
    insurance.step(funded.alice, funded.charlie, 1)
    insurance.dispute(funded.alice, 1_000 * USDC)
    insurance.decide(funded.alice, 1_000 * USDC)
    assert insurance.close_dispute(funded.alice) == BOND + 300 * USDC
    assert insurance.state()["owed_atoms"] == 700 * USDC
    with refused("OutsideBounds"):
        insurance.close_dispute(funded.alice)
    insurance.contribute(funded.bob, 2_000 * USDC)
    assert insurance.close_dispute(funded.alice) == 700 * USDC
    funded.chain.warp(seconds=DAY_S)
    assert not funded.chain.exists(insurance.dispute_of(funded.alice))
