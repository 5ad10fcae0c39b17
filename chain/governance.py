"""The governance program over RPC: proposals as they are read, and the words that stakers give."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM
from solders.sysvar import INSTRUCTIONS
from spl.token.constants import TOKEN_PROGRAM_ID

from chain.client import ChainClient, Commitment
from chain.idl import AnchorProgram, WrongAccount
from chain.proposal_hash import KINDS, Kind, instruction_bytes, instruction_hash, proposal_hash

BUFFER = 2  # an upgrade's buffer among its accounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A proposal with its instructions, whose hashes were computed again. Times are Unix seconds."""

    number: int
    kind: Kind
    state: str
    proposer: Pubkey
    instructions: tuple[Instruction, ...]
    code_hashes: tuple[bytes, ...]
    hash: bytes
    votes_until: int
    ready_at: int
    expires_at: int
    yes_atoms: int
    no_atoms: int
    quorum_atoms: int
    executed: int


class Governance:
    def __init__(self) -> None:
        self.program = AnchorProgram("governance")
        self.governance = self.program.pda(b"governance")
        self.authority = self.program.pda(b"authority")
        self._exchange = AnchorProgram("perp_dex").pda(b"exchange")

    def stake(self, owner: Pubkey, number: int = 0) -> Pubkey:
        return self.program.pda(b"stake", bytes(owner), number.to_bytes(2, "little"))

    def proposal(self, number: int) -> Pubkey:
        return self.program.pda(b"proposal", number.to_bytes(8, "little"))

    def stored(self, number: int, index: int) -> Pubkey:
        return self.program.pda(b"instruction", bytes(self.proposal(number)), bytes([index]))

    def read(self, client: ChainClient, number: int, *, commitment: Commitment = "finalized") -> Proposal:
        """Return a proposal; WrongAccount when its instructions are not those of its hashes."""
        told = self.program.account("Proposal", client.account(self.proposal(number), commitment=commitment))
        found = [
            self.program.account("StoredInstruction", client.account(self.stored(number, index), commitment=commitment))
            for index in range(len(told.instruction_hashes))
        ]
        instructions = tuple(_instruction(one.instruction) for one in found)
        code_hashes = tuple(bytes(one.code_hash) for one in found)
        hashes = [instruction_hash(one, code_hash=code) for one, code in zip(instructions, code_hashes, strict=True)]
        if hashes != [bytes(one) for one in told.instruction_hashes]:
            raise WrongAccount(f"Proposal {number} holds other instructions than its hashes say.")
        kind = _kind(told.kind)
        return Proposal(
            number=number,
            kind=kind,
            state=_variant(told.state),
            proposer=told.proposer,
            instructions=instructions,
            code_hashes=code_hashes,
            hash=proposal_hash(program_id=self.program.id, number=number, epoch=told.epoch, kind=kind, instruction_hashes=hashes),
            votes_until=told.votes_until,
            ready_at=told.ready_at,
            expires_at=told.expires_at,
            yes_atoms=told.yes_atoms,
            no_atoms=told.no_atoms,
            quorum_atoms=told.quorum_atoms,
            executed=told.executed,
        )

    def state(self, client: ChainClient, *, commitment: Commitment = "finalized") -> Any:
        return self.program.account("Governance", client.account(self.governance, commitment=commitment))

    def next_number(self, client: ChainClient, *, commitment: Commitment = "finalized") -> int:
        return int(self.state(client, commitment=commitment).proposals) + 1

    def lock_stake(self, *, owner: Pubkey, source: Pubkey, amount_atoms: int, number: int = 0) -> Instruction:
        named = {"owner": owner, "source": source, "stake": self.stake(owner, number), "stake_vault": self.program.pda(b"stake_vault")}
        return self._build("lock_stake", number.to_bytes(2, "little") + amount_atoms.to_bytes(8, "little"), named)

    def return_stake(self, *, owner: Pubkey, destination: Pubkey, number: int = 0) -> Instruction:
        vault = {"stake_vault": self.program.pda(b"stake_vault"), "stake_authority": self.program.pda(b"stake_authority")}
        return self._build("return_stake", b"", {"owner": owner, "destination": destination, "stake": self.stake(owner, number)} | vault)

    def propose(self, *, owner: Pubkey, number: int, kind: Kind, stake: int = 0) -> Instruction:
        """Begin the draft with the next number."""
        named = {"owner": owner, "stake": self.stake(owner, stake), "proposal": self.proposal(number)}
        return self._build("propose", bytes([KINDS[kind]]), named)

    def add_instruction(
        self, *, proposer: Pubkey, number: int, index: int, instruction: Instruction, upgrades: bool = False
    ) -> Instruction:
        named = {"proposer": proposer, "proposal": self.proposal(number), "stored": self.stored(number, index)}
        buffer = [AccountMeta(instruction.accounts[BUFFER].pubkey, is_signer=False, is_writable=False)] if upgrades else []
        return self._build("add_instruction", instruction_bytes(instruction), named, buffer)

    def begin_vote(self, *, proposer: Pubkey, number: int, stake: int = 0) -> Instruction:
        named = {"proposer": proposer, "stake": self.stake(proposer, stake), "proposal": self.proposal(number)}
        return self._build("begin_vote", b"", named)

    def vote(self, *, owner: Pubkey, proposal: Proposal, approves: bool, stake: int = 0) -> Instruction:
        """Vote on what was read: the hash is the one that `read` computed."""
        address, staked = self.proposal(proposal.number), self.stake(owner, stake)
        vote = self.program.pda(b"vote", bytes(address), bytes(staked))
        named = {"owner": owner, "stake": staked, "proposal": address, "vote": vote}
        return self._build("vote", bytes([approves]) + proposal.hash, named)

    def cancel(self, *, proposer: Pubkey, number: int) -> Instruction:
        return self._build("cancel", b"", {"proposer": proposer, "proposal": self.proposal(number)})

    def veto(self, *, guardian: Pubkey, number: int) -> Instruction:
        return self._build("veto", b"", {"guardian": guardian, "proposal": self.proposal(number)})

    def accept_authority(self, *, target: AnchorProgram, holder: Pubkey) -> Instruction:
        """Anyone may let governance accept what it was offered, once there is stake enough to decide."""
        return self._build("accept_authority", b"", {"target": target.id, "holder": holder})

    def execute(self, *, proposal: Proposal, index: int) -> Instruction:
        """Anyone may, once it has passed and waited. Instructions that belong together go into one transaction."""
        wanted = proposal.instructions[index]
        named = {
            "proposal": self.proposal(proposal.number),
            "stored": self.stored(proposal.number, index),
            "target": wanted.program_id,
        }
        unsigned = [AccountMeta(meta.pubkey, is_signer=False, is_writable=meta.is_writable) for meta in wanted.accounts]
        return self._build("execute", bytes([index]), named, unsigned)

    def _build(self, name: str, arguments: bytes, named: dict[str, Pubkey], more: Iterable[AccountMeta] = ()) -> Instruction:
        fixed = {
            "governance": self.governance,
            "authority": self.authority,
            "exchange": self._exchange,
            "instructions": INSTRUCTIONS,
            "token_program": TOKEN_PROGRAM_ID,
            "system_program": SYSTEM,
        }
        wanted = self.program.accounts_of(name)
        accounts = {role: key for role, key in (fixed | named).items() if role in wanted}
        return self.program.encoded(name, arguments, accounts, more)


def _instruction(stored: Any) -> Instruction:
    metas = [AccountMeta(one.key, is_signer=one.signer, is_writable=one.writable) for one in stored.accounts]
    return Instruction(stored.program_id, bytes(stored.data), metas)


def headline(number: int, told: Any) -> str:
    """Say in one line what a proposal is; `told` is its account."""
    return f"{number}. {_variant(told.kind).lower()}, {_variant(told.state).lower()}: {told.yes_atoms:,} yes, {told.no_atoms:,} no"


def _kind(told: Any) -> Kind:
    return "Tightening" if _variant(told) == "Tightening" else "Loosening"


def _variant(told: Any) -> str:
    return type(told).__name__
