"""State survives a restart; a journal that was tampered with does not start; the command serves by a clock."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from solana.rpc.api import Client
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from chain.localnet.chain import Chain
from chain.localnet.errors import JournalDamaged, JournalInUse
from chain.localnet.journal import Journal
from tests.chain.localnets import FINALIZED, PROCESSED, SOL, UNCHECKED, Localnet, free_port, pays
from tests.chain.minting import Mint

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Localnet]:
    net = Localnet(journal=tmp_path / "blocks")
    yield net
    net.end()


def test_it_comes_back_with_everything(kept: Localnet) -> None:
    alice, bob = kept.rich(), Keypair().pubkey()
    mint = Mint(kept, alice)
    account = mint.open(alice.pubkey(), 123)
    genesis = kept.client.get_genesis_hash().value
    signature = kept.pay(alice, bob, SOL)

    kept.restart()

    assert kept.client.get_genesis_hash().value == genesis
    assert (kept.balance(bob), mint.balance(account)) == (SOL, 123)
    landed = kept.client.get_transaction(signature, commitment=FINALIZED, max_supported_transaction_version=0).value
    assert landed is not None
    assert kept.pay(alice, bob, SOL)
    assert kept.balance(bob) == 2 * SOL


def test_it_refuses_the_same_bytes_after_a_restart(kept: Localnet) -> None:
    alice, bob = kept.rich(), Keypair().pubkey()
    transaction = bytes(kept.signed(alice, pays(alice, bob, SOL)))
    kept.client.send_raw_transaction(transaction, UNCHECKED)

    kept.restart()
    kept.client.send_raw_transaction(transaction, UNCHECKED)

    assert kept.balance(bob) == SOL


@pytest.mark.parametrize("blocks", [0, 1, 49, 50, 51, 120])
def test_it_never_shows_a_lower_height_after_a_kill(kept: Localnet, blocks: int) -> None:
    alice = kept.rich()
    kept.advance(blocks)
    hash_before = kept.client.get_latest_blockhash(FINALIZED).value
    before = [kept.client.get_block_height(level).value for level in (PROCESSED, FINALIZED)]

    kept.restart(cleanly=False)

    after = [kept.client.get_block_height(level).value for level in (PROCESSED, FINALIZED)]
    assert all(later >= earlier for earlier, later in zip(before, after, strict=True))
    assert kept.balance(alice.pubkey()) == 100 * SOL
    assert hash_before.last_valid_block_height <= after[0] + 150


def test_it_remembers_forks(kept: Localnet) -> None:
    alice, bob = kept.rich(), Keypair().pubkey()
    kept.pay(alice, bob, SOL)
    kept.advance(2)
    kept.fork(2)
    kept.pay(alice, bob, 3 * SOL)
    kept.advance(2)
    height = kept.client.get_block_height(PROCESSED).value

    kept.restart(cleanly=False)

    assert kept.balance(bob) == 3 * SOL
    assert kept.client.get_block_height(PROCESSED).value >= height


def test_it_cuts_off_what_a_kill_left_half_written(tmp_path: Path) -> None:
    path = tmp_path / "blocks"
    chain = filled(path)
    signature = pay_once(chain)
    chain.close()
    whole = path.read_bytes()
    path.write_bytes(whole + b"\x40\0\0\0\1\2\3\4half a frame")

    again = Chain(journal=Journal(path))
    again.journal.close()

    assert again.history.get(signature) is not None
    assert path.read_bytes() == whole


def test_it_does_not_start_from_a_journal_whose_bytes_changed(tmp_path: Path) -> None:
    path = tmp_path / "blocks"
    filled(path).close()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    with pytest.raises(JournalDamaged):
        Chain(journal=Journal(path))


def test_it_does_not_start_from_a_journal_with_a_block_missing(tmp_path: Path) -> None:
    path = tmp_path / "blocks"
    chain = filled(path)
    cut = path.stat().st_size
    pay_once(chain)
    chain.seal()
    gap = path.stat().st_size
    pay_once(chain)
    chain.seal()
    chain.close()
    content = path.read_bytes()
    path.write_bytes(content[:cut] + content[gap:])

    with pytest.raises(JournalDamaged, match="does not follow"):
        Chain(journal=Journal(path))


def test_it_leaves_a_journal_to_the_localnet_that_writes_it(tmp_path: Path) -> None:
    chain = filled(tmp_path / "blocks")

    with pytest.raises(JournalInUse):
        Chain(journal=Journal(tmp_path / "blocks"))
    chain.close()

    Chain(journal=Journal(tmp_path / "blocks")).close()


def test_it_keeps_its_journal_from_other_users(tmp_path: Path) -> None:
    filled(tmp_path / "blocks").close()

    assert (tmp_path / "blocks").stat().st_mode & 0o077 == 0


def test_it_serves_as_a_command_with_blocks_by_a_clock(tmp_path: Path) -> None:
    port = free_port()
    process = start_command(tmp_path, port)
    client = Client(f"http://127.0.0.1:{port}")
    receiver = Keypair().pubkey()
    signature = client.request_airdrop(receiver, SOL).value
    client.confirm_transaction(signature, FINALIZED, sleep_seconds=0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)

    second = start_command(tmp_path, port)
    balance = client.get_balance(receiver, FINALIZED).value
    second.send_signal(signal.SIGTERM)

    assert balance == SOL
    assert second.wait(timeout=30) in (0, -signal.SIGTERM)
    client._provider.session.close()
    for one in (process, second):
        assert one.stderr is not None
        one.stderr.close()


def filled(path: Path) -> Chain:
    chain = Chain(journal=Journal(path))
    pay_once(chain)
    chain.seal()
    return chain


def pay_once(chain: Chain) -> Signature:
    payer = chain.faucet.pubkey()
    instruction = transfer(TransferParams(from_pubkey=payer, to_pubkey=Keypair().pubkey(), lamports=SOL))
    message = MessageV0.try_compile(payer, [instruction], [], chain.latest_sealed("processed").blockhash)
    transaction = VersionedTransaction(message, [chain.faucet])
    assert chain.land(transaction)
    return transaction.signatures[0]


def start_command(data: Path, port: int) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [
            sys.executable,
            str(ROOT / "manage.py"),
            "localnet",
            "--port",
            str(port),
            "--data",
            str(data),
            "--slot-ms",
            "20",
            "--final-after",
            "3",
        ],
        env=os.environ | {"ENVIRONMENT": "test"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert any("localnet_serving" in line for line in process.stderr), "it did not start"
    return process
