"""The built programs on a localnet, by their IDLs: instructions in, accounts and events out."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from solana.rpc.api import Client
from solders.account import Account
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from spl.token.constants import TOKEN_PROGRAM_ID

from chain.building import build
from chain.client import ChainClient
from chain.errors import SimulationFailed
from chain.idl import PROGRAMS, AnchorProgram, WrongAccount, snake_case
from chain.localnet.chain import Chain
from chain.localnet.errors import NoAddress
from chain.localnet.journal import Journal
from chain.outbox.route import ChainSequence
from chain.perp_dex import PerpDex
from tests.chain.localnets import FINALIZED, Localnet
from tests.chain.minting import Mint

SYSTEM = Pubkey.default()
SYSVAR_INSTRUCTIONS = Pubkey.from_string("Sysvar1nstructions1111111111111111111111111")
PARAMETERS = {
    "challenge_window_s": 600,
    "answer_window_s": 300,
    "silent_slots": 1_000,
    "exit_s": 86_400,
    "freeze_slots": 1_000,
    "bond_lamports": 10**8,
    "loosening_s": 7 * 86_400,
}
LIMITS = {"deposit_cap_atoms": 10**12, "hour_atoms": 10**9, "day_atoms": 10**10}


class Deployment:
    """The exchange's program, initialised by its authority."""

    def __init__(self, journal: Path) -> None:
        self.localnet = Localnet(journal=journal, programs=PROGRAMS)
        self.client = ChainClient(self.localnet.url, retry_after_s=())
        self.dex = PerpDex()
        self.authority, self.settler = self.localnet.rich(), Keypair()

    def send(self, name: str, arguments: dict[str, Any], accounts: dict[str, Pubkey], *signers: Keypair) -> list[tuple[str, Any]]:
        """Send one instruction, signed by the authority and others; returns what the program told."""
        instruction = self.dex.program.instruction(name, arguments, accounts)
        signed = build(client=self.client, payer=self.authority, instructions=[instruction], signers=signers)
        self.client.send(signed.transaction)
        self.localnet.finalize()
        landed = self.localnet.client.get_transaction(signed.signature, commitment=FINALIZED, max_supported_transaction_version=0).value
        assert landed is not None
        assert landed.transaction.meta is not None
        return self.dex.program.events(landed.transaction.meta.log_messages or [])

    def initialise(self) -> list[tuple[str, Any]]:
        key = Keypair.from_seed(hashlib.sha256(b"quantdesk localnet perp_dex").digest())
        arguments = {
            "authority": self.authority.pubkey(),
            "settler": self.settler.pubkey(),
            "custodian": self.settler.pubkey(),
            "genesis_hash": list(bytes(self.client.genesis_hash())),
            "parameters": PARAMETERS,
        }
        accounts = {"payer": self.authority.pubkey(), "program": key.pubkey(), "exchange": self.dex.exchange, "system_program": SYSTEM}
        return self.send("initialise", arguments, accounts, key)

    def list_asset(self, mint: Pubkey) -> None:
        accounts = {
            "payer": self.authority.pubkey(),
            "authority": self.authority.pubkey(),
            "exchange": self.dex.exchange,
            "mint": mint,
            "instructions": SYSVAR_INSTRUCTIONS,
            "token_program": TOKEN_PROGRAM_ID,
            "system_program": SYSTEM,
            **self.dex.asset(mint),
        }
        self.send("list_asset", {"limits": LIMITS}, accounts)

    def create_user(self, owner: Pubkey) -> None:
        user = self.dex.user(owner)
        accounts = {"payer": self.authority.pubkey(), "exchange": self.dex.exchange, "user": user, "system_program": SYSTEM}
        self.send("create_user", {"owner": owner, "sub_account": 0}, accounts)

    def end(self) -> None:
        self.client.close()
        self.localnet.end()


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    deployment = Deployment(tmp_path / "blocks")
    yield deployment
    deployment.end()


def test_it_loads_the_built_programs_at_their_addresses(deployment: Deployment) -> None:
    for path in PROGRAMS.glob("*.so"):
        account = deployment.client.account(AnchorProgram(path.stem).id, commitment="finalized")
        assert account is not None
        assert account.executable


def test_it_refuses_a_program_without_an_address(tmp_path: Path) -> None:
    (tmp_path / "nameless.so").write_bytes((PROGRAMS / "oracle.so").read_bytes())

    with pytest.raises(NoAddress, match=r"nameless\.so"):
        Chain(journal=Journal(None), programs=tmp_path)
    (tmp_path / "nameless.so").rename(tmp_path / f"{AnchorProgram('oracle').id}.so")
    chain = Chain(journal=Journal(None), programs=tmp_path)

    assert list(chain.programs.values()) == [AnchorProgram("oracle").id]


