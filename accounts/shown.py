"""Which account a person's page is about: the one that it shows, also after another was chosen in another tab."""

from django.http import HttpRequest

from accounts.models import Account, User
from accounts.selectors import AccountNotFound, account_of
from markets.fields import echo

HEADER = "X-QD-Account"
MAX_DIGITS = 18


def shown_account_id(request: HttpRequest) -> int | None:
    """Return the account that the request says its page shows; None when it says nothing."""
    said = request.headers.get(HEADER, "")
    if not said:
        return None
    if not (said.isascii() and said.isdigit() and len(said) <= MAX_DIGITS):
        raise AccountNotFound(account_id=echo(said))
    return int(said)


def shown_account(request: HttpRequest) -> Account:
    """Return the account of the visitor's page, else the active one; AccountNotFound when there is none."""
    if not isinstance(request.user, User):
        raise AccountNotFound("Log in to trade.")
    return account_of(request.user, shown_account_id(request))
