"""Long random lives: invariants after every command, the same state from a replay and from a snapshot."""

import pytest

from markets.assets import QUOTE
from markets.commands import AmendOrder, PlaceBatch, PlaceOrder, UpdateMarket
from markets.ledger import BACKSTOP
from tests.engine.chance import ACCOUNTS, Chance
from tests.engine.desk import MARKET, OTHER, USDC, Desk, parameters
from trading.engine.engine import Engine
from trading.engine.snapshot import decode, encode, state_hash
from trading.engine.withdrawals import payable, vault_atoms


@pytest.mark.parametrize("seed", range(6))
def test_it_keeps_every_promise_through_a_random_life(seed: int) -> None:
    desk = Desk(cash=[600 * USDC, 5_000 * USDC, 200_000 * USDC][seed % 3])
    desk.lever([50, 5][seed % 2])
    enrich(desk, seed)
    state = desk.engine.state
    for command in Chance(desk, seed).commands(600):
        desk.do(command)
        leaving = sum(payable(state, state.accounts[account_id], QUOTE) for account_id in ACCOUNTS)
        assert leaving <= vault_atoms(state), "more could leave than the vault has"
    assert desk.replay() == state_hash(desk.engine.state)


def enrich(desk: Desk, seed: int) -> None:
    """Let BTC count, debts be converted soon, open interest raise margin; with the backstop's float or without."""
    desk.admit()
    desk.limit(debt_limit_atoms=20 * USDC, withdrawal_hour_atoms=2_000 * USDC, withdrawal_notional_ppm=[0, 200_000][seed % 2])
    if seed % 3:
        desk.fund(BACKSTOP, [0, 500 * USDC, 50_000 * USDC][seed % 3])
    limits = {"margin_rises_from_lots": 1_000, "max_open_interest_lots": 20_000, "max_position_lots": 12_000}
    desk.do(UpdateMarket(parameters=parameters(OTHER, concentration_from_lots=2_000, concentration_ppm=50_000, **limits)))


def exposure(desk: Desk, account_id: int) -> tuple[int, list[int]]:
    view = desk.account(account_id)
    return view.initial_margin_atoms, [abs(desk.position(account_id, market_id)) for market_id in (MARKET, OTHER)]


@pytest.mark.parametrize("seed", range(3))
def test_it_adds_risk_only_where_free_collateral_remains(seed: int) -> None:
    """Whoever's margin rises without a position having shrunk can afford it: takers, makers and triggered orders alike."""
    desk = Desk(cash=800 * USDC)
    desk.lever(50)
    enrich(desk, seed)
    for command in Chance(desk, 200 + seed).commands(500):
        before = {account_id: exposure(desk, account_id) for account_id in ACCOUNTS}
        desk.do(command)
        if not isinstance(command, PlaceOrder | AmendOrder | PlaceBatch):
            continue
        for account_id, (margin, positions) in before.items():
            margin_after, positions_after = exposure(desk, account_id)
            grew = all(after >= held for after, held in zip(positions_after, positions, strict=True))
            if margin_after > margin and grew:
                assert desk.account(account_id).available_atoms >= 0


@pytest.mark.parametrize("seed", range(3))
def test_it_goes_on_from_a_snapshot_as_if_nothing_had_happened(seed: int) -> None:
    """Snapshot and tail equal live, also after a thousand more commands: same events, same hash."""
    desk = Desk(cash=2_000 * USDC)
    desk.lever(50)
    enrich(desk, seed)
    chance = Chance(desk, 100 + seed)
    for command in chance.commands(300):
        desk.do(command)
    restored = Engine(decode(encode(desk.engine.state)))
    for command in chance.commands(1_000):
        desk.do(command)
        restored.begin(desk.now_ms)
        restored.apply(command)
        assert restored.finish().events == desk.events
    assert encode(restored.state) == encode(desk.engine.state)


def test_it_encodes_a_decoded_state_to_the_same_bytes() -> None:
    desk = Desk(cash=20_000 * USDC)
    enrich(desk, 1)
    for command in Chance(desk, 42).commands(400):
        desk.do(command)
    data = encode(desk.engine.state)
    assert encode(decode(data)) == data
