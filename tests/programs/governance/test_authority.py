"""Governance as the exchange's authority: it lists, creates and limits by what was voted, under the exchange's own delays."""

from tests.programs.support.exchange import LIMITS, MARKET, PARAMETERS, USDC
from tests.programs.support.governance import Governance
from tests.programs.support.svm import refused


def test_it_is_the_exchanges_authority(governance: Governance) -> None:
    assert governance.state()["authority"] == governance.signs
    with refused("NotAuthority"):
        governance.list_asset(0)


def test_it_lists_an_asset_and_creates_a_market(governance: Governance) -> None:
    governance.enact(governance.listing(), governance.new_market())
    assert governance.state()["assets"] == 1
    governance.prices.agree(100_000)
    governance.observe()
    governance.create_user(governance.alice)
    governance.deposit(governance.alice, 5 * USDC)
    assert governance.listed()["total_atoms"] == 5 * USDC


def test_it_lowers_at_once_and_raises_after_the_exchanges_delay_as_well(governance: Governance) -> None:
    governance.enact(governance.listing())
    governance.enact(governance.limits(hour_atoms=5, day_atoms=LIMITS["day_atoms"] + 1))
    limits = governance.listed()
    assert limits["limits"] == LIMITS | {"hour_atoms": 5}
    assert limits["next_limits"] == LIMITS | {"hour_atoms": 5, "day_atoms": LIMITS["day_atoms"] + 1}
    assert limits["next_limits_at"] == governance.chain.now + PARAMETERS["loosening_s"]


def test_a_market_opens_after_both_delays(governance: Governance) -> None:
    governance.enact(governance.listing(), governance.new_market())
    governance.create_user(governance.alice)
    governance.enact(governance.new_market(MARKET + 1))
    opens_at = governance.dex.account("Market", governance.chain.data(governance.market(MARKET + 1)))["opens_at"]
    assert opens_at == governance.chain.now + PARAMETERS["loosening_s"]
    governance.prices.agree(100_000)
    with refused("TooEarly"):
        governance.observe(MARKET + 1)


def test_who_asks_to_leave_during_a_vote_is_out_before_anything_loosens(governance: Governance) -> None:
    """Even if the operator does not pay him: then the exchange falls back, and he pays himself."""
    governance.enact(governance.listing(), governance.new_market())
    governance.create_user(governance.alice)
    governance.deposit(governance.alice, 5 * USDC)
    number = governance.propose(governance.limits(day_atoms=2 * LIMITS["day_atoms"]))
    governance.vote(governance.alice, number)
    governance.wait(governance.ballot(number)["votes_until"] - governance.chain.now)
    governance.request_exit(governance.alice)
    governance.wait(PARAMETERS["exit_s"])
    governance.fall_back(governance.alice)
    governance.withdraw(governance.alice, 5 * USDC, number=None)
    assert governance.account(governance.alice)["exit_paid"]
    with refused("TooEarly"):
        governance.execute(number)
