"""The visitor's accounts, for the frame of every page."""

from typing import Any

from django import template

from accounts.models import User
from chain.deployment import chain_is_on
from chain.views.labels import AccountLabel, labels_of, short_address

register = template.Library()
register.filter("short_address", short_address)


register.simple_tag(chain_is_on, name="has_wallets")


@register.simple_tag(takes_context=True)
def own_accounts(context: dict[str, Any]) -> list[AccountLabel]:
    """Return the visitor's accounts; none for strangers, staff and pages without a request."""
    user = getattr(context.get("request"), "user", None)
    return labels_of(user) if isinstance(user, User) else []


@register.simple_tag
def active_account(accounts: list[AccountLabel]) -> AccountLabel | None:
    """Return which of the accounts the page is about."""
    return next((account for account in accounts if account.active), None)
