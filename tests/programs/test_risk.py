"""The risk program, as built: the same figures as risk/margin.py, and margin calls on record."""

import json
from pathlib import Path
from typing import Any

import pytest

from markets.parameters import MarginTier
from risk.margin import initial_margin, maintenance_margin
from tests.programs.support.exchange import MARKET_PARAMETERS, PRICE, TICKS, USDC, Exchange, value_atoms
from tests.programs.support.risks import Risks
from tests.programs.support.svm import TAKEN, Refused, refused

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "margin.json").read_text())


@pytest.fixture
def risks(funded: Exchange) -> Risks:
    return Risks(funded)


def test_it_says_what_an_account_is_worth_and_needs(risks: Risks) -> None:
    exchange = risks.exchange
    assert risks.check(exchange.alice) == (20_000 * USDC, 0, 0, 20_000 * USDC)
    exchange.settle(exchange.fill(1_000))
    notional = value_atoms(1_000, TICKS)
    initial, maintenance = notional // 40, notional * 125 // 10_000
    assert risks.check(exchange.alice) == (20_000 * USDC, initial, maintenance, 20_000 * USDC - initial)


def test_it_takes_the_worse_of_final_and_pending(risks: Risks) -> None:
    exchange = risks.exchange
    exchange.settle(exchange.fill(1_000))
    exchange.finalise()
    before = risks.check(exchange.alice)
    exchange.settle(exchange.fill(900, buyer=exchange.bob, seller=exchange.alice))
    assert risks.check(exchange.alice) == before


def test_it_values_at_the_worse_of_price_and_average(risks: Risks) -> None:
    exchange = risks.exchange
    exchange.settle(exchange.fill(1_000))
    exchange.chain.warp(seconds=10)
    exchange.reprice(PRICE + 4_000)
    long, short = risks.check(exchange.alice), risks.check(exchange.bob)
    average = exchange.prices.state()["average_e8"] // 10**7
    assert long[0] < 20_000 * USDC + value_atoms(1_000, average - TICKS + 1)
    assert short[0] == 20_000 * USDC - value_atoms(1_000, 40_000)


def test_it_needs_every_market_and_a_fresh_price(risks: Risks) -> None:
    exchange = risks.exchange
    exchange.settle(exchange.fill(10))
    with refused("WrongAccounts"):
        risks.check(exchange.alice, markets=False)
    exchange.chain.warp(seconds=121)
    with refused("BadPriceState"):
        risks.check(exchange.alice)


def test_it_reads_only_accounts_of_the_exchange(risks: Risks) -> None:
    exchange = risks.exchange
    for wrong in (exchange.market(), exchange.prices.feed(), exchange.alice.pubkey()):
        with pytest.raises(Refused, match=r"^Account"):
            risks.check(exchange.alice, user=wrong)
    data = exchange.chain.data(exchange.user(exchange.alice))
    account = exchange.chain.svm.get_account(exchange.user(exchange.alice))
    assert account is not None
    assert bytes(account.data) == data
    copy = exchange.chain.key(88).pubkey()
    exchange.chain.svm.set_account(copy, account)
    with refused("ConstraintSeeds"):
        risks.check(exchange.alice, user=copy)
    other = exchange.chain.key(89).pubkey()
    exchange.chain.svm.set_account(other, exchange.chain.svm.get_account(exchange.exchange) or account)
    with refused("ConstraintSeeds"):
        risks.check(exchange.alice, exchange=other)


@pytest.mark.parametrize("case", [case for case in VECTORS["maintenance"] if case["notional_atoms"] > 0], ids=str)
def test_it_computes_the_vectors_margins(case: dict[str, Any]) -> None:
    exchange = Exchange()
    exchange.market_parameters = MARKET_PARAMETERS | {
        "tick_e8": 100_000_000,
        "lot_e8": 100,
        "tiers": [
            {"notional_from_atoms": start, "maintenance_ppm": rate, "deduction_atoms": deduction, "max_leverage": leverage}
            for start, rate, deduction, leverage in VECTORS["tiers"]
        ],
    }
    exchange.begin()
    # A lot is worth 100,000 atoms: the nearest size that the notional holds.
    lots = max(1, case["notional_atoms"] // PRICE)
    exchange.settle(exchange.fill(lots))
    _, initial, maintenance, _ = Risks(exchange).check(exchange.alice)
    tiers = tuple(MarginTier(*tier) for tier in VECTORS["tiers"])
    assert maintenance == maintenance_margin(notional_atoms=lots * PRICE, tiers=tiers)
    assert initial == initial_margin(notional_atoms=lots * PRICE, leverage=10**9, tiers=tiers)


def test_it_sums_a_portfolio(risks: Risks) -> None:
    exchange = risks.exchange
    exchange.create_user(exchange.alice, 1)
    exchange.deposit(exchange.alice, 5 * USDC, sub_account=1)
    users = sorted((exchange.user(exchange.alice), exchange.user(exchange.alice, 1)), key=bytes)
    assert risks.portfolio(exchange.alice, users) == (20_005 * USDC, 0, 0, 20_005 * USDC)
    assert risks.portfolio(exchange.alice, []) == (0, 0, 0, 0)
    for wrong in (users[::-1], [users[0]] * 2, sorted((users[0], exchange.user(exchange.bob)), key=bytes)):
        with refused("WrongAccounts"):
            risks.portfolio(exchange.alice, wrong)


def short(risks: Risks) -> None:
    """Let Alice fall below initial margin, but not below maintenance."""
    exchange = risks.exchange
    exchange.settle(exchange.fill(7_900))
    exchange.chain.warp(seconds=10)
    exchange.reprice(99_000)


def test_anyone_calls_margin_once(risks: Risks) -> None:
    with refused("HasMargin"):
        risks.call(risks.exchange.alice)
    short(risks)
    risks.call(risks.exchange.alice)
    call = risks.program.account("MarginCall", risks.exchange.chain.data(risks.margin_call(risks.exchange.alice)))
    assert call["figures"]["free_atoms"] < 0 <= call["figures"]["equity_atoms"] - call["figures"]["maintenance_atoms"]
    with pytest.raises(Refused, match=TAKEN):
        risks.call(risks.exchange.alice)
    with refused("HasMargin"):
        risks.call(risks.exchange.bob)


def test_a_call_ends_with_margin_only(risks: Risks) -> None:
    exchange = risks.exchange
    short(risks)
    risks.call(exchange.alice)
    with refused("ShortOfMargin"):
        risks.end(exchange.alice)
    exchange.deposit(exchange.alice, 20_000 * USDC)
    with refused("WrongAccounts"):
        risks.end(exchange.alice, caller=exchange.bob)
    risks.end(exchange.alice)
    assert not exchange.chain.exists(risks.margin_call(exchange.alice))


def test_a_single_source_calls_no_margin(risks: Risks) -> None:
    exchange = risks.exchange
    exchange.settle(exchange.fill(7_900))
    exchange.chain.warp(seconds=61)
    exchange.prices.pyth(99_000)
    exchange.observe()
    with refused("BadPriceState"):
        risks.call(exchange.alice)
