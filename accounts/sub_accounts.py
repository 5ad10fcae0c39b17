"""More accounts of one person: each has its own margin, orders and keys."""

from typing import Final

from django.db import transaction

from accounts.models import Account, User
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
    name = name.strip()
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise InvalidField("INVALID_NAME", f"name has 1 to {MAX_NAME} printable characters.", field="name", value=echo(name))
    with transaction.atomic():
        User.objects.select_for_update().get(id=user.pk)  # two requests at once do not exceed the limit
        names = set(Account.objects.for_user(user).values_list("name", flat=True))
        if name in names:
            raise AccountNameTaken(name)
        if len(names) >= MAX_ACCOUNTS:
            raise TooManyAccounts(limit=MAX_ACCOUNTS)
        account = Account.objects.create(owner=user, name=name)
        # Before the commit: without the engine there is no half-made account.
        reply = gateway().submit(OpenAccount(account_id=account.id))
        if reply.reject is not None:
            raise Refused(reply.reject)
    return account
