"""A localnet's money: test USDC, the votes of its governance, and what is behind the demo's faucet."""

from dataclasses import dataclass

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from spl.token.constants import MINT_LEN, TOKEN_PROGRAM_ID
from spl.token.instructions import get_associated_token_address

from chain.setup import companions, tokens
from chain.setup.parameters import FAUCET_ATOMS
from chain.setup.sender import Task
from chain.setup.site import Site
from markets.ledger import FAUCET
from markets.units import QUOTE_ATOMS

VOTES_ATOMS = 1_000_000 * QUOTE_ATOMS  # the votes have USDC's decimals
FIRST_STAKE_ATOMS = 1_000_000 * QUOTE_ATOMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """`usdc` and `votes` are the keys of both mints; the faucet's key mints, and pays for it."""

    site: Site
    faucet: Keypair
    usdc: Keypair
    votes: Keypair

    def mints(self, *, with_votes: bool) -> list[Task]:
        """The tokens; the authority begins with all votes."""
        tasks: list[Task] = []
        if not self.site.is_there(self.usdc.pubkey()):
            tasks.append(Task(title="test USDC", keys=(self.faucet, self.usdc), instructions=self._create(self.usdc)))
        if with_votes and not self.site.is_there(self.votes.pubkey()):
            given = self._give(self.votes.pubkey(), self.site.authority, VOTES_ATOMS, payer=self.faucet)
            tasks.append(Task(title="test votes", keys=(self.faucet, self.votes), instructions=[*self._create(self.votes), *given]))
        return tasks

    def first_stake(self) -> list[Task]:
        """The exchange's own stake in the insurance fund, of test money."""
        given = self._give(self.usdc.pubkey(), self.site.authority, FIRST_STAKE_ATOMS, payer=self.site.authority)
        return companions.first_stake(self.site, amount_atoms=FIRST_STAKE_ATOMS, before=given, keys=(self.faucet,))

    def behind_faucet(self) -> list[Task]:
        """Test USDC behind the demo's faucet, minted and deposited at once."""
        chain, holder, mint = self.site.deployment, self.site.deployment.keys.custodian, self.usdc.pubkey()
        address = chain.account_address(FAUCET)
        user = chain.dex.program.account("User", self.site.client.account(address, commitment="confirmed"))
        if user.deposits:
            return []
        accounts = {
            "depositor": holder.pubkey(),
            "exchange": chain.dex.exchange,
            "source": get_associated_token_address(holder.pubkey(), mint),
            "user": address,
            "token_program": TOKEN_PROGRAM_ID,
            **{name: key for name, key in chain.dex.asset(mint).items() if name != "vault_authority"},
        }
        deposit = chain.dex.program.instruction("deposit", {"amount": FAUCET_ATOMS}, accounts)
        given = self._give(mint, holder, FAUCET_ATOMS, payer=holder)
        return [Task(title="faucet", keys=(holder, self.faucet), instructions=[*given, deposit])]

    def _create(self, mint: Keypair) -> list[Instruction]:
        payer = self.faucet.pubkey()
        return tokens.create_mint(payer=payer, mint=mint, authority=payer, rent_lamports=self.site.client.rent(MINT_LEN))

    def _give(self, mint: Pubkey, owner: Keypair, atoms: int, *, payer: Keypair) -> list[Instruction]:
        return tokens.give(payer=payer.pubkey(), mint=mint, authority=self.faucet.pubkey(), owner=owner.pubkey(), atoms=atoms)
