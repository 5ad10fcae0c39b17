"""Keepers on a localnet: strangers with a key and a node's address, who do what is due, and no harm twice."""

import threading
from typing import Any

import pytest
from solders.keypair import Keypair
from spl.token.instructions import get_associated_token_address

from chain.client import ChainClient
from chain.keepers.actions import Result
from chain.keepers.health import least_free, shortage, worst
from chain.keepers.sight import Sight
from tests.chain.kept import KeptExchange, WideExchange, kept, outcomes, wide
from tests.programs.support.exchange import HOUR_S, USDC
from tests.programs.support.insurance import PARAMETERS, Insurance

__all__ = ["kept", "wide"]
LOTS = 7_900
ENDS: dict[str, Any] = {"falls_back": True, "freezes": True}


class Insured(Insurance):
    exchange: KeptExchange


@pytest.fixture
def insured(kept: KeptExchange) -> Insured:
    """Alice and Bob have 20,000 USDC each, Dave who keeps 100,000; Bob staked 5,000 more for losses."""
    for owner in (kept.alice, kept.bob):
        kept.deposit(owner, 20_000 * USDC)
    kept.deposit(kept.dave, 100_000 * USDC)
    insurance = Insured(kept)
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
    assert outcomes(kept.keep(kept.erin, "oracle")) == {"Pyth's price for market 1": "done"}
    market = kept.dex.account("Market", kept.chain.data(kept.market()))
    assert (market["price_e8"], market["may_liquidate"]) == (99_000 * 10**8, True)
    assert kept.keep(kept.erin) == []


def test_it_keeps_a_disputed_price_on_record(kept: KeptExchange) -> None:
    kept.chain.warp(seconds=10)
    kept.feed_pyth(105_000)
    kept.net.advance()
    assert outcomes(kept.keep(kept.erin, "oracle")) == {"Pyth's price for market 1": "done"}
    feed = kept.prices.state()
    assert (feed["state"], feed["pyth"]["price_e8"], feed["price_e8"]) == ("Disputed", 105_000 * 10**8, 100_000 * 10**8)


def test_it_leaves_a_live_exchange_alone(insured: Insured) -> None:
    kept = insured.exchange
    assert kept.keep(kept.dave, **ENDS) == []
    kept.chain.warp(seconds=1, slots=1_001)
    assert kept.keep(kept.dave) == []  # who keeps for the operator lets others say that he is silent
    assert kept.state()["phase"] == "Live"


def test_a_keeper_alone_lives_a_whole_fallback_through(insured: Insured) -> None:
    kept = insured.exchange
    fall_back(kept)
    kept.reprice(100_000)
    trade(kept)
    # Prices fall, and Alice is liquidated in steps, by Dave's own margin.
    kept.fall(98_000)
    assert "Pyth's price for market 1" in outcomes(kept.keep(kept.dave))
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


def test_it_calls_for_margin_by_the_programs_own_figures(insured: Insured) -> None:
    kept = insured.exchange
    fall_back(kept)
    kept.reprice(100_000)
    trade(kept)
    assert kept.keep(kept.erin, "liquidation") == []
    kept.chain.warp(seconds=10)
    kept.reprice(99_900)
    alice = kept.user(kept.alice)
    sight = Sight(kept.programs, kept.client)
    own = worst(sight.users[alice], sight.observed, sight.now_s)
    assert outcomes(kept.keep(kept.erin, "liquidation")) == {f"account {alice} called for margin": "done"}
    call = Sight(kept.programs, kept.client).one("risk", "MarginCall", kept.programs.margin_call(alice))
    assert own is not None
    assert call is not None
    told = call.figures
    assert (own.equity, own.initial, own.maintenance) == (told.equity_atoms, told.initial_atoms, told.maintenance_atoms)
    assert own.free < 0 < own.excess
    kept.deposit(kept.alice, 1_000 * USDC)
    assert outcomes(kept.keep(kept.dave, "liquidation")) == {f"margin call of {alice} ended": "done"}


def test_it_proves_a_shortage_by_the_programs_own_figures_and_ends_it(insured: Insured) -> None:
    kept = insured.exchange
    fall_back(kept)
    kept.reprice(100_000)
    trade(kept)
    kept.chain.warp(seconds=10)
    kept.reprice(98_600)
    alice = kept.user(kept.alice)
    sight = Sight(kept.programs, kept.client)
    own = shortage(sight.users[alice], sight.observed, sight.now_s)
    assert own is not None
    # Erin has no account, and so can prove but not take over.
    assert outcomes(kept.keep(kept.erin, "liquidation"))[f"liquidation 1 of {alice} begun"] == "done"
    record = insured.liquidation(kept.alice)
    assert (record["equity_atoms"], record["maintenance_atoms"]) == (own.equity, own.maintenance)
    assert kept.keep(kept.erin, "liquidation") == []
    kept.chain.warp(seconds=10)
    kept.reprice(100_000)
    assert f"liquidation 1 of {alice} ended" in outcomes(kept.keep(kept.erin, "liquidation"))
    assert insured.liquidation(kept.alice)["ended"]


