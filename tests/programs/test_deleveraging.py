"""Bankrupt positions taken over by others without their signature: at the price that leaves nothing, and no lot too many."""

from typing import Any

import pytest
from solders.keypair import Keypair

from tests.programs.support.batches import Batch, Leaf, bankruptcy, deleveraging, house, reduction
from tests.programs.support.exchange import MARKET, TICKS, USDC, Exchange, value_atoms
from tests.programs.support.svm import refused

LOTS = 1_000
PAID = 20_000 * USDC
# Alice bought at 100,000: what nothing is left of is her price less her money.
QUOTE = value_atoms(LOTS, TICKS) - PAID


@pytest.fixture
def crashed(funded: Exchange) -> Exchange:
    crash(funded)
    return funded


def crash(exchange: Exchange) -> None:
    """Let Alice buy 1,000 lots from Bob with 20,000 USDC, then let the price fall by a quarter, and a batch end behind the fall."""
    exchange.settle(exchange.fill(LOTS))
    for price in (94_000, 88_000, 82_000, 77_000, 75_000):
        exchange.chain.warp(seconds=10)
        exchange.reprice(price)
    exchange.settle(exchange.fill(1, 750_000))
    exchange.settle(exchange.fill(1, 750_000, buyer=exchange.bob, seller=exchange.alice))


def give_up(exchange: Exchange, *, lots: int = -LOTS, quote_atoms: int = QUOTE, **changes: Any) -> Leaf:
    fields = {"market_id": MARKET, "lots": lots, "quote_atoms": quote_atoms, "time_ms": exchange.chain.now * 1_000} | changes
    return bankruptcy(**fields)


def take_over(exchange: Exchange, *, lots: int = LOTS, quote_atoms: int = -QUOTE, bankrupt: Keypair | None = None, place: int = 0) -> Leaf:
    user = exchange.user(bankrupt or exchange.alice)
    return deleveraging(market_id=MARKET, lots=lots, bankrupt=user, place=place, quote_atoms=quote_atoms)


def settle(exchange: Exchange, given: list[Leaf], taken: list[Leaf], **more: list[Leaf]) -> Batch:
    others = {getattr(exchange, name): leaves for name, leaves in more.items()}
    return exchange.settle({exchange.alice: given, exchange.bob: taken} | others)


def house_with(exchange: Exchange, amount: int) -> None:
    exchange.create_user(exchange.custodian)
    exchange.deposit(exchange.custodian, amount)


def show(exchange: Exchange, batch: Batch, *owners: Keypair) -> None:
    for owner in owners:
        exchange.challenge(batch, owner)
        exchange.answer(batch, owner)


def test_it_closes_a_bankrupt_position_against_the_other_side(crashed: Exchange) -> None:
    batch = settle(crashed, [give_up(crashed)], [take_over(crashed)])
    show(crashed, batch, crashed.alice, crashed.bob)
    crashed.finalise()
    assert (crashed.lots(crashed.alice), crashed.lots(crashed.bob)) == (0, 0)
    assert crashed.balance(crashed.alice) == 0
    assert crashed.balance(crashed.bob) == 2 * PAID


def test_it_follows_what_was_sold_before_in_the_same_batch(crashed: Exchange) -> None:
    """A tenth was sold on the book at the market, so what is left needs a better price than the whole did."""
    sold = reduction(market_id=MARKET, lots=-100, price_ticks=750_000, time_ms=crashed.chain.now * 1_000)
    bought = crashed.traded(crashed.order(crashed.bob, "buy", 100, 750_000), owner=crashed.bob, price_ticks=750_000)
    rest = QUOTE - value_atoms(100, 750_000)
    given = [sold, give_up(crashed, lots=-900, quote_atoms=rest)]
    batch = settle(crashed, given, [bought, take_over(crashed, lots=900, quote_atoms=-rest, place=1)])
    show(crashed, batch, crashed.alice, crashed.bob)


def test_nobody_takes_over_what_was_not_shown(crashed: Exchange) -> None:
    batch = settle(crashed, [give_up(crashed)], [take_over(crashed)])
    crashed.challenge(batch, crashed.bob)
    with refused("NotBankrupt"):
        crashed.answer(batch, crashed.bob)
    show(crashed, batch, crashed.alice)
    crashed.answer(batch, crashed.bob)


