"""Epochs, exits and challenges as keepers find them: each comes to its end without the operator."""

import pytest

from chain.keepers.funding import hours
from chain.keepers.sight import Sight
from tests.chain.kept import KeptExchange, kept, outcomes
from tests.programs.support.exchange import HOUR_S, PARAMETERS, PRICE, USDC
from tests.programs.support.prices import E8

__all__ = ["kept"]
LOTS = 7_900


@pytest.fixture
def funded(kept: KeptExchange) -> KeptExchange:
    """Alice and Bob have 20,000 USDC each, Dave who keeps 100,000."""
    for owner in (kept.alice, kept.bob):
        kept.deposit(owner, 20_000 * USDC)
    kept.deposit(kept.dave, 100_000 * USDC)
    return kept


def test_it_turns_epochs_when_their_time_has_come(funded: KeptExchange) -> None:
    assert funded.keep(funded.erin, "epochs") == []
    funded.settle(funded.fill(10))
    assert outcomes(funded.keep(funded.erin, "epochs")) == {"epoch turned": "done"}
    assert funded.keep(funded.erin, "epochs") == []
    funded.chain.warp(seconds=PARAMETERS["challenge_window_s"] + 1)
    assert outcomes(funded.keep(funded.erin, "epochs")) == {"epoch turned": "done"}
    assert funded.lots(funded.alice) == 10
    assert funded.keep(funded.erin, "epochs") == []


def test_it_falls_back_for_an_exit_that_is_overdue(funded: KeptExchange) -> None:
    funded.request_exit(funded.alice)
    funded.chain.warp(seconds=PARAMETERS["exit_s"] - 1, slots=1)
    assert funded.keep(funded.erin, "epochs", falls_back=True) == []
    funded.chain.warp(seconds=1, slots=1)
    assert funded.keep(funded.erin, "epochs") == []
    assert outcomes(funded.keep(funded.erin, "epochs", falls_back=True)) == {"fallback": "done"}
    assert funded.state()["phase"] == "Fallback"


def test_it_ends_an_exit_that_losses_left_nothing_of(funded: KeptExchange) -> None:
    funded.request_exit(funded.alice)
    funded.net.advance()
    funded.silence()
    funded.match(funded.order(funded.alice, "buy", LOTS), funded.order(funded.bob, "sell", LOTS), LOTS)
    assert funded.keep(funded.erin, "epochs") == []
    funded.chain.warp(seconds=10)
    funded.reprice(97_000)
    funded.liquidate(funded.alice, funded.dave, LOTS)
    assert outcomes(funded.keep(funded.erin, "epochs")) == {f"exit of {funded.user(funded.alice)} ended": "done"}
    assert funded.account(funded.alice)["exit_paid"]
    assert funded.keep(funded.erin, "epochs") == []


def test_it_tells_which_hours_funding_a_batch_has_paid(funded: KeptExchange) -> None:
    assert hours(Sight(funded.programs, funded.client)) == {1: 0}
    hour = funded.chain.now // HOUR_S
    funded.settle(funded.fill(10), paid={"hour": hour, "index_e8": PRICE * E8, "rate_ppb": 0})
    assert hours(Sight(funded.programs, funded.client)) == {1: hour}
    assert funded.keep(funded.erin, "funding") == []


def test_it_freezes_where_a_challenge_stays_unanswered(funded: KeptExchange) -> None:
    batch = funded.settle(funded.fill(10))
    funded.challenge(batch, funded.alice)
    funded.chain.warp(seconds=PARAMETERS["answer_window_s"] + 1)
    title = f"challenge {funded.challenged(batch, funded.alice)} unanswered"
    assert title not in outcomes(funded.keep(funded.erin, "epochs"))
    assert outcomes(funded.keep(funded.erin, "epochs", freezes=True))[title] == "done"
    assert funded.state()["phase"] == "Frozen"


def test_an_answered_challenge_freezes_nothing(funded: KeptExchange) -> None:
    batch = funded.settle(funded.fill(10))
    funded.challenge(batch, funded.alice)
    funded.answer(batch, funded.alice)
    funded.chain.warp(seconds=PARAMETERS["answer_window_s"] + 1)
    funded.keep(funded.erin, "epochs", freezes=True)
    assert funded.state()["phase"] == "Live"
