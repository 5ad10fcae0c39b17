"""Where an exchange is being set up: its deployment, a node, the terms, and who signs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain.client import ChainClient
from chain.deployment import Deployment
from chain.setup.instructions import Instructions
from chain.setup.sender import Task
from chain.setup.terms import Terms
from markets.parameters import MarketParameters
from markets.views import MarketView


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """`governed`: the exchange's authority is governance already, so what needs it is left to proposals."""

    deployment: Deployment
    client: ChainClient
    views: Sequence[MarketView]
    terms: Terms
    authority: Keypair
    program_key: Callable[[str], Keypair]
    own_accounts: Sequence[int]
    governed: bool = False

    @property
    def make(self) -> Instructions:
        return Instructions(deployment=self.deployment, authority=self.authority.pubkey())

    @property
    def markets(self) -> list[MarketParameters]:
        return [view.parameters for view in self.views]

    def is_there(self, key: Pubkey) -> bool:
        return self.client.account(key, commitment="confirmed") is not None

    def task(self, title: str, instructions: list[Instruction], *created: str, keys: tuple[Keypair, ...] = (), lamports: int = 0) -> Task:
        """`created`: the kinds of accounts that the authority pays the rent of; `lamports`: what it gives away."""
        return Task(title=title, keys=(self.authority, *keys), instructions=instructions, created=created, lamports=lamports)

    def first(self, program: str, title: str, instruction: Instruction, *created: str) -> Task:
        """Return what initialises a program: it takes the program's own key."""
        return self.task(title, [instruction], *created, keys=(self.program_key(program),))
