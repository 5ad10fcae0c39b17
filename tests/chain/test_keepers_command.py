"""manage.py keeper as a stranger runs it: a key, a node, no database; and how it bears a node that does not answer."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from solders.account import Account
from solders.keypair import Keypair
from spl.token.instructions import get_associated_token_address

from chain.client import ChainClient
from chain.idl import PROGRAMS
from chain.keepers.actions import Sender
from chain.keepers.keeper import Keeper
from chain.keepers.metrics import KeeperCollector
from chain.keepers.programs import programs_in
from chain.keepers.running import LONGEST_PAUSE_S, keep
from chain.tasks import keep_exchange
from tests.chain.deployments import write_deployment
from tests.chain.kept import KeptExchange, kept
from tests.chain.localnets import free_port
from tests.programs.support.exchange import USDC
from tests.programs.support.svm import TOKEN

__all__ = ["kept"]
ROOT = Path(__file__).parents[2]
NOWHERE = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing", "REDIS_URL": "redis://127.0.0.1:1/0"}


@pytest.fixture
def key(kept: KeptExchange, tmp_path: Path) -> Path:
    path = tmp_path / "erin.json"
    path.write_text(kept.erin.to_json())
    return path


def test_it_runs_without_database_and_cache(kept: KeptExchange, key: Path, tmp_path: Path) -> None:
    kept.fall(99_000)
    stop = kept.net.tick(slot_ms=20)
    command = [sys.executable, "manage.py", "keeper", "all", "--once", "--key", str(key), "--rpc-url", kept.net.url]
    environment = os.environ | NOWHERE | {"DATA_DIR": str(tmp_path / "data")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    stop()
    assert done.returncode == 0, done.stderr
    assert "Pyth's price for market 1: done" in done.stdout
    assert kept.dex.account("Market", kept.chain.data(kept.market()))["price_e8"] == 99_000 * 10**8


def test_it_says_in_a_line_what_it_cannot_do(kept: KeptExchange, key: Path, tmp_path: Path) -> None:
    for options, message in (
        ({"key": tmp_path / "nobody.json", "rpc_url": kept.net.url}, "no key nobody"),
        ({"key": key, "rpc_url": f"http://127.0.0.1:{free_port()}"}, "cannot be reached"),
    ):
        with pytest.raises(CommandError, match=message):
            call_command("keeper", "epochs", once=True, stdout=StringIO(), **options)


def test_it_opens_its_own_account_and_leaves_without_the_operator(kept: KeptExchange, key: Path) -> None:
    paid_to = get_associated_token_address(kept.erin.pubkey(), kept.mints[0])
    wallet = Account(10**9, kept.chain.data(kept.chain.token_account(kept.mints[0], kept.erin.pubkey(), 500 * USDC)), TOKEN)
    kept.chain.svm.set_account(paid_to, wallet)
    kept.net.advance()
    stop = kept.net.tick(slot_ms=20)
    assert "300.000000 USDC paid into" in say(kept, key, "join", "300")
    assert kept.balance(kept.erin) == 300 * USDC
    with pytest.raises(CommandError, match="voucher"):
        say(kept, key, "withdraw", "300")
    kept.silence()
    with pytest.raises(CommandError, match=r"refused \(NotWithdrawable\)"):
        say(kept, key, "withdraw", "300.000001")
    say(kept, key, "withdraw", "300")
    stop()
    assert (kept.balance(kept.erin), kept.chain.tokens(paid_to)) == (0, 500 * USDC)


def say(kept: KeptExchange, key: Path, job: str, amount: str) -> str:
    out = StringIO()
    call_command("keeper", job, "--amount", amount, key=key, rpc_url=kept.net.url, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("amount", ["0", "-1", "0.0000001", "NaN", "1e99", "Infinity", "much", ""])
def test_it_takes_whole_atoms_above_zero(amount: str) -> None:
    with pytest.raises(CommandError, match="an amount of USDC is"):
        call_command("keeper", "join", f"--amount={amount}")


@pytest.mark.parametrize("option", ["--every=0", "--every=NaN", "--sub-account=65536", "--sub-account=-1", "--programs=/nowhere"])
def test_it_refuses_options_out_of_bounds(option: str) -> None:
    with pytest.raises(CommandError, match="Error: argument"):
        call_command("keeper", "all", option)


class Enough(Exception):
    pass


def test_it_asks_a_silent_node_ever_more_slowly() -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 6:
            raise Enough

    key = Keypair()
    with ChainClient(f"http://127.0.0.1:{free_port()}", retry_after_s=()) as client, pytest.raises(Enough):
        keeper = Keeper(programs=programs_in(PROGRAMS), key=key.pubkey())
        keep(jobs=("epochs",), keeper=keeper, client=client, sender=Sender(client=client, payer=key), every_s=5, pause=pause)
    assert pauses == [10, 20, 40, LONGEST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_PAUSE_S]


def test_the_operators_keeper_runs_by_the_schedule_and_is_counted(kept: KeptExchange, tmp_path: Path, settings: Any) -> None:
    settings.CHAIN_DIR, settings.LOCALNET = tmp_path / "chain", True
    keys = write_deployment(settings.CHAIN_DIR, rpc_url=kept.net.url, genesis_hash=str(kept.net.chain.genesis_hash))
    kept.chain.svm.airdrop(keys["settler"].pubkey(), 10**9)
    kept.fall(99_000)
    kept.chain.warp(seconds=1, slots=1_001)
    before = counted()
    stop = kept.net.tick(slot_ms=20)
    assert keep_exchange() == 1  # the price; that the operator is silent, others say
    stop()
    kept.net.finalize()
    assert keep_exchange() == 0
    assert counted() == before + 1
    assert kept.state()["phase"] == "Live"


def counted() -> float:
    """Return how often the oracle's job did something."""
    samples = [sample for family in KeeperCollector().collect() for sample in family.samples]
    return sum(sample.value for sample in samples if sample.labels == {"job": "oracle", "outcome": "done"})
