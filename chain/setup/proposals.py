"""Proposals of an exchange that governance rules: what they may hold, how they come on chain, and what they say in words."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain.client import ChainClient
from chain.deployment import Deployment
from chain.errors import ChainError
from chain.explorer.names import own_programs
from chain.governance import Proposal
from chain.prices import feed_address
from chain.proposal_hash import Kind
from chain.setup.code import LOADER
from chain.setup.instructions import Instructions
from chain.setup.sender import Task, send_all
from markets.views import MarketView


class ProposalUnreadable(ChainError):
    code = "CHAIN_PROPOSAL_UNREADABLE"


class ToldAccount(msgspec.Struct, frozen=True):
    address: str
    signer: bool
    writable: bool


class Told(msgspec.Struct, frozen=True):
    """An instruction as a file tells it."""

    program: str
    accounts: list[ToldAccount]
    data: str

    def instruction(self) -> Instruction:
        metas = [AccountMeta(Pubkey.from_string(one.address), one.signer, one.writable) for one in self.accounts]
        return Instruction(Pubkey.from_string(self.program), bytes.fromhex(self.data), metas)


def market(chain: Deployment, client: ChainClient, view: MarketView) -> list[Instruction]:
    """Return what lists a market: its feed where there is none, the market by the engine's parameters, its limits."""
    make = Instructions(deployment=chain, authority=chain.governance.authority)
    has_feed = client.account(feed_address(chain, view.parameters.market_id), commitment="confirmed") is not None
    return [
        *([] if has_feed else [make.create_feed(view.parameters)]),
        make.create_market(view.parameters),
        *([make.set_market_limits(view.parameters, price_e8=view.index_e8)] if view.index_e8 > 0 else []),
    ]


def limits(chain: Deployment, **limits_atoms: int) -> list[Instruction]:
    """Return what sets the limits of USDC."""
    return [Instructions(deployment=chain, authority=chain.governance.authority).set_usdc_limits(limits_atoms)]


def from_file(path: Path) -> list[Instruction]:
    """Read instructions from JSON: [{"program": …, "accounts": [{"address": …, "signer": …, "writable": …}], "data": hexadecimal}]."""
    try:
        told = msgspec.json.decode(path.read_bytes(), type=list[Told])
        return [one.instruction() for one in told]
    except (OSError, ValueError) as error:
        raise ProposalUnreadable(f"{path} holds no instructions: {error}") from error


def propose(
    chain: Deployment, client: ChainClient, *, key: Keypair, instructions: Sequence[Instruction], kind: Kind, stake: int = 0
) -> int:
    """Draft a proposal, fill it and begin its vote; return its number."""
    program, owner = chain.governance, key.pubkey()
    number = program.next_number(client, commitment="confirmed")
    steps = [program.propose(owner=owner, number=number, kind=kind, stake=stake)]
    steps += [
        program.add_instruction(proposer=owner, number=number, index=index, instruction=one, upgrades=one.program_id == LOADER)
        for index, one in enumerate(instructions)
    ]
    for step in [*steps, program.begin_vote(proposer=owner, number=number, stake=stake)]:
        send_all(client, [Task(title=f"proposal {number}", keys=(key,), instructions=[step])])
    return number


def execute(chain: Deployment, client: ChainClient, *, key: Keypair, number: int) -> int:
    """Execute what of a proposal is not executed yet, in its order; return how many instructions."""
    proposal = chain.governance.read(client, number, commitment="confirmed")
    left = range(proposal.executed, len(proposal.instructions))
    for index in left:
        step = chain.governance.execute(proposal=proposal, index=index)
        send_all(client, [Task(title=f"proposal {number}, instruction {index}", keys=(key,), instructions=[step])])
    return len(left)


def words(proposal: Proposal) -> Iterator[str]:
    """Say what a proposal is, and what each of its instructions would do, from the instructions themselves."""
    yield f"Proposal {proposal.number}: {proposal.kind.lower()}, {proposal.state.lower()}, by {proposal.proposer}"
    yield f"  hash {proposal.hash.hex()}"
    if proposal.votes_until:
        yield f"  {proposal.yes_atoms:,} yes, {proposal.no_atoms:,} no; {proposal.quorum_atoms:,} must say yes (atoms of the stake)"
        yield f"  vote until {_at(proposal.votes_until)}, executable from {_at(proposal.ready_at)} until {_at(proposal.expires_at)}"
    for index, instruction in enumerate(proposal.instructions):
        done = " (executed)" if index < proposal.executed else ""
        yield f"  {index}. {_instruction(instruction)}{done}"
        yield from (f"       {_flags(meta)} {meta.pubkey}" for meta in instruction.accounts)


def _instruction(instruction: Instruction) -> str:
    program = own_programs().get(str(instruction.program_id))
    decoded = program.decode(bytes(instruction.data)) if program else None
    if program is None or decoded is None:
        return f"{instruction.program_id}: {bytes(instruction.data).hex()}"
    name, arguments = decoded
    values = ", ".join(f"{key} {value}" for key, value in arguments.items() if not key.startswith("_"))
    return f"{program.name} {name}: {values}"


def _flags(meta: AccountMeta) -> str:
    return ("signs" if meta.is_signer else "     ") + (" written" if meta.is_writable else "        ")


def _at(moment_s: int) -> str:
    return f"{datetime.fromtimestamp(moment_s, tz=UTC):%Y-%m-%d %H:%M:%S} UTC"
