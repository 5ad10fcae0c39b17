"""What a localnet's exchange consists of, stage by stage. Each stage looks first what is there, so running it again goes on."""

from collections.abc import Sequence
from dataclasses import dataclass

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from spl.token.constants import MINT_LEN, TOKEN_PROGRAM_ID
from spl.token.instructions import get_associated_token_address

from chain.client import ChainClient
from chain.deployment import Deployment
from chain.prices import feed_address, market_address
from chain.setup import tokens
from chain.setup.keys import program_key
from chain.setup.parameters import FAUCET_ATOMS, LOCALNET_EXCHANGE, LOCALNET_LIMITS, feed_parameters, market_parameters
from chain.setup.sender import Task
from markets.ledger import BACKSTOP, DUST, FAUCET, FEES, FUNDING, INSURANCE
from markets.parameters import MarketParameters
from oracle.feeds.hermes.ids import FEED_IDS

SYSTEM = Pubkey.default()
SYSVAR_INSTRUCTIONS = Pubkey.from_string("Sysvar1nstructions1111111111111111111111111")
SOL = 10**9
RICH_LAMPORTS, POOR_LAMPORTS = 10_000 * SOL, 1_000 * SOL
OWN_ACCOUNTS = (FAUCET, FEES, INSURANCE, DUST, FUNDING, BACKSTOP)  # clearing and what only passes through are not on chain
FEEDS_A_TASK, USERS_A_TASK = 2, 3
NO_PYTH_FEED = "00" * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    deployment: Deployment
    client: ChainClient
    markets: Sequence[MarketParameters]
    mint: Keypair

    def is_there(self, key: Pubkey) -> bool:
        return self.client.account(key, commitment="confirmed") is not None

    def airdrops(self) -> list[Keypair]:
        """Return the keys that need SOL."""
        keys = self.deployment.keys
        payers = (keys.custodian, keys.settler, keys.authority, *keys.publishers, *([keys.faucet] if keys.faucet else []))
        return [key for key in payers if self.client.balance(key.pubkey()) < POOR_LAMPORTS]

    def programs(self) -> list[Task]:
        """The token, and both programs with nothing in them."""
        keys, oracle = self.deployment.keys, self.deployment.oracle
        faucet, authority = keys.faucet or keys.authority, keys.authority
        tasks: list[Task] = []
        if not self.is_there(self.mint.pubkey()):
            made = tokens.create_mint(
                payer=faucet.pubkey(), mint=self.mint, authority=faucet.pubkey(), rent_lamports=self.client.rent(MINT_LEN)
            )
            tasks.append(Task(title="test USDC", keys=(faucet, self.mint), instructions=made))
        if not self.is_there(oracle.pda(b"oracle")):
            accounts = {"payer": authority.pubkey(), "program": oracle.id, "oracle": oracle.pda(b"oracle"), "system_program": SYSTEM}
            instruction = oracle.instruction("initialise", {"authority": authority.pubkey()}, accounts)
            tasks.append(Task(title="oracle", keys=(authority, program_key("oracle")), instructions=[instruction]))
        if not self.is_there(self.deployment.dex.exchange):
            tasks.append(Task(title="exchange", keys=(authority, program_key("perp_dex")), instructions=[self._initialise()]))
        return tasks

    def _initialise(self) -> Instruction:
        dex, keys = self.deployment.dex, self.deployment.keys
        arguments = {
            "authority": keys.authority.pubkey(),
            "settler": keys.settler.pubkey(),
            "custodian": keys.custodian.pubkey(),
            "genesis_hash": list(self.deployment.genesis_hash),
            "parameters": LOCALNET_EXCHANGE,
        }
        accounts = {"payer": keys.authority.pubkey(), "program": dex.program.id, "exchange": dex.exchange, "system_program": SYSTEM}
        return dex.program.instruction("initialise", arguments, accounts)

    def feeds(self) -> list[Task]:
        """The feeds, and USDC on the list of assets."""
        missing = [market for market in self.markets if not self.is_there(feed_address(self.deployment, market.market_id))]
        tasks = [
            self._authority_task("feeds", [self._create_feed(market) for market in missing[start : start + FEEDS_A_TASK]])
            for start in range(0, len(missing), FEEDS_A_TASK)
        ]
        if not self.is_there(self.deployment.dex.asset(self.mint.pubkey())["asset"]):
            tasks.append(self._authority_task("USDC", [self._list_usdc()]))
        return tasks

    def _create_feed(self, market: MarketParameters) -> Instruction:
        oracle, authority = self.deployment.oracle, self.deployment.authority
        pyth_feed_id = bytes.fromhex(FEED_IDS.get(market.base_asset, NO_PYTH_FEED))
        accounts = {
            "payer": authority,
            "authority": authority,
            "oracle": oracle.pda(b"oracle"),
            "feed": feed_address(self.deployment, market.market_id),
            "system_program": SYSTEM,
        }
        arguments = {"index": market.market_id, "parameters": feed_parameters(self.deployment.keys, pyth_feed_id)}
        return oracle.instruction("create_feed", arguments, accounts)

    def _list_usdc(self) -> Instruction:
        dex, authority = self.deployment.dex, self.deployment.authority
        accounts = {
            "payer": authority,
            "authority": authority,
            "exchange": dex.exchange,
            "mint": self.mint.pubkey(),
            "instructions": SYSVAR_INSTRUCTIONS,
            "token_program": TOKEN_PROGRAM_ID,
            "system_program": SYSTEM,
            **dex.asset(self.mint.pubkey()),
        }
        return dex.program.instruction("list_asset", {"limits": LOCALNET_LIMITS}, accounts)

    def market_accounts(self) -> list[Task]:
        missing = [market for market in self.markets if not self.is_there(market_address(self.deployment, market.market_id))]
        return [self._authority_task(market.symbol, [self._create_market(market)]) for market in missing]

    def _create_market(self, market: MarketParameters) -> Instruction:
        dex, authority = self.deployment.dex, self.deployment.authority
        accounts = {
            "payer": authority,
            "authority": authority,
            "exchange": dex.exchange,
            "feed": feed_address(self.deployment, market.market_id),
            "market": market_address(self.deployment, market.market_id),
            "instructions": SYSVAR_INSTRUCTIONS,
            "system_program": SYSTEM,
        }
        arguments = {"market_id": market.market_id, "parameters": market_parameters(market)}
        return dex.program.instruction("create_market", arguments, accounts)

    def users(self) -> list[Task]:
        """The exchange's own accounts. After the markets: a market that comes later opens only when an exit could have been made."""
        missing = [account_id for account_id in OWN_ACCOUNTS if not self.is_there(self.deployment.account_address(account_id))]
        return [
            self._authority_task("own accounts", [self._create_user(account_id) for account_id in missing[start : start + USERS_A_TASK]])
            for start in range(0, len(missing), USERS_A_TASK)
        ]

    def _create_user(self, account_id: int) -> Instruction:
        dex = self.deployment.dex
        owner, sub_account = self.deployment.owner_of(account_id)
        accounts = {
            "payer": self.deployment.authority,
            "exchange": dex.exchange,
            "user": dex.user(owner, sub_account),
            "system_program": SYSTEM,
        }
        return dex.program.instruction("create_user", {"owner": owner, "sub_account": sub_account}, accounts)

    def faucet_money(self) -> list[Task]:
        """Test USDC behind the demo's faucet, minted and deposited at once."""
        dex, keys = self.deployment.dex, self.deployment.keys
        address = self.deployment.account_address(FAUCET)
        user = dex.program.account("User", self.client.account(address, commitment="confirmed"))
        if user.deposits or keys.faucet is None:
            return []
        mint, holder = self.mint.pubkey(), keys.custodian
        accounts = {
            "depositor": holder.pubkey(),
            "exchange": dex.exchange,
            "source": get_associated_token_address(holder.pubkey(), mint),
            "user": address,
            "token_program": TOKEN_PROGRAM_ID,
            **{name: key for name, key in dex.asset(mint).items() if name != "vault_authority"},
        }
        minted = tokens.give(payer=holder.pubkey(), mint=mint, authority=keys.faucet.pubkey(), owner=holder.pubkey(), atoms=FAUCET_ATOMS)
        deposit = dex.program.instruction("deposit", {"amount": FAUCET_ATOMS}, accounts)
        return [Task(title="faucet", keys=(holder, keys.faucet), instructions=[*minted, deposit])]

    def _authority_task(self, title: str, instructions: list[Instruction]) -> Task:
        return Task(title=title, keys=(self.deployment.keys.authority,), instructions=instructions)
