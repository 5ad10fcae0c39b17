"""Keepers on a localnet: strangers with a key and a node's address, who do what is due, and no harm twice."""

import threading
from typing import Any

import pytest

from chain.client import ChainClient
from chain.keepers.actions import Result
from tests.chain.kept import KeptExchange, kept, outcomes
from tests.programs.support.exchange import HOUR_S, USDC
from tests.programs.support.insurance import PARAMETERS, Insurance

__all__ = ["kept"]
LOTS = 7_900
ENDS: dict[str, Any] = {"falls_back": True, "freezes": True}


@pytest.fixture
def insured(kept: KeptExchange) -> Insurance:
    """Alice and Bob have 20,000 USDC each, Dave who keeps 100,000; Bob staked 5,000 more for losses."""
    for owner in (kept.alice, kept.bob):
        kept.deposit(owner, 20_000 * USDC)
    kept.deposit(kept.dave, 100_000 * USDC)
    insurance = Insurance(kept)
    insurance.initialise()
    insurance.stake(kept.bob, 5_000 * USDC)
    return insurance


def fall_back(kept: KeptExchange) -> None:
    kept.chain.warp(seconds=1, slots=1_001)
    assert outcomes(kept.keep(kept.dave, "epochs", **ENDS)) == {"fallback": "done"}
    assert kept.state()["phase"] == "Fallback"


def trade(kept: KeptExchange) -> None:
    """Let a stranger match Alice, long, with Bob."""
    kept.match(kept.order(kept.alice, "buy", LOTS), kept.order(kept.bob, "sell", LOTS), LOTS)


def test_it_brings_prices_to_feeds_and_markets(kept: KeptExchange) -> None:
    kept.fall(99_000)
    assert outcomes(kept.keep(kept.erin, "oracle")) == {"Pyth's price of market 1": "done"}
    market = kept.dex.account("Market", kept.chain.data(kept.market()))
    assert (market["price_e8"], market["may_liquidate"]) == (99_000 * 10**8, True)
    assert kept.keep(kept.erin) == []


def test_it_keeps_a_disputed_price_on_record(kept: KeptExchange) -> None:
    kept.chain.warp(seconds=10)
    kept.feed_pyth(105_000)
    kept.net.advance()
    assert outcomes(kept.keep(kept.erin, "oracle")) == {"Pyth's price of market 1": "done"}
    feed = kept.prices.state()
    assert (feed["state"], feed["pyth"]["price_e8"], feed["price_e8"]) == ("Disputed", 105_000 * 10**8, 100_000 * 10**8)


def test_it_leaves_a_live_exchange_alone(insured: Insurance) -> None:
    kept = insured.exchange
    assert isinstance(kept, KeptExchange)
    assert kept.keep(kept.dave, **ENDS) == []
    kept.chain.warp(seconds=1, slots=1_001)
    assert kept.keep(kept.dave) == []  # who keeps for the operator lets others say that he is silent
    assert kept.state()["phase"] == "Live"


def test_a_keeper_alone_lives_a_whole_fallback_through(insured: Insurance) -> None:
    kept = insured.exchange
    assert isinstance(kept, KeptExchange)
    fall_back(kept)
    kept.reprice(100_000)
    trade(kept)
    # Prices fall, and Alice is liquidated in steps, by Dave's own margin.
    kept.fall(98_000)
    assert "Pyth's price of market 1" in outcomes(kept.keep(kept.dave))
    alice = kept.user(kept.alice)
    assert insured.liquidation(kept.alice)["number"] == 1
    kept.keep(kept.dave)
    assert kept.lots(kept.dave) > 0
    kept.chain.warp(seconds=1, slots=1_000)
    while kept.lots(kept.alice):
        assert any("taken over" in title for title in outcomes(kept.keep(kept.dave)))
    assert (kept.lots(kept.alice), kept.lots(kept.dave)) == (0, LOTS)
    owed = -kept.balance(kept.alice)
    assert owed > 0
    # The insurance fund makes her whole.
    assert f"account {alice} below zero" in outcomes(kept.keep(kept.dave, "liquidation"))
    kept.chain.warp(seconds=PARAMETERS["recovery_delay_s"], slots=0)
    assert outcomes(kept.keep(kept.dave, "liquidation"))[f"account {alice} recovered"] == "done"
    assert kept.balance(kept.alice) == 0
    assert f"recovery of {alice} closed" in outcomes(kept.keep(kept.dave, "liquidation"))
    assert insured.vault_atoms() == 5_000 * USDC - owed
    # The operator never comes back, and everybody leaves.
    kept.chain.warp(seconds=1, slots=1_001)
    assert outcomes(kept.keep(kept.dave, "epochs", **ENDS))["freeze"] == "done"
    assert sorted(set(outcomes(kept.keep(kept.dave)).values())) == ["done"]
    assert outcomes(kept.keep(kept.dave)) == {"escapes opened": "done"}
    assert set(outcomes(kept.keep(kept.dave)).values()) == {"done"}
    assert kept.keep(kept.dave) == []
    assert kept.state()["phase"] == "Escaping"
    assert 0 <= kept.vault_atoms() < 5


def test_two_keepers_at_once_do_no_harm(insured: Insurance) -> None:
    kept = insured.exchange
    assert isinstance(kept, KeptExchange)
    kept.deposit(kept.charlie, 100_000 * USDC)
    fall_back(kept)
    kept.reprice(100_000)
    trade(kept)
    kept.fall(98_600)
    stop = kept.net.tick(slot_ms=20)
    told = race(kept, passes=6)
    stop()
    assert not [result for result in told if result.outcome in {"refused", "lost"}]
    assert kept.lots(kept.alice) + kept.lots(kept.dave) + kept.lots(kept.charlie) == LOTS
    record = insured.liquidation(kept.alice)
    assert record["steps"] == sum("taken over" in result.title for result in told if result.outcome == "done")
    kept.chain.warp(seconds=HOUR_S, slots=2_000)
    stop = kept.net.tick(slot_ms=20)
    told = race(kept, passes=8)
    stop()
    assert not [result for result in told if result.outcome in {"refused", "lost"}]
    assert kept.state()["phase"] == "Escaping"
    assert 0 <= kept.vault_atoms() < 5


def race(kept: KeptExchange, *, passes: int) -> list[Result]:
    """Let Dave and Charlie keep, each on his own, pass after pass together."""
    together, told = threading.Barrier(2), list[Result]()

    def keep(by: object) -> None:
        with ChainClient(kept.net.url) as client:
            for _ in range(passes):
                together.wait(timeout=60)
                told.extend(kept.keep(by, client=client, **ENDS))  # type: ignore[arg-type]

    threads = [threading.Thread(target=keep, args=(by,)) for by in (kept.dave, kept.charlie)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return told
