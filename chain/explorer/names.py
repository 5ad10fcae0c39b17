"""What the exchange calls the addresses that it knows."""

from collections.abc import Iterable
from pathlib import Path

from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM
from solders.sysvar import INSTRUCTIONS as SYSVAR_INSTRUCTIONS
from spl.token.constants import ASSOCIATED_TOKEN_PROGRAM_ID, TOKEN_PROGRAM_ID

from chain.deployment import Deployment
from chain.idl import AnchorProgram, programs_folder
from chain.prices import feed_address, market_address
from chain.setup.stages import OWN_ACCOUNTS
from markets.ledger import NAMES
from markets.parameters import MarketParameters

COMPUTE_BUDGET = "ComputeBudget111111111111111111111111111111"
ED25519 = "Ed25519SigVerify111111111111111111111111111"
SOLANA_PROGRAMS = {
    str(SYSTEM): "System program",
    str(TOKEN_PROGRAM_ID): "Token program",
    str(ASSOCIATED_TOKEN_PROGRAM_ID): "Associated token program",
    COMPUTE_BUDGET: "Compute budget",
    ED25519: "Ed25519 verification",
    str(SYSVAR_INSTRUCTIONS): "Instructions sysvar",
}

_own: dict[Path, dict[str, AnchorProgram]] = {}


def own_programs() -> dict[str, AnchorProgram]:
    """Return the programs that were built here, by address."""
    folder = programs_folder()
    if folder not in _own:
        found = (AnchorProgram(path.name.removesuffix(".legacy.json")) for path in sorted(folder.glob("*.legacy.json")))
        _own[folder] = {str(program.id): program for program in found}
    return _own[folder]


def names_of(deployment: Deployment, markets: Iterable[MarketParameters]) -> dict[str, str]:
    """Return a name for each address that is the exchange's own."""
    record = deployment.record
    names = dict(SOLANA_PROGRAMS) | {address: f"{program.name} program" for address, program in own_programs().items()}
    names |= {record.custodian: "Custodian", record.settler: "Settler", record.authority: "Authority"}
    names |= {publisher: f"Price publisher {place + 1}" for place, publisher in enumerate(record.publishers)}
    names |= {record.usdc_mint: "USDC", str(deployment.dex.exchange): "Exchange", str(deployment.governance.authority): "Governance"}
    names |= {str(key): f"USDC {name.replace('_', ' ')}" for name, key in deployment.dex.asset(deployment.usdc_mint).items()}
    for market in markets:
        names[str(market_address(deployment, market.market_id))] = f"{market.symbol} market"
        names[str(feed_address(deployment, market.market_id))] = f"{market.symbol} feed"
    names |= {str(_own_account(deployment, account_id)): f"Account of {NAMES[account_id]}" for account_id in OWN_ACCOUNTS}
    return names


def _own_account(deployment: Deployment, account_id: int) -> Pubkey:
    return deployment.account_address(account_id)