def test_it_initialises_and_reads_the_exchange(deployment: Deployment) -> None:
    events = deployment.initialise()

    exchange = deployment.dex.read_exchange(deployment.client, commitment="finalized")
    sequence = deployment.dex.sequence(deployment.client, commitment="finalized", min_slot=0)
    assert exchange.settler == deployment.settler.pubkey()
    assert bytes(exchange.genesis_hash) == bytes(deployment.client.genesis_hash())
    assert exchange.parameters.exit_s == 86_400
    assert sequence == ChainSequence(seq=0, hash=bytes(32))
    assert [name for name, _ in events] == ["ExchangeInitialised"]
    assert events[0][1].authority == deployment.authority.pubkey()


def test_it_deposits_into_the_vault_and_keeps_that_over_a_restart(deployment: Deployment) -> None:
    alice, dex = deployment.authority, deployment.dex
    mint = Mint(deployment.localnet, alice)
    wallet = mint.open(alice.pubkey(), 1_000_000)
    deployment.initialise()
    deployment.list_asset(mint.key)
    deployment.create_user(alice.pubkey())

    accounts = {
        "depositor": alice.pubkey(),
        "exchange": dex.exchange,
        "source": wallet,
        "user": dex.user(alice.pubkey()),
        "token_program": TOKEN_PROGRAM_ID,
        **{name: key for name, key in dex.asset(mint.key).items() if name != "vault_authority"},
    }
    events = deployment.send("deposit", {"amount": 400_000}, accounts)
    deployment.localnet.restart(cleanly=False)

    assert [(name, told.user, told.amount) for name, told in events] == [("Deposited", dex.user(alice.pubkey()), 400_000)]
    assert mint.balance(dex.asset(mint.key)["vault"], FINALIZED) == 400_000
    assert dex.read_exchange(deployment.client, commitment="finalized").users == 1


def test_it_finds_users_by_their_kind_and_owner(deployment: Deployment) -> None:
    deployment.initialise()
    owners = [Keypair().pubkey() for _ in range(2)]
    for owner in owners:
        deployment.create_user(owner)

    discriminator = hashlib.sha256(b"account:User").digest()[:8]
    rpc: Client = deployment.localnet.client
    config = {
        "encoding": "base64",
        "filters": [{"memcmp": {"offset": 0, "bytes": base64.b64encode(discriminator).decode(), "encoding": "base64"}}],
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": "getProgramAccounts", "params": [str(deployment.dex.program.id), config]}
    found = {one["pubkey"] for one in rpc._provider.session.post(deployment.localnet.url, json=body).json()["result"]}

    assert found == {str(deployment.dex.user(owner)) for owner in owners}


def test_it_says_which_program_refused(deployment: Deployment) -> None:
    deployment.initialise()

    with pytest.raises(SimulationFailed) as refused:
        deployment.initialise()

    assert refused.value.deterministic
    assert any(str(deployment.dex.program.id) in line for line in refused.value.logs)


def test_it_takes_no_other_account_for_what_it_wants(deployment: Deployment) -> None:
    program = deployment.dex.program
    deployment.initialise()
    good = deployment.client.account(deployment.dex.exchange, commitment="finalized")
    assert good is not None

    wrong = [
        None,
        Account(1, good.data, SYSTEM),
        Account(1, b"", program.id),
        Account(1, good.data[:100], program.id),
        Account(1, bytes(8) + good.data[8:], program.id),
    ]
    for account in wrong:
        with pytest.raises(WrongAccount):
            program.account("Exchange", account)
    with pytest.raises(WrongAccount):
        program.account("Market", good)


def test_it_believes_only_the_programs_own_events(deployment: Deployment) -> None:
    program = deployment.dex.program
    told = base64.b64encode(hashlib.sha256(b"event:EpochFinal").digest()[:8] + (7).to_bytes(8, "little")).decode()
    other = "11111111111111111111111111111111"

    def logs(*lines: str) -> list[str]:
        return [f"Program {program.id} invoke [1]", *lines, f"Program {program.id} success"]

    own = program.events(logs(f"Program data: {told}"))
    called = program.events(logs(f"Program {other} invoke [2]", f"Program data: {told}", f"Program {other} success"))
    after = program.events(logs(f"Program {other} invoke [2]", f"Program {other} failed: no", f"Program data: {told}"))
    calling = program.events([f"Program {other} invoke [1]", f"Program data: {told}", f"Program {other} success"])
    unknown = program.events(logs(f"Program data: {base64.b64encode(bytes(40)).decode()}", "Program log: hello"))

    assert [(name, event.epoch) for name, event in own + after] == [("EpochFinal", 7), ("EpochFinal", 7)]
    assert called == calling == unknown == []


def test_it_needs_every_account_that_is_not_optional() -> None:
    program = AnchorProgram("perp_dex")

    with pytest.raises(AssertionError, match="is missing"):
        program.instruction("deposit", {"amount": 1}, {})
    with pytest.raises(AssertionError, match="has no accounts"):
        program.instruction("turn_epoch", {}, {"exchange": SYSTEM, "vault": SYSTEM})
    assert isinstance(program.instruction("turn_epoch", {}, {"exchange": SYSTEM}), Instruction)
    assert snake_case("lastBatchSlot") == "last_batch_slot"
