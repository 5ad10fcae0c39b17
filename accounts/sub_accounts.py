"""More accounts of one person: each has its own margin, orders and keys."""

from typing import Final

from django.db import transaction

from accounts.models import Account, User
from accounts.numbers import check_custodied
from accounts.selectors import account_of
from markets.commands import OpenAccount
from markets.errors import DomainError, Refused
from markets.fields import InvalidField, echo
from markets.gateway import gateway

MAX_ACCOUNTS: Final = 10
MAX_NAME: Final = 40


class TooManyAccounts(DomainError):
    code = "TOO_MANY_ACCOUNTS"
    status = 409
    message = "A person has at most so many accounts."


class AccountNameTaken(InvalidField):
    def __init__(self, name: str) -> None:
        super().__init__("ACCOUNT_NAME_TAKEN", "You have an account of this name.", field="name", value=echo(name))


def account_open(*, user: User, name: str) -> Account:
    """Open one more account for a person, without money."""
    name = _checked(name)
    with transaction.atomic():
        names = _names(user)
        if name in names:
            raise AccountNameTaken(name)
        if len(names) >= MAX_ACCOUNTS:
            raise TooManyAccounts(limit=MAX_ACCOUNTS)
        account = Account.objects.create(owner=user, name=name)
        check_custodied(account.id)
        # Before the commit: without the engine there is no half-made account.
        reply = gateway().submit(OpenAccount(account_id=account.id))
        if reply.reject is not None:
            raise Refused(reply.reject)
    return account


def account_rename(*, user: User, account_id: int, name: str) -> Account:
    """Give one of a person's accounts another name."""
    name = _checked(name)
    with transaction.atomic():
        taken = name in _names(user)
        account = account_of(user, account_id)
        if taken and account.name != name:
            raise AccountNameTaken(name)
        account.name = name
        account.save(update_fields=["name"])
    return account


def account_select(*, user: User, account_id: int) -> Account:
    """Make one of a person's accounts the active one, on every page and device."""
    account = account_of(user, account_id)
    User.objects.filter(pk=user.pk).update(active_account=account)
    return account


def _checked(name: str) -> str:
    name = name.strip()
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise InvalidField("INVALID_NAME", f"name has 1 to {MAX_NAME} printable characters.", field="name", value=echo(name))
    return name


def _names(user: User) -> set[str]:
    """Return the names of a person's accounts, which nobody changes until the transaction ends."""
    User.objects.select_for_update().get(id=user.pk)  # two requests at once do not exceed the limit
    return set(Account.objects.for_user(user).values_list("name", flat=True))
