"""Staff's view of accounts, markets, orders and the journal: read-only, but for actions that call services."""

from trading.admin import accounts, journal, markets, orders

__all__ = ["accounts", "journal", "markets", "orders"]
