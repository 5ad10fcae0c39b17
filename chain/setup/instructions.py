"""The instructions that make an exchange: who signs them is the authority, a key at first and governance's address later."""

from dataclasses import dataclass
from typing import Any

from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM
from solders.sysvar import INSTRUCTIONS as SYSVAR_INSTRUCTIONS
from spl.token.constants import TOKEN_PROGRAM_ID

from chain.deployment import Deployment
from chain.idl import AnchorProgram
from chain.prices import feed_address, market_address
from chain.setup.parameters import feed_parameters, market_parameters
from chain.setup.terms import Terms, limit_parameters
from markets.parameters import MarketParameters
from oracle.feeds.hermes.ids import FEED_IDS

NO_PYTH_FEED = "00" * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Instructions:
    """`authority` signs, and pays the rents."""

    deployment: Deployment
    authority: Pubkey

    def initialise_oracle(self) -> Instruction:
        oracle = self.deployment.oracle
        return self._build(oracle, "initialise", {"authority": self.authority}, oracle=oracle.pda(b"oracle"))

    def initialise_exchange(self, terms: Terms) -> Instruction:
        chain = self.deployment
        arguments = {
            "authority": self.authority,
            "settler": chain.settler,
            "custodian": chain.custodian,
            "genesis_hash": list(chain.genesis_hash),
            "parameters": terms.exchange,
        }
        return self._build(chain.dex.program, "initialise", arguments)

    def list_usdc(self, terms: Terms) -> Instruction:
        dex, mint = self.deployment.dex, self.deployment.usdc_mint
        return self._build(dex.program, "list_asset", {"limits": terms.limits}, mint=mint, **dex.asset(mint))

    def set_usdc_limits(self, limits: dict[str, int]) -> Instruction:
        dex = self.deployment.dex
        return self._build(dex.program, "set_limits", {"limits": limits}, asset=dex.asset(self.deployment.usdc_mint)["asset"])

    def create_feed(self, market: MarketParameters) -> Instruction:
        chain = self.deployment
        pyth_feed_id = bytes.fromhex(FEED_IDS.get(market.base_asset, NO_PYTH_FEED))
        arguments = {"index": market.market_id, "parameters": feed_parameters(chain.publishers, pyth_feed_id)}
        feed = feed_address(chain, market.market_id)
        return self._build(chain.oracle, "create_feed", arguments, oracle=chain.oracle.pda(b"oracle"), feed=feed)

    def create_market(self, market: MarketParameters) -> Instruction:
        chain = self.deployment
        arguments = {"market_id": market.market_id, "parameters": market_parameters(market)}
        places = {"feed": feed_address(chain, market.market_id), "market": market_address(chain, market.market_id)}
        return self._build(chain.dex.program, "create_market", arguments, **places)

    def set_market_limits(self, market: MarketParameters, *, price_e8: int) -> Instruction:
        chain = self.deployment
        arguments = {"limits": limit_parameters(market, price_e8=price_e8)}
        places = {"market": market_address(chain, market.market_id), "limits": limits_address(chain, market.market_id)}
        return self._build(chain.risk, "set_market_limits", arguments, **places)

    def create_user(self, account_id: int) -> Instruction:
        dex = self.deployment.dex
        owner, sub_account = self.deployment.owner_of(account_id)
        return self._build(dex.program, "create_user", {"owner": owner, "sub_account": sub_account}, user=dex.user(owner, sub_account))

    def initialise_fund(self, parameters: dict[str, int]) -> Instruction:
        fund = self.deployment.liquidation
        places = {"asset": self._usdc["asset"], "mint": self.deployment.usdc_mint, "fund": fund.pda(b"fund"), "vault": fund.pda(b"vault")}
        return self._build(fund, "initialise", {"parameters": parameters}, **places)

    def stake_in_fund(self, *, source: Pubkey, amount_atoms: int) -> Instruction:
        fund = self.deployment.liquidation
        places = {"fund": fund.pda(b"fund"), "vault": fund.pda(b"vault"), "stake": fund.pda(b"stake", bytes(self.authority))}
        return self._build(fund, "stake", {"amount": amount_atoms}, owner=self.authority, source=source, **places)

    def initialise_auctions(self, parameters: dict[str, int]) -> Instruction:
        jit = self.deployment.jit
        return self._build(jit, "initialise", {"parameters": parameters}, asset=self._usdc["asset"], terms=jit.pda(b"terms"))

    def initialise_governance(self, parameters: dict[str, int], *, stake_mint: Pubkey, guardian: Pubkey) -> Instruction:
        governance = self.deployment.governance.program
        places = {name: governance.pda(name.encode()) for name in ("governance", "authority", "stake_authority", "stake_vault")}
        arguments = {"guardian": guardian, "parameters": parameters}
        return self._build(governance, "initialise", arguments, stake_mint=stake_mint, **places)

    def offer_authority(self, program: AnchorProgram, *, to: Pubkey) -> Instruction:
        """Return what offers the authority of exchange or oracle; until it is accepted nothing changes."""
        return self._build(
            program, "offer_authority", {"offered": to}, **({"oracle": program.pda(b"oracle")} if program.name == "oracle" else {})
        )

    def create_treasury(self, mint: Pubkey) -> Instruction:
        governance = self.deployment.governance.program
        seeds = {"treasury": b"treasury", "treasury_authority": b"treasury_authority", "vault": b"treasury_vault"}
        return self._build(
            governance, "create_treasury", {}, mint=mint, **{name: governance.pda(seed, bytes(mint)) for name, seed in seeds.items()}
        )

    @property
    def _usdc(self) -> dict[str, Pubkey]:
        return self.deployment.dex.asset(self.deployment.usdc_mint)

    def _build(self, program: AnchorProgram, name: str, arguments: dict[str, Any], /, **named: Pubkey) -> Instruction:
        known = {
            "program": program.id,
            "payer": self.authority,
            "authority": self.authority,
            "exchange": self.deployment.dex.exchange,
            "instructions": SYSVAR_INSTRUCTIONS,
            "token_program": TOKEN_PROGRAM_ID,
            "system_program": SYSTEM,
        }
        wanted = program.accounts_of(name)
        return program.instruction(name, arguments, {role: key for role, key in (known | named).items() if role in wanted})


def limits_address(deployment: Deployment, market_id: int) -> Pubkey:
    return deployment.risk.pda(b"limits", market_id.to_bytes(4, "little"))
