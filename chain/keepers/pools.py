"""After a freeze: what the exchange paid to a liquidity pool is counted, so that its members can leave with it."""

from collections.abc import Mapping
from typing import Any

from solders.pubkey import Pubkey
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import get_associated_token_address

from chain.keepers.accounts import QUOTE, User
from chain.keepers.actions import Action
from chain.keepers.keeper import Keeper
from chain.keepers.sight import Sight

JOB = "auctions"


def look(keeper: Keeper, sight: Sight, mint: Pubkey) -> list[Action]:
    pools = {key: pool for key, pool in sight.all("jit", "Pool") if not pool.collected}
    paid_to = {key: get_associated_token_address(keeper.programs.pool_owner(key), mint) for key in pools}
    found = sight.client.accounts(list(paid_to.values()), commitment="confirmed")
    sources = {key: at for (key, at), account in zip(paid_to.items(), found, strict=True) if account is not None}
    return due(keeper, sight.users, pools, sources)


def due(keeper: Keeper, users: Mapping[Pubkey, User], pools: Mapping[Pubkey, Any], sources: Mapping[Pubkey, Pubkey]) -> list[Action]:
    """`sources`: the token accounts to which the exchange paid, where there are any."""
    paid = [key for key, pool in pools.items() if pool.user in users and users[pool.user].escaped >> QUOTE & 1]
    return [_collect(keeper, key, pools[key], sources.get(key)) for key in paid]


def _collect(keeper: Keeper, key: Pubkey, pool: Any, source: Pubkey | None) -> Action:
    programs = keeper.programs
    named = {
        "exchange": programs.exchange,
        "pool": key,
        "vault": pool.vault,
        "pool_owner": programs.pool_owner(key),
        "user": pool.user,
        "token_program": TOKEN_PROGRAM_ID,
    } | ({} if source is None else {"source": source})
    return Action(job=JOB, title=f"payment of pool {key} counted", instructions=[programs.jit.instruction("collect", {}, named)])