def test_it_takes_over_no_more_than_its_own_margin_carries(insured: Insured) -> None:
    kept = insured.exchange
    fall_back(kept)
    kept.reprice(100_000)
    trade(kept)
    kept.withdraw(kept.dave, 99_800 * USDC, number=None)
    kept.chain.warp(seconds=10)
    kept.reprice(98_600)
    kept.keep(kept.dave, "liquidation")
    kept.keep(kept.dave, "liquidation")
    assert 0 < kept.lots(kept.dave) < LOTS // 10
    least = least_free(
        Sight(kept.programs, kept.client).users[kept.user(kept.dave)], Sight(kept.programs, kept.client).observed, kept.chain.now
    )
    assert least is not None
    assert 0 <= least < 100 * USDC  # a lot needs 2.5 USDC of margin, and brings a fee


def test_it_takes_positions_in_several_markets_over_one_after_the_other(wide: WideExchange) -> None:
    wide.create_user(wide.dave)
    for owner, usdc in ((wide.alice, 20_000), (wide.bob, 20_000), (wide.dave, 100_000)):
        wide.deposit(owner, usdc * USDC)
    insurance = Insured(wide)
    insurance.initialise(small_atoms=0)
    wide.chain.warp(seconds=1, slots=1_001)
    wide.fall_back()
    wide.fall(100_000)
    assert set(outcomes(wide.keep(wide.dave, "oracle")).values()) == {"done"}
    wide.spread(wide.alice, wide.bob, LOTS // 4)
    wide.fall(98_600)
    wide.keep(wide.dave)
    taken = [result for result in wide.keep(wide.dave, "liquidation") if "taken over" in result.title]
    assert [result.outcome for result in taken] == ["done"] * 4
    dave, alice = positions(wide, wide.dave), positions(wide, wide.alice)
    assert sorted(dave) == sorted(wide.markets)
    assert all(LOTS // 40 <= dave[one] < LOTS // 4 == dave[one] + alice[one] for one in wide.markets)


def positions(exchange: KeptExchange, owner: Keypair) -> dict[int, int]:
    return {one["market_id"]: one["lots"] for one in exchange.account(owner)["holdings"]["positions"] if one["lots"]}


def test_it_has_the_fund_pay_what_a_dispute_is_due(insured: Insured) -> None:
    kept = insured.exchange
    fall_back(kept)
    kept.reprice(100_000)
    trade(kept)
    kept.chain.warp(seconds=10)
    kept.reprice(98_600)
    kept.keep(kept.dave, "liquidation")
    kept.keep(kept.dave, "liquidation")
    insured.dispute(kept.alice, 50 * USDC)
    kept.net.advance()
    title = f"dispute {insured.dispute_of(kept.alice)} paid"
    assert title not in outcomes(kept.keep(kept.erin, "liquidation"))
    insured.decide(kept.alice, 50 * USDC)
    kept.net.advance()
    assert outcomes(kept.keep(kept.erin, "liquidation"))[title] == "done"
    paid_to = get_associated_token_address(kept.alice.pubkey(), kept.mints[0])
    assert kept.chain.tokens(paid_to) == 50 * USDC + PARAMETERS["bond_atoms"]
    assert title not in outcomes(kept.keep(kept.erin, "liquidation"))


def test_two_keepers_at_once_do_no_harm(insured: Insured) -> None:
    kept = insured.exchange
    kept.deposit(kept.charlie, 100_000 * USDC)
    fall_back(kept)
    kept.reprice(100_000)
    trade(kept)
    kept.fall(98_600)
    told = race(kept, passes=6, falls_back=True)
    assert not [result for result in told if result.outcome in {"refused", "lost"}]
    assert kept.lots(kept.alice) + kept.lots(kept.dave) + kept.lots(kept.charlie) == LOTS
    record = insured.liquidation(kept.alice)
    assert record["steps"] == sum("taken over" in result.title for result in told if result.outcome == "done")
    kept.chain.warp(seconds=HOUR_S, slots=2_000)
    told = race(kept, passes=8, **ENDS)
    assert not [result for result in told if result.outcome in {"refused", "lost"}]
    assert kept.state()["phase"] == "Escaping"
    assert 0 <= kept.vault_atoms() < 5


def race(kept: KeptExchange, *, passes: int, **wishes: Any) -> list[Result]:
    """Let Dave and Charlie keep, each on his own, pass after pass together."""
    together, told = threading.Barrier(2), list[Result]()

    def keep(by: Keypair) -> None:
        with ChainClient(kept.net.url, timeout_s=60) as client:
            for _ in range(passes):
                together.wait(timeout=300)
                told.extend(kept.keep(by, client=client, **wishes))

    threads = [threading.Thread(target=keep, args=(by,)) for by in (kept.dave, kept.charlie)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=600)
    return told
