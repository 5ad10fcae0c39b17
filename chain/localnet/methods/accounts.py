"""Methods that read accounts."""

from typing import Any

from solders.account import Account

from chain import base58
from chain.localnet import tokens
from chain.localnet.chain import Chain
from chain.localnet.encoding import AccountForm
from chain.localnet.errors import invalid_params
from chain.localnet.methods.method import Method, in_context, view
from chain.localnet.params import Config, Json, Params, as_bytes, as_key, as_number

MAX_ACCOUNTS, MAX_FILTERS = 100, 4
MAX_ACCOUNT_BYTES = 10 * 1024 * 1024


def get_account_info(chain: Chain, params: Params) -> Json:
    config = params.config(1)
    commitment = view(chain, config)
    account = chain.account(params.key(0), commitment)
    return in_context(chain, commitment, AccountForm(chain, config, commitment).json(account))


def get_multiple_accounts(chain: Chain, params: Params) -> Json:
    config = params.config(1)
    commitment = view(chain, config)
    form = AccountForm(chain, config, commitment)
    keys = [as_key(text) for text in params.items(0, MAX_ACCOUNTS)]
    return in_context(chain, commitment, [form.json(chain.account(key, commitment)) for key in keys])


def get_program_accounts(chain: Chain, params: Params) -> Any:
    config = params.config(1)
    commitment = view(chain, config)
    filters = [Filter(one) for one in config.items("filters")]
    if len(filters) > MAX_FILTERS:
        raise invalid_params(f"Too many filters provided; max {MAX_FILTERS}")
    form = AccountForm(chain, config, commitment)
    found = [
        {"pubkey": str(key), "account": form.json(account)}
        for key, account in chain.accounts.owned_by(params.key(0), chain.at(commitment).slot)
        if all(one.admits(account) for one in filters)
    ]
    return in_context(chain, commitment, found) if config.flag("withContext") else found


def get_balance(chain: Chain, params: Params) -> Json:
    commitment = view(chain, params.config(1))
    account = chain.account(params.key(0), commitment)
    return in_context(chain, commitment, account.lamports if account else 0)


def get_minimum_balance_for_rent_exemption(chain: Chain, params: Params) -> int:
    size = params.number(0)
    if size > MAX_ACCOUNT_BYTES:
        raise invalid_params(f"an account has at most {MAX_ACCOUNT_BYTES} bytes")
    return chain.bank.svm.minimum_balance_for_rent_exemption(size)


class Filter:
    """One of memcmp, dataSize and tokenAccountState; malformed ones are refused when they are made."""

    def __init__(self, values: Any) -> None:
        self._token = values == "tokenAccountState"
        config = Config(None if self._token else values)
        self._size = config.number("dataSize")
        self._offset, self._bytes = 0, b""
        comparison = config.inner("memcmp")
        if comparison is not None:
            self._offset = as_number(comparison.values.get("offset"), "offset")
            self._bytes = _comparand(comparison)
        if comparison is None and self._size is None and not self._token:
            raise invalid_params("unknown filter")

    def admits(self, account: Account) -> bool:
        if self._token and not tokens.is_token_account(account):
            return False
        if self._size is not None and len(account.data) != self._size:
            return False
        return bytes(account.data)[self._offset : self._offset + len(self._bytes)] == self._bytes


def _comparand(comparison: Config) -> bytes:
    value = comparison.values.get("bytes")
    if isinstance(value, list):
        return bytes(as_number(one, "bytes") & 255 for one in value)
    if not isinstance(value, str):
        raise invalid_params("bytes must be a string")
    encoding = comparison.text("encoding", "base58", among=("base58", "base64"))
    if len(value) > 200:
        raise invalid_params("encoded bytes too large")
    return as_bytes(value, encoding) if encoding == "base64" else base58.decode(value) or as_bytes(value, encoding)


METHODS: dict[str, Method] = {
    "getAccountInfo": get_account_info,
    "getMultipleAccounts": get_multiple_accounts,
    "getProgramAccounts": get_program_accounts,
    "getBalance": get_balance,
    "getMinimumBalanceForRentExemption": get_minimum_balance_for_rent_exemption,
}
