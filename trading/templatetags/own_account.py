"""The visitor's account for the top bar of pages that are not the trade page."""

from typing import Any

from django import template

from markets.errors import GatewayError
from trading.views.account import account_view
from trading.views.rows import AccountCard, account_card

register = template.Library()


@register.simple_tag(takes_context=True)
def own_account(context: dict[str, Any]) -> AccountCard | None:
    """Return the account's figures, None for a visitor without one; without an engine the page does without them."""
    try:
        account = account_view(context["request"])
    except GatewayError:
        return None
    return account_card(account) if account else None
