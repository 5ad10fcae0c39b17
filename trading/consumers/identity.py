"""Who speaks on a socket."""

from typing import NamedTuple

from asgiref.sync import sync_to_async
from django.db import close_old_connections

from accounts import api_auth, selectors
from accounts.models import User
from markets.errors import DomainError
from trading.consumers.protocol import Auth

PATH = "/ws/v1/"


class NotAuthenticated(DomainError):
    code = "NOT_AUTHENTICATED"
    status = 401
    message = "This needs a login, or the auth request with an API key."


class Identity(NamedTuple):
    """`account_id` is the one that orders are for; `readable` those whose private channel may be watched."""

    account_id: int
    readable: frozenset[int]
    can_trade: bool
    payer: str  # whose rate order entry is charged to, as in accounts.api.rates
    key_id: str = ""
    session_key: str = ""


async def of_session(user: User, session_key: str) -> Identity | None:
    """Return what a logged-in person may do; None for one without an account, such as staff."""
    active, account_ids = await sync_to_async(_account_ids, thread_sensitive=False)(user)
    return Identity(active, account_ids, True, f"user:{user.pk}", session_key=session_key) if account_ids else None


async def of_key(said: Auth) -> Identity:
    """Return what an API key allows; the errors of accounts.api_auth say why a signature is refused."""
    headers = {
        api_auth.KEY: said.key,
        api_auth.TIMESTAMP: str(said.timestamp),
        api_auth.RECV_WINDOW: str(said.recv_window),
        api_auth.SIGN: said.sign,
    }
    principal = await api_auth.averify(headers, "GET", PATH, b"")
    own = principal.account_id
    return Identity(own, frozenset({own}), principal.can_trade, f"account:{own}", key_id=principal.key_id)


def _account_ids(user: User) -> tuple[int, frozenset[int]]:
    """Return the active account and all of a person's; 0 and none without an account."""
    close_old_connections()
    try:
        own = frozenset(account.id for account in selectors.accounts_of(user))
        return (selectors.default_account(user).id, own) if own else (0, own)
    finally:
        close_old_connections()
