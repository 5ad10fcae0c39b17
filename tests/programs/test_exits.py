"""An exit ends when nothing is left and nothing is on its way, however it went: an account that stays empty keeps nobody waiting."""

import pytest

from chain import merkle
from tests.programs.support.batches import credit, house, reduction
from tests.programs.support.exchange import HOUR_S, MARKET, PARAMETERS, TICKS, USDC, Exchange
from tests.programs.support.svm import refused

INSURANCE = 2**16 - 1


@pytest.fixture
def leaving(funded: Exchange) -> Exchange:
    """The custodian's account has five atoms and asked to leave; the insurance has some money."""
    funded.sub_accounts[funded.authority] = INSURANCE
    funded.create_user(funded.authority)
    funded.deposit(funded.authority, 100 * USDC)
    funded.create_user(funded.custodian)
    funded.deposit(funded.custodian, 5)
    funded.request_exit(funded.custodian)
    return funded


def is_over(exchange: Exchange) -> bool:
    return bool(exchange.account(exchange.custodian)["exit_paid"])


def test_it_ends_when_what_took_the_last_is_final(leaving: Exchange) -> None:
    leaving.settle({leaving.custodian: [house(0, -5)], leaving.alice: [credit(5)]})
    with refused("TooEarly"):
        leaving.end_exit(leaving.custodian)
    leaving.finalise()
    leaving.end_exit(leaving.custodian)
    assert is_over(leaving)
    with refused("AlreadyDone"):
        leaving.end_exit(leaving.custodian)


def test_it_does_not_while_there_is_something(leaving: Exchange) -> None:
    with refused("TooEarly"):
        leaving.end_exit(leaving.custodian)
    leaving.settle({leaving.custodian: [house(0, -4)], leaving.alice: [credit(4)]})
    leaving.finalise()
    with refused("TooEarly"):
        leaving.end_exit(leaving.custodian)
    with refused("AlreadyDone"):
        leaving.end_exit(leaving.alice)


def test_money_that_comes_afterwards_is_not_overdue(leaving: Exchange) -> None:
    """Nobody ended the exit: the account does so itself before it takes anything new."""
    leaving.settle({leaving.custodian: [house(0, -5)], leaving.alice: [credit(5)]})
    leaving.finalise()
    assert not is_over(leaving)
    leaving.settle({leaving.authority: [house(0, -7)], leaving.custodian: [house(0, 7)]})
    assert is_over(leaving)
    leaving.chain.warp(seconds=PARAMETERS["exit_s"], slots=1)
    with refused("TooEarly"):
        leaving.fall_back(leaving.custodian)


def test_money_that_comes_before_is_overdue(leaving: Exchange) -> None:
    leaving.settle({leaving.custodian: [house(0, -5)], leaving.alice: [credit(5)]})
    leaving.settle({leaving.authority: [house(0, -7)], leaving.custodian: [house(0, 7)]})
    leaving.finalise()
    with refused("TooEarly"):
        leaving.end_exit(leaving.custodian)
    leaving.chain.warp(seconds=PARAMETERS["exit_s"], slots=1)
    leaving.fall_back(leaving.custodian)
    assert leaving.state()["phase"] == "Fallback"


def test_a_payment_does_not_end_it_while_more_is_on_its_way(leaving: Exchange) -> None:
    leaving.settle({leaving.authority: [house(0, -7)], leaving.custodian: [house(0, 7)]})
    leaving.pay(leaving.custodian, 5)
    assert not is_over(leaving)
    leaving.finalise()
    leaving.pay(leaving.custodian, 7, number=2)
    assert is_over(leaving)


def test_it_ends_with_a_liquidation_and_takes_deposits_again(funded: Exchange) -> None:
    """Else a debt could never be paid: an account that leaves takes no deposits."""
    funded.deposit(funded.charlie, 100_000 * USDC)
    funded.settle(funded.fill(7_900))
    funded.finalise()
    funded.request_exit(funded.alice)
    funded.silence()
    funded.chain.warp(seconds=10)
    funded.reprice(97_000)
    funded.liquidate(funded.alice, funded.charlie, 7_900)
    assert funded.balance(funded.alice) < 0
    funded.end_exit(funded.alice)
    funded.deposit(funded.bob, 10_000 * USDC, user=funded.user(funded.alice))
    with refused("AlreadyDone"):
        funded.end_exit(funded.alice)


def test_who_left_may_come_back_and_leave_again(funded: Exchange) -> None:
    funded.request_exit(funded.alice)
    funded.pay(funded.alice, 20_000 * USDC)
    funded.deposit(funded.alice, USDC)
    funded.chain.warp(seconds=HOUR_S)
    funded.request_exit(funded.alice)
    account = funded.account(funded.alice)
    assert (account["exit_requested_at"], account["exit_paid"]) == (funded.chain.now, False)


def test_who_came_back_is_not_closed_without_a_signature(funded: Exchange) -> None:
    """An exit lets the operator close positions, until it has ended and not for ever."""
    funded.request_exit(funded.alice)
    funded.pay(funded.alice, 20_000 * USDC)
    funded.deposit(funded.alice, 20_000 * USDC)
    funded.settle(funded.fill(1_000))
    funded.chain.warp(seconds=1)
    closing = reduction(market_id=MARKET, lots=-1_000, price_ticks=TICKS, time_ms=funded.chain.now * 1_000)
    bought = funded.fill(1_000, buyer=funded.bob, seller=funded.alice)[funded.bob]
    batch = funded.settle({funded.alice: [closing], funded.bob: bought})
    assert dict(funded.outlook(funded.user(funded.alice))).get(merkle.position_slot(MARKET), 0) == 0
    funded.challenge(batch, funded.alice)
    with refused("NotLiquidatable"):
        funded.answer(batch, funded.alice)
