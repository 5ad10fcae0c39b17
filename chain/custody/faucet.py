"""Test money on the localnet: SOL for fees and USDC to deposit."""

from typing import Final

from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer

from accounts import limits
from accounts.limits import RateLimited
from chain.building import build
from chain.client import ChainClient
from chain.custody.errors import FaucetOff
from chain.deployment import Deployment
from chain.setup import tokens
from markets.units import QUOTE_ATOMS

LAMPORTS: Final = 1_000_000_000
USDC_ATOMS: Final = 10_000 * QUOTE_ATOMS


def faucet_give(*, client: ChainClient, chain: Deployment, owner: Pubkey, user_id: int) -> Signature:
    """Send a wallet what a newcomer needs, so often; FaucetOff anywhere but on the localnet."""
    if not chain.is_localnet or chain.keys.faucet is None:
        raise FaucetOff
    taken = limits.buckets().take(limits.limit("faucet"), who=f"user:{user_id}")
    if not taken.allowed:
        raise RateLimited(taken)
    faucet = chain.keys.faucet
    payer = faucet.pubkey()
    instructions = [
        transfer(TransferParams(from_pubkey=payer, to_pubkey=owner, lamports=LAMPORTS)),
        *tokens.give(payer=payer, mint=chain.usdc_mint, authority=payer, owner=owner, atoms=USDC_ATOMS),
    ]
    signed = build(client=client, payer=faucet, instructions=instructions)
    client.send(signed.transaction)
    return signed.signature
