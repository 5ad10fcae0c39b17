"""Snapshots that older rules wrote: `data/rules_N.snapshot`, with what the engine of that time told of it beside it."""

import json
from pathlib import Path

import pytest

from markets.commands import ClockTick, Observation, ObservePrice, RulesUpgrade, SetMarginMode
from markets.events import RulesUpgraded
from tests.engine.desk import ALICE, MARKET, OTHER
from trading.engine import invariants
from trading.engine.engine import RULES_VERSION, Engine
from trading.engine.snapshot import decode, encode

DATA = Path(__file__).parent / "data"
VERSIONS = pytest.mark.parametrize("version", range(1, RULES_VERSION))


def upgraded(version: int) -> Engine:
    engine = Engine(decode((DATA / f"rules_{version}.snapshot").read_bytes()))
    engine.begin(engine.state.stamp_ms)
    assert engine.apply(RulesUpgrade(from_version=version, to_version=RULES_VERSION)).reject is None
    assert engine.finish().events == [RulesUpgraded(from_version=version, to_version=RULES_VERSION)]
    return engine


@VERSIONS
def test_it_keeps_what_older_rules_left(version: int) -> None:
    state = upgraded(version).state
    told = json.loads((DATA / f"rules_{version}.json").read_text())
    invariants.check(state)
    assert state.rules_version == RULES_VERSION
    cash = {str(account.account_id): account.usdc_atoms() for account in state.accounts.values() if account.usdc_atoms()}
    assert cash == {account_id: atoms for account_id, atoms in told["cash_atoms"].items() if atoms}
    held = [
        [account.account_id, holding.market.market_id, holding.size_lots, holding.cost_atoms]
        for account in state.accounts.values()
        for holding in account.holdings.values()
        if holding.size_lots
    ]
    assert sorted(held) == sorted(told["positions"])
    assert sorted(order_id for account in state.accounts.values() for order_id in account.orders) == told["live_orders"]
    assert {str(market.market_id): market.mark_ticks for market in state.markets.values()} == told["marks"]
    assert {str(index.index_id): index.price_e8 for index in state.indices.values()} == told["indices_e8"]


@VERSIONS
def test_it_goes_on_from_older_rules(version: int) -> None:
    engine = upgraded(version)
    state = engine.state
    stamp_ms = state.stamp_ms
    for step in range(1, 6):
        stamp_ms += 2_000
        prices = tuple(
            Observation(market_id, source, state.indices[market_id].price_e8 + 100 * step, 0, stamp_ms)
            for market_id in (MARKET, OTHER)
            for source in ("pyth", "pyth_solana")
        )
        for command in (ObservePrice(observations=prices), ClockTick(), SetMarginMode(account_id=ALICE, market_id=MARKET, mode="isolated")):
            engine.begin(stamp_ms)
            engine.apply(command)
            invariants.check(state)
            engine.finish()
    assert state.markets[MARKET].index.state == "valid"
    assert encode(decode(encode(state))) == encode(state)
