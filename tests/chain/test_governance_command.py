"""manage.py governance by a person's hand: stake, propose, take back, veto, unstake; and what it refuses."""

import json
import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from solders.keypair import Keypair

from chain.deployment import deployment
from chain.setup.money import VOTES_ATOMS
from chain.setup.proposals import limits
from tests.chain.localnets import Localnet
from tests.chain.test_setup import begin_journal, folder, net, run

__all__ = ["folder", "net"]
pytestmark = pytest.mark.django_db


def say(*words: str, key: Path | None = None) -> str:
    told = StringIO()
    call_command("governance", *words, *(["--key", str(key)] if key else []), stdout=told)
    return told.getvalue()


def stand_still(net: Localnet, moment_s: int) -> None:
    """Let the chain's clock stand at a moment, so that no vote ends meanwhile."""

    def stand() -> None:
        net.chain._now_s = lambda: moment_s

    net.do(stand)
    net.finalize()


@pytest.fixture
def key(net: Localnet, folder: Path) -> Path:
    """Alice's key, which holds all votes and is the guardian's, too, on a localnet."""
    begin_journal()
    run(net, folder, count=1)
    stand_still(net, int(time.time()))
    return folder / "authority.json"


def test_it_stakes_proposes_takes_back_and_vetoes(key: Path, tmp_path: Path) -> None:
    assert "is not the exchange's authority" in say("show")
    assert f"{VOTES_ATOMS // 2:,} atoms" in say("stake", str(VOTES_ATOMS // 2), key=key)
    told = say("propose", "limits", "3", "2", "1", "--tightening", key=key)
    for part in ("tightening, voting", "set_limits", "deposit_cap_atoms=3, hour_atoms=2, day_atoms=1"):
        assert part in told, part
    say("stake", str(VOTES_ATOMS // 4), "--stake", "1", key=key)  # too late for this vote
    with pytest.raises(CommandError, match="would fail"):
        say("vote", "1", "yes", "--stake", "1", key=key)
    assert f"0 yes, {VOTES_ATOMS // 2:,} no" in say("vote", "1", "no", key=key)
    say("cancel", "1", key=key)

    (instruction,) = limits(deployment(), deposit_cap_atoms=1, hour_atoms=1, day_atoms=1)
    accounts = [{"address": str(one.pubkey), "signer": one.is_signer, "writable": one.is_writable} for one in instruction.accounts]
    file = tmp_path / "proposal.json"
    file.write_text(json.dumps([{"program": str(instruction.program_id), "accounts": accounts, "data": bytes(instruction.data).hex()}]))
    assert "loosening, voting" in say("propose", "file", str(file), key=key)
    say("veto", "2", key=key)
    shown = say("show")
    assert "1. tightening, cancelled" in shown
    assert "2. loosening, vetoed" in shown


def test_it_gives_a_stake_back_when_it_is_not_locked_any_more(net: Localnet, key: Path) -> None:
    say("stake", "5", key=key)
    with pytest.raises(CommandError, match="would fail"):
        say("unstake", key=key)
    stand_still(net, int(time.time()) + 120)
    assert "back" in say("unstake", key=key)
    assert "0 atoms" in say("show")


def test_it_refuses_exposed_keys_files_that_hold_no_instructions_and_what_is_not_there(key: Path, tmp_path: Path) -> None:
    stranger = tmp_path / "charlie.json"
    stranger.write_text(Keypair().to_json())
    stranger.chmod(0o644)
    empty = tmp_path / "empty.json"
    empty.write_text("[{}]")
    wrong: list[tuple[str, list[Any]]] = [
        ("mode 644", ["stake", "1", "--key", stranger]),
        ("takes --key", ["stake", "1"]),
        ("holds no instructions", ["propose", "file", empty, "--key", key]),
        ("There is no Proposal", ["vote", "7", "yes", "--key", key]),
        ("There is no Proposal", ["show", "7"]),
    ]
    for match, words in wrong:
        with pytest.raises(CommandError, match=match):
            say(*(str(word) for word in words))
