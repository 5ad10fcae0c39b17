"""Whose account is whose. Another's account is not found, as if it did not exist."""

from accounts.models import Account, ApiKey, User
from markets.errors import DomainError


class AccountNotFound(DomainError):
    code = "ACCOUNT_NOT_FOUND"
    status = 404
    message = "There is no such account."


def accounts_of(user: User) -> list[Account]:
    return list(Account.objects.for_user(user).order_by("id"))


def default_account(user: User) -> Account:
    """Return the account that the user has chosen to work with, else the first."""
    chosen = user.active_account_id
    own = Account.objects.for_user(user)
    account = (own.filter(id=chosen).first() if chosen else None) or own.order_by("id").first()
    if account is None:
        raise AccountNotFound("You have no trading account.")
    return account


def account_of(user: User, account_id: int | None) -> Account:
    """Return the user's account of that number, or the active one when none is asked for."""
    if account_id is None:
        return default_account(user)
    account = Account.objects.for_user(user).filter(id=account_id).first()
    if account is None:
        raise AccountNotFound(account_id=account_id)
    return account


def api_keys_of(user: User) -> list[ApiKey]:
    """Return the keys of all of a user's accounts that were not revoked, newest first."""
    return list(ApiKey.objects.filter(account__owner=user, revoked_at=None).select_related("account").order_by("-created_at", "key_id"))
