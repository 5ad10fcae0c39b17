"""After a freeze: every account valued, the escapes opened, and everybody's share sent to him."""

from collections.abc import Iterable, Sequence
from typing import Any

from solders.instruction import AccountMeta
from solders.pubkey import Pubkey
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import create_idempotent_associated_token_account, get_associated_token_address

from chain.keepers.accounts import QUOTE, User
from chain.keepers.actions import Action
from chain.keepers.keeper import Keeper
from chain.keepers.sight import Sight

JOB = "epochs"


def look(keeper: Keeper, sight: Sight) -> list[Action]:
    assets = [asset for _, asset in sight.all("perp_dex", "Asset")]
    pools = frozenset(pool.user for _, pool in sight.all("jit", "Pool"))
    return due(keeper, sight, sight.users.values(), assets, pools=pools)


def due(keeper: Keeper, sight: Sight, users: Iterable[User], assets: Sequence[Any], *, pools: frozenset[Pubkey]) -> list[Action]:
    """`pools`: the accounts of liquidity pools, which count what they were paid even if that is nothing."""
    if sight.phase == "Escaping":
        waiting = [(user, asset) for user in users for asset in assets if not user.escaped >> asset.index & 1]
        return [_escape(keeper, user, asset) for user, asset in waiting if _has_share(user, asset.index) or user.key in pools]
    if sight.exchange.valued_users < sight.exchange.users:
        return [_value(keeper, sight, user) for user in users if not user.valued]
    quote = next(asset for asset in assets if asset.index == QUOTE)
    opened = keeper.dex("open_escapes", {"asset": keeper.programs.asset(quote.mint)["asset"]})
    return [Action(job=JOB, title="escapes opened", instructions=[opened])]


def _value(keeper: Keeper, sight: Sight, user: User) -> Action:
    markets = [AccountMeta(sight.markets[one].key, is_signer=False, is_writable=False) for one in user.holdings.lots]
    return Action(job=JOB, title=f"account {user.key} valued", instructions=[keeper.dex("value_user", {"user": user.key}, markets)])


def _has_share(user: User, asset: int) -> bool:
    """Whether there is something to send: nothing needs no token account of its owner's."""
    return (user.claim_atoms if asset == QUOTE else user.holdings.balances[asset]) > 0


def _escape(keeper: Keeper, user: User, asset: Any) -> Action:
    """Send the share to the owner's usual token account, which the keeper opens where it is missing."""
    accounts = keeper.programs.asset(asset.mint) | {
        "user": user.key,
        "destination": get_associated_token_address(user.owner, asset.mint),
        "token_program": TOKEN_PROGRAM_ID,
    }
    opened = create_idempotent_associated_token_account(keeper.key, user.owner, asset.mint)
    return Action(job=JOB, title=f"share of {user.key} in asset {asset.index} sent", instructions=[opened, keeper.dex("escape", accounts)])
