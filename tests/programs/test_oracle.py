"""The oracle program, as built: what it takes for a price, and what it refuses."""

from typing import Any

import pytest

from tests.programs.support.idl import Program
from tests.programs.support.prices import E8, Prices, price_update
from tests.programs.support.svm import SYSTEM, TAKEN, Chain, Refused, refused


@pytest.fixture
def prices() -> Prices:
    program = Program("oracle")
    chain = Chain(program)
    prices = Prices(chain, program, chain.key(1), chain.key(2))
    prices.initialise()
    prices.create()
    return prices


def test_it_is_initialised_only_with_the_programs_own_key() -> None:
    program = Program("oracle")
    chain = Chain(program)
    prices = Prices(chain, program, chain.key(1), chain.key(2))
    with refused("NotDeployer"):
        prices.initialise(program_signer=chain.key(3))


def test_it_is_not_initialised_twice(prices: Prices) -> None:
    before = prices.chain.data(prices.oracle)
    with pytest.raises(Refused, match=TAKEN):
        prices.initialise()
    assert prices.chain.data(prices.oracle) == before


def test_it_lets_only_its_authority_create_feeds(prices: Prices) -> None:
    with refused("NotAuthority"):
        prices.create(2, authority=prices.chain.key(3))


@pytest.mark.parametrize(
    "changes",
    [
        {"quorum": 1},
        {"quorum": 3},
        {"quorum": 0},
        {"max_age_s": 0},
        {"max_confidence_ppm": 0},
        {"agreement_ppm": 500_001},
        {"max_jump_ppm": 0},
    ],
)
def test_it_refuses_parameters_that_let_one_source_rule(prices: Prices, changes: dict[str, Any]) -> None:
    with refused("BadParameters"):
        prices.create(2, **changes)


def test_it_refuses_one_publisher_named_twice(prices: Prices) -> None:
    with refused("BadParameters"):
        prices.create(2, publishers=[prices.publishers[0].pubkey()] * 2)


def test_it_takes_a_full_pyth_update_from_anyone(prices: Prices) -> None:
    prices.pyth(100_000)
    feed = prices.state()
    assert (feed["price_e8"], feed["state"], feed["average_e8"]) == (100_000 * E8, "Single", 100_000 * E8)


@pytest.mark.parametrize(
    ("exponent", "price", "expected"), [(-8, 12_345, 12_345), (-5, 12_345, 12_345_000), (0, 7, 7 * E8), (-10, 12_345, 123)]
)
def test_it_reads_any_exponent(prices: Prices, exponent: int, price: int, expected: int) -> None:
    data = price_update(price=price, confidence=0, exponent=exponent, published_at=prices.chain.now)
    prices.update(prices.write_pyth(data))
    assert prices.state()["price_e8"] == expected


def test_it_refuses_a_fake_pyth_account(prices: Prices) -> None:
    with refused("ForeignOwner"):
        prices.pyth(100_000, owner=SYSTEM)


def test_it_refuses_a_foreign_kind_of_account(prices: Prices) -> None:
    with refused("NotPriceUpdate"):
        prices.pyth(100_000, discriminator=bytes(8))


def test_it_refuses_an_update_that_is_too_short(prices: Prices) -> None:
    data = price_update(price=E8, published_at=prices.chain.now)[:133]
    with refused("NotPriceUpdate"):
        prices.update(prices.write_pyth(data))


def test_it_refuses_partial_verification(prices: Prices) -> None:
    with refused("PartlyVerified"):
        prices.pyth(100_000, level=b"\x00\x0c")


def test_it_refuses_another_feeds_update(prices: Prices) -> None:
    with refused("OtherFeed"):
        prices.pyth(100_000, feed_id=bytes(32))


@pytest.mark.parametrize("price", [0, -1])
def test_it_refuses_a_price_that_is_not_positive(prices: Prices, price: int) -> None:
    with refused("BadPrice"):
        prices.pyth(price)


@pytest.mark.parametrize("exponent", [-13, 1])
def test_it_refuses_an_exponent_out_of_range(prices: Prices, exponent: int) -> None:
    with refused("BadExponent"):
        prices.pyth(1, exponent=exponent)


def test_it_refuses_wide_confidence(prices: Prices) -> None:
    prices.pyth(100, confidence=2 * E8)
    prices.chain.warp(seconds=1)
    with refused("WideConfidence"):
        prices.pyth(100, confidence=2 * E8 + 1)


def test_it_refuses_a_stale_price(prices: Prices) -> None:
    with refused("TooOld"):
        prices.pyth(100, published_at=prices.chain.now - 61)


def test_it_refuses_a_price_from_the_future(prices: Prices) -> None:
    with refused("FromTheFuture"):
        prices.pyth(100, published_at=prices.chain.now + 6)


def test_it_refuses_what_is_no_newer(prices: Prices) -> None:
    prices.pyth(100)
    with refused("NotNewer"):
        prices.pyth(101)


def test_it_refuses_strangers_as_publishers(prices: Prices) -> None:
    with refused("NotPublisher"):
        prices.publish(prices.chain.key(3), 100)


def test_it_needs_a_quorum_without_pyth(prices: Prices) -> None:
    prices.publish(prices.publishers[0], 100)
    assert prices.state()["price_e8"] == 0
    prices.publish(prices.publishers[1], 102)
    assert (prices.state()["price_e8"], prices.state()["state"]) == (100 * E8, "Single")


def test_it_is_valid_when_both_sources_agree(prices: Prices) -> None:
    prices.agree(100)
    assert (prices.state()["price_e8"], prices.state()["state"]) == (100 * E8, "Valid")


def test_it_lets_no_single_source_move_a_price_that_both_report(prices: Prices) -> None:
    prices.agree(100)
    prices.chain.warp(seconds=10)
    prices.pyth(101)
    assert (prices.state()["price_e8"], prices.state()["state"]) == (100 * E8, "Disputed")


def test_it_disputes_a_lone_jump(prices: Prices) -> None:
    prices.pyth(100)
    prices.chain.warp(seconds=10)
    prices.pyth(111)
    assert (prices.state()["price_e8"], prices.state()["state"]) == (100 * E8, "Disputed")


def test_it_takes_a_jump_that_both_confirm(prices: Prices) -> None:
    prices.agree(100)
    prices.chain.warp(seconds=10)
    prices.agree(150)
    assert (prices.state()["price_e8"], prices.state()["state"]) == (150 * E8, "Valid")


def test_it_averages_over_time(prices: Prices) -> None:
    prices.agree(100)
    prices.chain.warp(seconds=36)
    prices.agree(200)
    assert prices.state()["average_e8"] == 101 * E8
