"""Haircuts of collateral and limits of positions, held by the risk program: the figures of risk/collateral.py, loosened only in time."""

import json
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair
from solders.system_program import advance_nonce_account, create_nonce_account

from markets.assets import CollateralTier
from risk.collateral import cautious_price_e8, counted_atoms, initial_price_e8
from risk.margin import concentrated_margin
from tests.programs.support.exchange import PARAMETERS, PRICE, TICKS, USDC, Exchange, value_atoms
from tests.programs.support.prices import E8
from tests.programs.support.risks import Risks
from tests.programs.support.svm import refused

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "collateral.json").read_text())
WEIGHTS = ((0, 900_000, 950_000), (1_000 * USDC, 800_000, 850_000))
WAIT_S = PARAMETERS["loosening_s"]
# The position of 2,000 lots is worth 200,000 USDC; what is beyond 100,000 needs 5 % more.
LIMITS: dict[str, Any] = {"lots": 10_000, "from_atoms": 100_000 * USDC, "rate_ppm": 50_000}


def begun(*, decimals: int = 6, weights: Any = WEIGHTS, price: int = 50) -> Risks:
    """An exchange that counts its second asset, at a price of its own, from the start; then people come."""
    exchange = Exchange()
    exchange.mints[1] = exchange.chain.mint(503, decimals)
    exchange.found()
    exchange.prices.create(2)
    exchange.prices.agree(price, 2)
    risks = Risks(exchange)
    risks.set_haircut(weights)
    risks.set_limits(**LIMITS)
    exchange.admit()
    for owner in (exchange.alice, exchange.bob):
        exchange.deposit(owner, 20_000 * USDC)
    return risks


@pytest.fixture
def risks() -> Risks:
    return begun()


def counted(risks: Risks, amount: int, *, decimals: int, weights: Any, initial: bool) -> int:
    """Return what Python makes of an amount at the feed's price."""
    feed = risks.exchange.prices.state(2)
    price = cautious_price_e8(price_e8=feed["price_e8"], confidence_e8=feed["confidence_e8"], amount_atoms=amount)
    if initial:
        price = initial_price_e8(price_e8=price, stable_e8=feed["average_e8"], amount_atoms=amount)
    tiers = tuple(CollateralTier(*weight) for weight in weights)
    return counted_atoms(amount_atoms=amount, price_e8=price, decimals=decimals, tiers=tiers, initial=initial)


