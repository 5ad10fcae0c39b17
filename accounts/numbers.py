"""Account numbers. A custodied account's number is its place on chain, where numbers end; wallets' accounts have a range of their own."""

from typing import Final

from django.conf import settings
from django.db import connection
from django.db.models import Max

from accounts.models import Account
from markets.errors import DomainError
from markets.ledger import FIRST_WALLET_ACCOUNT, MAX_CUSTODIED_ACCOUNT

LOCK: Final = 0x57414C4C


class NoMoreAccounts(DomainError):
    code = "NO_MORE_ACCOUNTS"
    status = 503
    message = "No further account that the exchange keeps can be opened; one of your own wallet can."


def has_chain() -> bool:
    """Tell whether this exchange settles on a chain."""
    return (settings.CHAIN_DIR / "deployment.json").exists()


def check_custodied(account_id: int) -> None:
    """Raise NoMoreAccounts for a number that has no place on chain, before the engine hears of it."""
    if account_id > MAX_CUSTODIED_ACCOUNT and has_chain():
        raise NoMoreAccounts(limit=MAX_CUSTODIED_ACCOUNT)


def is_wallets(account_id: int) -> bool:
    return account_id >= FIRST_WALLET_ACCOUNT


def next_wallet_number() -> int:
    """Return the next wallet's number; until the caller's transaction ends nobody else gets one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    last = Account.objects.filter(id__gte=FIRST_WALLET_ACCOUNT).aggregate(last=Max("id"))["last"]
    return FIRST_WALLET_ACCOUNT if last is None else last + 1