def test_nobody_takes_over_more_than_was_given_up(crashed: Exchange) -> None:
    half = give_up(crashed, lots=-LOTS // 2, quote_atoms=QUOTE - value_atoms(LOTS // 2, 750_000))
    sold = reduction(market_id=MARKET, lots=-LOTS // 2, price_ticks=750_000, time_ms=crashed.chain.now * 1_000)
    taken = take_over(crashed, quote_atoms=-2 * half.fields["quote_atoms"], place=1)
    lacking = half.fields["quote_atoms"] - value_atoms(LOTS // 2, 750_000)
    with_more = {"custodian": [house(0, lacking)]}
    house_with(crashed, 100_000 * USDC)
    batch = settle(crashed, [sold, half], [taken], **with_more)
    show(crashed, batch, crashed.alice)
    crashed.challenge(batch, crashed.bob)
    with refused("FilledTwice"):
        crashed.answer(batch, crashed.bob)


@pytest.mark.parametrize(
    ("quote_atoms", "error"),
    [
        # One tick of a thousand lots is what rounding may leave.
        (QUOTE + value_atoms(LOTS, 1) + 1, "NotBankrupt"),
        (value_atoms(LOTS, 750_000) - 1, "DebtByPrice"),
    ],
    ids=["leaving it something", "below the market"],
)
def test_it_accepts_no_other_price(crashed: Exchange, quote_atoms: int, error: str) -> None:
    batch = settle(crashed, [give_up(crashed, quote_atoms=quote_atoms)], [take_over(crashed, quote_atoms=-quote_atoms)])
    crashed.challenge(batch, crashed.alice)
    with refused(error):
        crashed.answer(batch, crashed.alice)


@pytest.mark.parametrize(
    ("changes", "error"),
    [({"lots": -LOTS - 1}, "BadLeaf"), ({"lots": 1}, "BadLeaf"), ({"time_ms": 1_799_999_999_000}, "OutsideInterval")],
    ids=["through zero", "away from zero", "at another time"],
)
def test_it_accepts_no_other_bankruptcy(crashed: Exchange, changes: dict[str, int], error: str) -> None:
    lots = changes.get("lots", -LOTS)
    batch = settle(crashed, [give_up(crashed, **changes)], [take_over(crashed, lots=-lots)])
    crashed.challenge(batch, crashed.alice)
    with refused(error):
        crashed.answer(batch, crashed.alice)


def test_it_spares_an_account_above_maintenance(funded: Exchange) -> None:
    funded.settle(funded.fill(LOTS))
    batch = settle(funded, [give_up(funded)], [take_over(funded)])
    funded.challenge(batch, funded.alice)
    with refused("NotLiquidatable"):
        funded.answer(batch, funded.alice)


def test_what_the_platform_says_of_its_own_accounts_proves_no_bankruptcy(crashed: Exchange) -> None:
    """It could write any loss into an account whose key it holds, and let the winners of real positions pay for it."""
    slot = 2**31 | MARKET
    house_with(crashed, 1_000 * USDC)
    crashed.settle({crashed.custodian: [house(slot, 10), house(0, -value_atoms(10, TICKS))], crashed.bob: crashed.fill(10)[crashed.bob]})
    quote = value_atoms(10, TICKS)
    batch = crashed.settle(
        {
            crashed.custodian: [give_up(crashed, lots=-10, quote_atoms=quote)],
            crashed.bob: [take_over(crashed, lots=10, quote_atoms=-quote, bankrupt=crashed.custodian)],
        }
    )
    crashed.challenge(batch, crashed.custodian)
    with refused("NotBankrupt"):
        crashed.answer(batch, crashed.custodian)


def test_nobody_takes_over_through_zero_or_away_from_it(crashed: Exchange) -> None:
    house_with(crashed, 100_000 * USDC)
    batch = settle(
        crashed,
        [give_up(crashed)],
        [take_over(crashed, lots=-LOTS, quote_atoms=QUOTE)],
        custodian=[house(2**31 | MARKET, 2 * LOTS), house(0, -2 * QUOTE)],
    )
    show(crashed, batch, crashed.alice)
    crashed.challenge(batch, crashed.bob)
    with refused("NotBankrupt"):
        crashed.answer(batch, crashed.bob)
    batch = crashed.settle({crashed.bob: [take_over(crashed)], crashed.custodian: [house(2**31 | MARKET, -LOTS), house(0, QUOTE)]})
    crashed.challenge(batch, crashed.bob)
    with refused("NotBankrupt"):
        crashed.answer(batch, crashed.bob)
