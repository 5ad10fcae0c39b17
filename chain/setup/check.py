"""Comparing what is on chain with what this exchange needs there. It changes nothing."""

from collections.abc import Sequence
from typing import Any

from chain.client import ChainClient
from chain.deployment import Deployment
from chain.idl import WrongAccount
from chain.prices import feed_address, market_address
from chain.setup.parameters import market_parameters
from markets.parameters import MarketParameters


def problems(deployment: Deployment, markets: Sequence[MarketParameters]) -> list[str]:
    """Say what is missing or different; nothing when the exchange can settle there."""
    with deployment.client() as client:
        return [*_exchange(deployment, client), *(line for market in markets for line in _market(deployment, client, market))]


def _exchange(deployment: Deployment, client: ChainClient) -> list[str]:
    dex, record = deployment.dex, deployment.record
    try:
        exchange = dex.read_exchange(client, commitment="finalized")
    except WrongAccount:
        return ["perp_dex is not initialised on this cluster."]
    found = {"insurance_owner": exchange.insurance_owner, "settler": exchange.settler, "custodian": exchange.custodian}
    wanted = {"insurance_owner": record.authority, "settler": record.settler, "custodian": record.custodian}
    wrong = [f"The exchange's {name} is {key}, not {wanted[name]}." for name, key in found.items() if str(key) != wanted[name]]
    if exchange.authority not in {deployment.authority, deployment.governance.authority}:
        wrong.append(f"The exchange's authority is {exchange.authority}, neither {record.authority} nor governance.")
    if bytes(exchange.genesis_hash) != deployment.genesis_hash:
        wrong.append("The exchange takes orders that are signed for another cluster.")
    if client.account(dex.asset(deployment.usdc_mint)["asset"], commitment="finalized") is None:
        wrong.append(f"USDC ({deployment.usdc_mint}) is not listed.")
    return wrong


def _market(deployment: Deployment, client: ChainClient, market: MarketParameters) -> list[str]:
    program, name = deployment.dex.program, market.symbol
    try:
        found = program.account("Market", client.account(market_address(deployment, market.market_id), commitment="finalized"))
    except WrongAccount:
        return [f"{name}: there is no market {market.market_id} on chain."]
    if found.feed != feed_address(deployment, market.market_id):
        return [f"{name}: its prices come from another feed."]
    wanted = market_parameters(market)
    different = [key for key in wanted if _plain(getattr(found.parameters, key)) != _plain(wanted[key])]
    return [f"{name}: {', '.join(different)} differ from the engine's."] if different else []


def _plain(value: Any) -> Any:
    """Return tiers, as the chain or as the engine has them, in one form."""
    if not isinstance(value, list):
        return value
    fields = ("notional_from_atoms", "maintenance_ppm", "deduction_atoms", "max_leverage")
    return [tuple(tier[field] if isinstance(tier, dict) else getattr(tier, field) for field in fields) for tier in value]
