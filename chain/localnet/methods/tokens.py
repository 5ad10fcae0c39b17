"""Methods that read SPL tokens."""

from solders.pubkey import Pubkey

from chain.localnet import tokens
from chain.localnet.chain import Chain, Commitment
from chain.localnet.encoding import AccountForm
from chain.localnet.errors import invalid_params
from chain.localnet.methods.method import Method, in_context, view
from chain.localnet.params import Json, Params, as_key


def get_token_account_balance(chain: Chain, params: Params) -> Json:
    commitment = view(chain, params.config(1))
    held = tokens.holding(chain.account(params.key(0), commitment))
    if held is None:
        raise invalid_params("could not find account")
    return in_context(chain, commitment, tokens.ui_amount(held[2], _decimals(chain, Pubkey(held[0]), commitment)))


def get_token_supply(chain: Chain, params: Params) -> Json:
    commitment = view(chain, params.config(1))
    mint = chain.account(params.key(0), commitment)
    if mint is None or not tokens.is_mint(mint):
        raise invalid_params("not a Token mint")
    return in_context(chain, commitment, tokens.ui_amount(tokens.supply(mint), tokens.decimals(mint)))


def get_token_accounts_by_owner(chain: Chain, params: Params) -> Json:
    config = params.config(2)
    commitment = view(chain, config)
    owner, wanted = bytes(params.key(0)), params.config(1).values
    mint = as_key(wanted["mint"]) if "mint" in wanted else None
    if mint is None and as_key(wanted.get("programId")) != tokens.TOKEN_PROGRAM:
        raise invalid_params("unrecognized Token program id")
    form = AccountForm(chain, config, commitment)
    found = []
    for key, account in chain.accounts.owned_by(tokens.TOKEN_PROGRAM, chain.at(commitment).slot):
        held = tokens.holding(account)
        if held is not None and held[1] == owner and mint in (None, Pubkey(held[0])):
            found.append({"pubkey": str(key), "account": form.json(account)})
    return in_context(chain, commitment, found)


def _decimals(chain: Chain, mint: Pubkey, commitment: Commitment) -> int:
    account = chain.account(mint, commitment)
    if account is None or not tokens.is_mint(account):
        raise invalid_params("could not find mint")
    return tokens.decimals(account)


METHODS: dict[str, Method] = {
    "getTokenAccountBalance": get_token_account_balance,
    "getTokenSupply": get_token_supply,
    "getTokenAccountsByOwner": get_token_accounts_by_owner,
}
