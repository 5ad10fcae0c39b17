"""Long random lives: invariants after every command, the same state from a replay and from a snapshot."""

import pytest

from tests.engine.chance import Chance
from tests.engine.desk import USDC, Desk
from trading.engine.engine import Engine
from trading.engine.snapshot import decode, encode, state_hash


@pytest.mark.parametrize("seed", range(6))
def test_it_keeps_every_promise_through_a_random_life(seed: int) -> None:
    desk = Desk(cash=[600 * USDC, 5_000 * USDC, 200_000 * USDC][seed % 3])
    desk.lever([50, 5][seed % 2])
    for command in Chance(desk, seed).commands(600):
        desk.do(command)
    assert desk.replay() == state_hash(desk.engine.state)


@pytest.mark.parametrize("seed", range(3))
def test_it_goes_on_from_a_snapshot_as_if_nothing_had_happened(seed: int) -> None:
    """Snapshot and tail equal live, also after a thousand more commands: same events, same hash."""
    desk = Desk(cash=2_000 * USDC)
    desk.lever(50)
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
    for command in Chance(desk, 42).commands(400):
        desk.do(command)
    data = encode(desk.engine.state)
    assert encode(decode(data)) == data
