"""The rules are versioned: what the engine makes of the same commands may change only with `RULES_VERSION`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from markets.ledger import BACKSTOP
from tests.engine.chance import Chance
from tests.engine.desk import USDC, Desk
from trading.engine.engine import RULES_VERSION
from trading.engine.snapshot import state_hash

ROOT = Path(__file__).resolve().parents[2]
HASHES = {
    1: "a279a9be047f533204a251ef5075b8d07f98f4ab96f12ca4038324ed6dd6d38b",
    2: "1966e57eef508bb46f9bd577ccb7d39af0f3697754d9452b8588d52c761a7a5a",
    3: "410d6c200ff0842355ce58addf8f9de7fd7dd968dc4dbd7272bcc9248fe4e505",
}


def life_hash() -> str:
    """Return the state hash after a fixed life of two thousand commands."""
    desk = Desk(cash=2_000 * USDC)
    desk.lever(20)
    desk.admit()
    desk.limit(debt_limit_atoms=20 * USDC)
    desk.fund(BACKSTOP, 50_000 * USDC)
    for command in Chance(desk, 7).commands(2_000):
        desk.do(command)
    return state_hash(desk.engine.state)


def test_it_changes_its_rules_only_with_their_version() -> None:
    """A journal is replayed under the version that wrote it. When this fails on purpose, raise the version and add its hash."""
    assert life_hash() == HASHES[RULES_VERSION]


@pytest.mark.nightly
def test_it_gives_the_same_states_when_compiled(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(ROOT / "tools/compile.py"), "--into", str(tmp_path)], check=True)
    program = (
        "import trading.engine.matching as m; assert m.__file__.endswith('.so'), m.__file__\n"
        "from tests.engine.test_rules import life_hash; print(life_hash())"
    )
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == HASHES[RULES_VERSION]
