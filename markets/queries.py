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


class ExplainMargin(Query, frozen=True, kw_only=True, array_like=True, tag=True):
    """-> MarginExplanation | None: the terms of every figure of an account's margin."""

    account_id: int


class PreviewMargin(Query, frozen=True, kw_only=True, array_like=True, tag=True):
    """-> MarginPreview | None: the same figures before and after all of this is tried, in this order, on a copy.

    `leverages` and `isolated_atoms` are by market, the latter signed as in MoveIsolatedMargin; `moves_ppm` change prices by index.
    """

    account_id: int
    leverages: dict[int, int] = {}
    isolated_atoms: dict[int, int] = {}
    order: PlaceOrder | None = None
    moves_ppm: dict[int, int] = {}


class GetExposures(Query, frozen=True, kw_only=True, array_like=True, tag=True):
    """-> list[Exposure]: the margin pools with positions or collateral of the accounts numbered from first to last, both included."""

    first_account_id: int
    last_account_id: int


class GetIndices(Query, frozen=True, kw_only=True, array_like=True, tag=True):
    """-> list[IndexView], by index id: the markets' and those of collateral assets without a market."""


class GetAssets(Query, frozen=True, kw_only=True, array_like=True, tag=True):
    """-> list[CollateralAssetView], by name."""


class GetRiskParameters(Query, frozen=True, kw_only=True, array_like=True, tag=True):
    """-> RiskParameters: the exchange-wide limits."""


class GetDeleveraging(Query, frozen=True, kw_only=True, array_like=True, tag=True):
    """-> list[DeleveragingPlace]: by market, how an account's positions stand should the other side have to be deleveraged."""

    account_id: int


AnyQuery = (
    GetAccount | GetOrder | GetMarkets | GetBook | PreviewOrder | GetCommittedSeq | GetState
    | ExplainMargin | PreviewMargin | GetExposures
    | GetIndices | GetAssets | GetRiskParameters
    | GetDeleveraging
)  # fmt: skip
