"""Nothing is made or lost: the ledger that the events tell is the engine's, and deleveraging only moves value."""

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from markets.events import Event, FundingPaid, LedgerPosted, OrderFilled
from markets.ledger import CLEARING, DUST
from markets.views import Reply
from tests.engine.chance import Chance
from tests.engine.desk import BOB, USDC, Desk
from tests.incidents.scene import FIRST_EXTRA, Scene, of_kind
from trading.engine import margin
from trading.postings import funding_postings, match_postings


class BookkeepingDesk(Desk):
    """A desk beside which somebody keeps the books from the events alone."""

    def __init__(self, **options: Any) -> None:
        self.balances: defaultdict[tuple[int, str], int] = defaultdict(int)
        super().__init__(**options)

    def batch(self, *given: Any) -> list[Reply]:
        replies = super().batch(*given)
        for event in self.events:
            self.take(event)
        return replies

    def take(self, event: Event) -> None:
        lines: list[tuple[int, int, str, int]] = []
        if isinstance(event, OrderFilled):
            lines = [(debit, credit, "USDC", amount) for debit, credit, amount, _ in match_postings(event)]
        elif isinstance(event, FundingPaid):
            lines = [(debit, credit, "USDC", amount) for debit, credit, amount, _ in funding_postings(event)]
        elif isinstance(event, LedgerPosted):
            lines = [(line.debit_account_id, line.credit_account_id, line.asset, line.amount_atoms) for line in event.transfers]
        for debit, credit, asset, amount in lines:
            assert amount > 0
            self.balances[debit, asset] -= amount
            self.balances[credit, asset] += amount

    def held(self) -> dict[tuple[int, str], int]:
        found: dict[tuple[int, str], int] = {}
        for account in self.engine.state.accounts.values():
            found[account.account_id, "USDC"] = account.usdc_atoms()
            for asset, amount in account.cross.collateral.items():
                found[account.account_id, asset] = amount
        return {key: amount for key, amount in found.items() if amount}


@pytest.mark.parametrize("seed", range(6))
def test_it_holds_what_its_events_say_and_nothing_else(seed: int) -> None:
    """Trades, liquidations, funding, collateral that comes, goes and is converted, isolated margin: per asset all sum to zero."""
    desk = BookkeepingDesk(cash=[500 * USDC, 4_000 * USDC][seed % 2])
    desk.lever(50)
    desk.admit()
    for command in Chance(desk, 900 + seed).commands(300):
        desk.do(command)
        assert {key: amount for key, amount in desk.balances.items() if amount} == desk.held()
        for asset in ("USDC", "BTC"):
            assert sum(amount for (_, each), amount in desk.balances.items() if each == asset) == 0


def equities(scene: Scene) -> dict[int, int]:
    """Return what every account but clearing is worth at the present marks: clearing holds the counterpart of what is unrealised."""
    state = scene.engine.state
    return {number: margin.equity(state, account.cross) for number, account in state.accounts.items() if number != CLEARING}


@settings(max_examples=40, deadline=None)
@given(
    longs=st.lists(st.tuples(st.integers(20, 300), st.integers(1, 60)), min_size=1, max_size=5),
    shorts=st.lists(st.integers(1, 100), min_size=1, max_size=5),
    fall_ppm=st.integers(100_000, 400_000),
)
def test_it_only_moves_value_when_it_deleverages(longs: list[tuple[int, int]], shorts: list[int], fall_ppm: int) -> None:
    """Longs of any leverage against shorts of any size, no funds at all: what bankrupts lack, winners bear, to the atom."""
    scene = Scene(cash=1_000_000 * USDC, insurance=0, backstop=0)
    losers = [scene.join(FIRST_EXTRA + place, lots * 10 * (20 + spare) // 1_000 + 2) for place, (lots, spare) in enumerate(longs)]
    winners = [scene.join(FIRST_EXTRA + 50 + place, 100_000) for place in range(len(shorts))]
    total = sum(lots for lots, _ in longs)
    for seller, weight in zip(winners, shorts, strict=True):
        if lots := total * weight // sum(shorts):
            scene.sell(seller, lots, 10_000)
    scene.sell(BOB, total, 10_000)  # what rounding has left over
    for loser, (lots, _) in zip(losers, longs, strict=True):
        scene.buy(loser, lots, 10_000)
    scene.cancel_all(BOB)
    scene.price(10_000 - 10_000 * fall_ppm // 1_000_000)
    before, marks = equities(scene), scene.market().mark_ticks
    scene.confirm()
    after, events = equities(scene), list(scene.events)
    assert scene.market().mark_ticks == marks
    assert sum(after.values()) == sum(before.values())
    for step in of_kind(events, "LiquidationStepped"):
        parts = [event for event in of_kind(events, "PositionDeleveraged") if event.bankrupt_account_id == step.account_id]
        if step.stage == "deleveraging":
            assert sum(event.closed_lots for event in parts) == -step.closed_lots
            assert 0 <= abs(step.quote_atoms - sum(event.quote_atoms for event in parts)) <= len(parts)
    assert all(after[loser] >= 0 for loser in losers)
    assert after[DUST] - before[DUST] >= 0
