"""Which account a person's page is about: the one that it shows, also after another was chosen in another tab."""

from django.http import HttpRequest

from accounts.models import Account, User
from accounts.selectors import AccountNotFound, account_of
from markets.fields import echo, whole_number

HEADER = "X-QD-Account"


def shown_account_id(request: HttpRequest) -> int | None:
    """Return the account that the request says its page shows; None when it says nothing."""
    said = request.headers.get(HEADER, "")
    if not said:
        return None
    account_id = whole_number(said)
    if account_id is None:
        raise AccountNotFound(account_id=echo(said))
    return account_id


def shown_account(request: HttpRequest) -> Account:
    """Return the account of the visitor's page, else the active one; AccountNotFound when there is none."""
    if not isinstance(request.user, User):
        raise AccountNotFound("Log in to trade.")
    return account_of(request.user, shown_account_id(request))
