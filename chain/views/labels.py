"""Who holds a person's accounts: QuantDesk, or a wallet of theirs."""

from collections.abc import Iterable
from dataclasses import dataclass

from accounts.models import Account, User
from accounts.selectors import accounts_of, default_account
from chain.custody.models import ChainAccount

CUSTODIED = "custodied by QuantDesk"
ENDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLabel:
    """An account as its owner tells it from the others. `wallet` is the address of the wallet that holds it, or empty."""

    id: int
    name: str
    wallet: str
    active: bool

    @property
    def key(self) -> str:
        return str(self.id)

    @property
    def custody(self) -> str:
        return f"your wallet {short_address(self.wallet)}" if self.wallet else CUSTODIED


def labels_of(user: User) -> list[AccountLabel]:
    """Return all accounts of a person, one of them active."""
    accounts = accounts_of(user)
    if not accounts:
        return []
    active = default_account(user).id
    wallets = wallets_of(accounts)
    return [
        AccountLabel(id=account.id, name=account.name, wallet=wallets.get(account.id, ""), active=account.id == active)
        for account in accounts
    ]


def wallets_of(accounts: Iterable[Account]) -> dict[int, str]:
    """Return the wallets' addresses of those accounts that wallets hold."""
    return dict(ChainAccount.objects.filter(account__in=accounts).values_list("account_id", "owner"))


def short_address(address: str) -> str:
    return f"{address[:ENDS]}…{address[-ENDS:]}"
