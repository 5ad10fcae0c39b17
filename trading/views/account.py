"""Whose account a page shows, and its figures as the engine has them."""

from typing import Any

from django.http import HttpRequest

from accounts.models import User
from accounts.selectors import AccountNotFound
from accounts.shown import shown_account
from markets.cards import max_leverage
from markets.commands import MarginMode
from markets.gateway import gateway
from markets.parameters import MarketParameters
from markets.queries import GetAccount
from markets.selectors import parameters_by_id
from markets.views import AccountView
from trading.engine.state import DEFAULT_LEVERAGE
from trading.views import rows


def account_id_of(request: HttpRequest) -> int:
    """Return the number of the visitor's account; AccountNotFound when there is none."""
    return shown_account(request).id


def account_view(request: HttpRequest) -> AccountView | None:
    """Return the visitor's account, None for a visitor without one."""
    if not isinstance(request.user, User):
        return None
    try:
        return gateway().query(GetAccount(account_id=account_id_of(request)))
    except AccountNotFound:
        return None


def leverage_in(account: AccountView | None, market: MarketParameters) -> int:
    """Return the leverage that an account's position in a market is margined at."""
    chosen = account.leverage.get(market.market_id, 0) if account else 0
    return chosen or min(DEFAULT_LEVERAGE, max_leverage(market))


def mode_in(account: AccountView | None, market: MarketParameters) -> MarginMode:
    """Return how an account's position in a market is margined."""
    return "isolated" if account and market.market_id in account.isolated_atoms else "cross"


def account_context(account: AccountView | None) -> dict[str, Any]:
    """Return what the account panel, the ticket's foot and the top bar show."""
    if account is None:
        return {"account": None, "self_custody": False, "positions": [], "orders": [], "balances": []}
    markets = parameters_by_id()
    return {
        "account": rows.account_card(account),
        "self_custody": account.self_custody,
        "positions": rows.position_rows(account, markets),
        "orders": rows.order_rows(account, markets),
        "balances": rows.balance_rows(account),
    }
