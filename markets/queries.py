"""What the engine can be asked. Answered in order with the commands of a batch, and not before that batch is durable."""

import msgspec

from markets.commands import PlaceOrder


class Query(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag=True):
    """A question about committed state; the class after the arrow in each docstring is the answer's."""


class GetAccount(Query, frozen=True, kw_only=True, array_like=True, tag=True):
    """-> AccountView, or None when there is no such account."""

    account_id: int


class GetOrder(Query, frozen=True, kw_only=True, array_like=True, tag=True):
    """-> OrderView | None: among open, waiting and recently ended orders."""

    account_id: int
    order_id: int = 0
    client_order_id: str = ""


class GetMarkets(Query, frozen=True, kw_only=True, array_like=True, tag=True):
    """-> list[MarketView], by market id."""


class GetBook(Query, frozen=True, kw_only=True, array_like=True, tag=True):
    """-> BookView | None."""

    market_id: int
    depth: int = 50


class PreviewOrder(Query, frozen=True, kw_only=True, array_like=True, tag=True):
    """-> Preview | None."""

    order: PlaceOrder


class GetCommittedSeq(Query, frozen=True, kw_only=True, array_like=True, tag=True):
    """-> int: the journal sequence of the last batch that touched the account (0 = the whole journal)."""

    account_id: int = 0


class GetState(Query, frozen=True, kw_only=True, array_like=True, tag=True):
    """-> StateView. Hashing walks the whole state: for operators and tests."""


AnyQuery = GetAccount | GetOrder | GetMarkets | GetBook | PreviewOrder | GetCommittedSeq | GetState
