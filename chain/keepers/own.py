"""A keeper's own account of the exchange: opened and filled, and emptied without the operator while he is silent."""

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import create_idempotent_associated_token_account, get_associated_token_address

from chain.errors import ChainError
from chain.keepers.accounts import QUOTE
from chain.keepers.actions import Action
from chain.keepers.keeper import Keeper
from chain.keepers.oracle import observations
from chain.keepers.sight import Sight
from markets.units import decimal_from_atoms

JOB = "own account"
SYSTEM = Pubkey.default()


class OperatorActs(ChainError):
    """Live, money leaves with the operator's voucher: by his pages, or after an exit was asked for."""

    code = "KEEPER_OPERATOR_ACTS"
    message = "The operator is not silent: money leaves with his voucher now, by the wallet page or by an exit."


class NoAccount(ChainError):
    code = "KEEPER_NO_ACCOUNT"
    message = "The key has no account of the exchange: join first."


def join(keeper: Keeper, sight: Sight, *, amount_atoms: int) -> Action:
    """Open the key's own account where it has none, and pay in from its usual token account."""
    mint = quote_mint(sight)
    steps: list[Instruction] = []
    if keeper.account not in sight.users_at([keeper.account]):
        arguments = {"owner": keeper.key, "sub_account": keeper.sub_account}
        steps.append(_dex(keeper, "create_user", arguments, {"payer": keeper.key, "system_program": SYSTEM}))
    listed = keeper.programs.asset(mint)
    named = {
        "depositor": keeper.key,
        "source": get_associated_token_address(keeper.key, mint),
        "asset": listed["asset"],
        "vault": listed["vault"],
        "token_program": TOKEN_PROGRAM_ID,
    }
    steps.append(_dex(keeper, "deposit", {"amount": amount_atoms}, named))
    return Action(job=JOB, title=f"{decimal_from_atoms(amount_atoms)} USDC paid into {keeper.account}", instructions=steps)


def withdraw(keeper: Keeper, sight: Sight, *, amount_atoms: int) -> Action:
    """Take out what is final and secures no position, into the key's usual token account."""
    if not sight.is_fallback:
        raise OperatorActs
    user = sight.users_at([keeper.account]).get(keeper.account)
    if user is None:
        raise NoAccount
    mint = quote_mint(sight)
    named = keeper.programs.asset(mint) | {
        "signer": keeper.key,
        "settler": sight.exchange.settler,
        "destination": get_associated_token_address(keeper.key, mint),
        "token_program": TOKEN_PROGRAM_ID,
    }
    markets = [AccountMeta(sight.markets[one].key, is_signer=False, is_writable=False) for one in user.market_ids]
    steps = [
        create_idempotent_associated_token_account(keeper.key, keeper.key, mint),
        *observations(keeper, sight.markets, user.market_ids, now_s=sight.now_s),
        _dex(keeper, "withdraw", {"amount": amount_atoms}, named, markets),
    ]
    return Action(job=JOB, title=f"{decimal_from_atoms(amount_atoms)} USDC withdrawn from {keeper.account}", instructions=steps)


def quote_mint(sight: Sight) -> Pubkey:
    """Return the token that everything is counted in."""
    return next(Pubkey(bytes(asset.mint)) for _, asset in sight.all("perp_dex", "Asset") if asset.index == QUOTE)


def _dex(
    keeper: Keeper, name: str, arguments: dict[str, object], named: dict[str, Pubkey], more: list[AccountMeta] | None = None
) -> Instruction:
    accounts = {"exchange": keeper.programs.exchange, "user": keeper.account} | named
    return keeper.programs.dex.instruction(name, arguments, accounts, more or [])