@pytest.mark.parametrize("case", [case for case in VECTORS["counted"] if case["amount_atoms"] > 0 and case["price_e8"] > E8], ids=str)
def test_it_counts_the_vectors_amounts(case: dict[str, Any]) -> None:
    amount, tiers, decimals = case["amount_atoms"], case["tiers"], case["decimals"]
    risks = begun(decimals=decimals, weights=tiers, price=case["price_e8"] // E8)
    risks.exchange.deposit(risks.exchange.alice, amount, asset=1)
    equity, _, _, free = risks.collateral(risks.exchange.alice)
    assert equity - 20_000 * USDC == counted(risks, amount, decimals=decimals, weights=tiers, initial=False)
    assert free - 20_000 * USDC == counted(risks, amount, decimals=decimals, weights=tiers, initial=True)


def test_it_opens_at_the_lower_of_price_and_average(risks: Risks) -> None:
    exchange = risks.exchange
    exchange.deposit(exchange.alice, 100 * USDC, asset=1)
    exchange.chain.warp(seconds=10)
    exchange.prices.agree(52, 2)
    equity, _, _, free = risks.collateral(exchange.alice)
    assert exchange.prices.state(2)["average_e8"] < 51 * E8
    assert free - 20_000 * USDC == counted(risks, 100 * USDC, decimals=6, weights=WEIGHTS, initial=True) < equity - 20_000 * USDC


def test_large_positions_need_more(risks: Risks) -> None:
    exchange = risks.exchange
    exchange.settle(exchange.fill(2_000))
    notional = value_atoms(2_000, TICKS)
    _, initial, maintenance, free = risks.collateral(exchange.alice)
    bare = notional // 40
    assert initial == concentrated_margin(
        initial_atoms=bare, notional_atoms=notional, from_atoms=LIMITS["from_atoms"], rate_ppm=LIMITS["rate_ppm"]
    )
    assert (maintenance, free) == (notional * 125 // 10_000, 20_000 * USDC - initial)
    assert risks.check(exchange.alice)[1] == bare < initial


def test_it_needs_every_rule_that_concerns_the_account(risks: Risks) -> None:
    exchange = risks.exchange
    exchange.settle(exchange.fill(10))
    exchange.deposit(exchange.alice, 1, asset=1)
    for missing in (exchange.market(), risks.limits(), risks.haircut(1), exchange.prices.feed(2)):
        with refused("WrongAccounts"):
            risks.collateral(exchange.alice, leave_out=[missing])
    with refused("WrongAccounts"):
        risks.collateral(exchange.alice, feed=1)
    exchange.chain.warp(seconds=61)
    exchange.reprice(PRICE)
    with refused("BadPriceState"):
        risks.collateral(exchange.alice)


def test_it_says_how_much_more_an_account_may_hold(risks: Risks) -> None:
    exchange = risks.exchange
    exchange.settle(exchange.fill(1_000))
    assert (risks.room(exchange.alice, buys=True), risks.room(exchange.alice, buys=False)) == (9_000, 10_000)
    assert (risks.room(exchange.bob, buys=True), risks.room(exchange.bob, buys=False)) == (10_000, 9_000)
    risks.set_limits(**(LIMITS | {"lots": 500}))
    assert (risks.room(exchange.alice, buys=True), risks.room(exchange.alice, buys=False)) == (0, 500)


def test_lower_weights_hold_at_once_and_higher_ones_wait(risks: Risks) -> None:
    exchange = risks.exchange
    exchange.deposit(exchange.alice, 10 * USDC, asset=1)
    held = risks.collateral(exchange.alice)[0]
    risks.set_haircut([(0, 990_000, 990_000)])
    assert risks.collateral(exchange.alice)[0] == held
    risks.set_haircut([(0, 100_000, 200_000)])
    lower = risks.collateral(exchange.alice)[0]
    assert lower < held
    # What waited is forgotten; to have the old weights back takes the whole time again.
    risks.set_haircut(WEIGHTS)
    exchange.chain.warp(seconds=WAIT_S - 1)
    exchange.prices.agree(50, 2)
    assert risks.collateral(exchange.alice)[0] == lower
    exchange.chain.warp(seconds=1)
    assert risks.collateral(exchange.alice)[0] == held


def test_weights_that_are_higher_for_a_slice_only_wait_too(risks: Risks) -> None:
    exchange = risks.exchange
    exchange.deposit(exchange.alice, 100 * USDC, asset=1)
    held = risks.collateral(exchange.alice)[0]
    risks.set_haircut([(0, 850_000, 900_000)])
    assert risks.collateral(exchange.alice)[0] == held


def test_tighter_limits_hold_at_once_and_looser_ones_wait(risks: Risks) -> None:
    exchange = risks.exchange
    risks.set_limits(**(LIMITS | {"lots": 20_000}))
    assert risks.room(exchange.alice, buys=True) == 10_000
    exchange.chain.warp(seconds=WAIT_S)
    assert risks.room(exchange.alice, buys=True) == 20_000
    risks.set_limits(**(LIMITS | {"lots": 1}))
    assert risks.room(exchange.alice, buys=True) == 1
    for looser in ({"rate_ppm": 49_999}, {"from_atoms": LIMITS["from_atoms"] + 1}):
        risks.set_limits(**(LIMITS | {"lots": 0} | looser))
        assert risks.room(exchange.alice, buys=True) == 1


def test_only_the_exchanges_authority_sets_rules(risks: Risks) -> None:
    for stranger in (risks.exchange.charlie, risks.exchange.settler):
        with refused("NotAuthority"):
            risks.set_haircut(WEIGHTS, authority=stranger)
        with refused("NotAuthority"):
            risks.set_limits(lots=1, authority=stranger)


def test_the_authority_signs_no_rules_on_a_durable_nonce(risks: Risks) -> None:
    exchange, nonce = risks.exchange, risks.exchange.chain.key(63)
    authority = exchange.authority
    drawer = Keypair.from_seed(bytes([64] * 32))
    made = create_nonce_account(authority.pubkey(), drawer.pubkey(), authority.pubkey(), 10**9)
    exchange.chain.send(list(made), [authority, drawer])
    advance = advance_nonce_account({"nonce_pubkey": drawer.pubkey(), "authorized_pubkey": authority.pubkey()})
    for instruction in (risks.haircut_instruction(WEIGHTS, payer=nonce), risks.limits_instruction(lots=1, payer=nonce)):
        with refused("DurableNonce"):
            exchange.chain.send([advance, instruction], [nonce, authority], budget=False)
        exchange.chain.send([instruction], [nonce, authority])


def test_a_haircut_keeps_its_feed_and_the_quote_asset_has_none(risks: Risks) -> None:
    with refused("WrongAccounts"):
        risks.set_haircut(WEIGHTS, feed=1)
    with refused("WrongAccounts"):
        risks.set_haircut(WEIGHTS, asset=0)


@pytest.mark.parametrize(
    "weights",
    [
        [(1, 1, 1)],
        [(0, 900_000, 1_000_001)],
        [(0, 950_000, 900_000)],
        [(0, 800_000, 850_000), (5, 810_000, 850_000)],
        [(0, 800_000, 850_000), (0, 700_000, 750_000)],
        [(place, 1, 1) for place in range(7)],
    ],
    ids=["not from zero", "above all", "opening above keeping", "rising", "twice", "too many"],
)
def test_it_refuses_weights(risks: Risks, weights: list[tuple[int, int, int]]) -> None:
    with refused("BadParameters"):
        risks.set_haircut(weights)


def test_it_refuses_a_margin_above_the_notional(risks: Risks) -> None:
    with refused("BadParameters"):
        risks.set_limits(lots=1, rate_ppm=1_000_001)


def test_nothing_counts_before_anybody_says_so() -> None:
    """With accounts inside, even the first haircut waits."""
    exchange = Exchange()
    exchange.begin()
    exchange.prices.create(2)
    exchange.prices.agree(50, 2)
    risks = Risks(exchange)
    exchange.deposit(exchange.alice, USDC, asset=1)
    risks.set_haircut(WEIGHTS)
    assert risks.collateral(exchange.alice) == (0, 0, 0, 0)
