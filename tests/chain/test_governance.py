"""Governance over a localnet's RPC: what is read is what was proposed, and what was decided is done."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from solders.account import Account
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from spl.token.constants import TOKEN_PROGRAM_ID

from chain.building import build
from chain.client import ChainClient
from chain.errors import SimulationFailed
from chain.governance import Governance, Proposal
from chain.idl import PROGRAMS, WrongAccount
from chain.perp_dex import PerpDex
from tests.chain.localnets import Localnet, pays
from tests.chain.minting import Mint
from tests.chain.test_programs import LIMITS, PARAMETERS, SYSTEM, SYSVAR_INSTRUCTIONS

RULES = {
    "voting_s": 60,
    "loosening_s": 60,
    "execution_s": 86_400,
    "lock_s": 60,
    "proposal_atoms": 1,
    "quorum_ppm": 100_000,
    "quorum_atoms": 1,
    "majority_ppm": 500_000,
}


class Council:
    """Alice holds the stake; the exchange's authority is governance; the test moves the clock."""

    def __init__(self, journal: Path) -> None:
        self.localnet = Localnet(journal=journal, programs=PROGRAMS)
        self.client = ChainClient(self.localnet.url, retry_after_s=())
        self.dex, self.governance = PerpDex(), Governance()
        self.alice = self.localnet.rich()
        self.mint, self.usdc = Mint(self.localnet, self.alice), Mint(self.localnet, self.alice)
        self.initialise_exchange()
        self.initialise_governance()
        self.send(
            pays(self.alice, self.governance.authority, 10**9),
            self.governance.lock_stake(owner=self.alice.pubkey(), source=self.mint.open(self.alice.pubkey(), 100), amount_atoms=100),
        )

    def send(self, *instructions: Instruction, signers: tuple[Keypair, ...] = ()) -> None:
        signed = build(client=self.client, payer=self.alice, instructions=list(instructions), signers=signers)
        self.client.send(signed.transaction)
        self.localnet.finalize()

    def wait_until(self, moment: int) -> None:
        """Let the chain's clock stand at a moment, from the next block on."""

        def stand() -> None:
            self.localnet.chain._now_s = lambda: moment

        self.localnet.do(stand)
        self.localnet.finalize()

    def initialise_exchange(self) -> None:
        key, alice = program_key("perp_dex"), self.alice.pubkey()
        arguments = {
            "authority": self.governance.authority,
            "settler": alice,
            "custodian": alice,
            "genesis_hash": list(bytes(self.client.genesis_hash())),
            "parameters": PARAMETERS,
        }
        accounts = {"payer": alice, "program": key.pubkey(), "exchange": self.dex.exchange, "system_program": SYSTEM}
        self.send(self.dex.program.instruction("initialise", arguments, accounts), signers=(key,))

    def initialise_governance(self) -> None:
        key, program = program_key("governance"), self.governance.program
        accounts = {
            "payer": self.alice.pubkey(),
            "program": key.pubkey(),
            "governance": self.governance.governance,
            "authority": self.governance.authority,
            "exchange": self.dex.exchange,
            "stake_mint": self.mint.key,
            "stake_authority": program.pda(b"stake_authority"),
            "stake_vault": program.pda(b"stake_vault"),
            "token_program": TOKEN_PROGRAM_ID,
            "system_program": SYSTEM,
        }
        arguments = {"guardian": Pubkey.default(), "parameters": RULES}
        self.send(program.instruction("initialise", arguments, accounts), signers=(key,))

    def listing(self) -> Instruction:
        signs = self.governance.authority
        accounts = {
            "payer": signs,
            "authority": signs,
            "exchange": self.dex.exchange,
            "mint": self.usdc.key,
            "instructions": SYSVAR_INSTRUCTIONS,
            "token_program": TOKEN_PROGRAM_ID,
            "system_program": SYSTEM,
            **self.dex.asset(self.usdc.key),
        }
        return self.dex.program.instruction("list_asset", {"limits": LIMITS}, accounts)

    def propose(self, instruction: Instruction) -> Proposal:
        alice, number = self.alice.pubkey(), self.governance.next_number(self.client)
        self.send(
            self.governance.propose(owner=alice, number=number, kind="Loosening"),
            self.governance.add_instruction(proposer=alice, number=number, index=0, instruction=instruction),
            self.governance.begin_vote(proposer=alice, number=number),
        )
        return self.governance.read(self.client, number)

    def end(self) -> None:
        self.client.close()
        self.localnet.end()


def program_key(name: str) -> Keypair:
    return Keypair.from_seed(hashlib.sha256(f"quantdesk localnet {name}".encode()).digest())


@pytest.fixture
def council(tmp_path: Path) -> Iterator[Council]:
    council = Council(tmp_path / "blocks")
    yield council
    council.end()


def test_it_reads_what_was_proposed(council: Council) -> None:
    proposal = council.propose(council.listing())

    assert proposal.instructions == (council.listing(),)
    assert (proposal.number, proposal.kind, proposal.state) == (1, "Loosening", "Voting")
    assert proposal.ready_at - proposal.votes_until == 2 * PARAMETERS["exit_s"]
    assert council.governance.next_number(council.client) == 2
    with pytest.raises(WrongAccount):
        council.governance.read(council.client, 2)


def test_it_votes_waits_and_executes(council: Council) -> None:
    proposal = council.propose(council.listing())
    council.send(council.governance.vote(owner=council.alice.pubkey(), proposal=proposal, approves=True))
    execution = council.governance.execute(proposal=proposal, index=0)
    council.wait_until(proposal.ready_at - 1)
    with pytest.raises(SimulationFailed):
        council.send(execution)
    council.wait_until(proposal.ready_at)
    council.send(execution)

    done = council.governance.read(council.client, 1)
    assert (done.state, done.executed, done.yes_atoms) == ("Executed", 1, 100)
    assert council.dex.read_exchange(council.client, commitment="finalized").assets == 1


def test_it_shows_no_instructions_but_those_of_the_hashes(council: Council) -> None:
    """A node that lies about an instruction is found out before anybody votes on it."""
    council.propose(council.listing())
    stored, accounts = council.governance.stored(1, 0), council.localnet.chain.accounts
    account = council.client.account(stored, commitment="finalized")
    assert account is not None
    data = bytes(account.data)
    lie = Account(account.lamports, data[:-1] + bytes([data[-1] ^ 1]), account.owner)
    slot = council.client.point("finalized").slot
    council.localnet.do(lambda: accounts.write(stored, lie, slot=slot, final_slot=slot))

    with pytest.raises(WrongAccount, match="other instructions"):
        council.governance.read(council.client, 1)
