"""Which type answers which query."""

from typing import Any

import msgspec

from markets import queries
from markets.assets import RiskParameters
from markets.views import (
    AccountView,
    BookView,
    CollateralAssetView,
    DeleveragingPlace,
    Exposure,
    IndexView,
    MarginExplanation,
    MarginPreview,
    MarketView,
    OrderView,
    Preview,
    StateView,
)

_DECODERS: dict[type[queries.Query], msgspec.msgpack.Decoder[Any]] = {
    queries.GetAccount: msgspec.msgpack.Decoder(AccountView | None),
    queries.GetOrder: msgspec.msgpack.Decoder(OrderView | None),
    queries.GetMarkets: msgspec.msgpack.Decoder(list[MarketView]),
    queries.GetBook: msgspec.msgpack.Decoder(BookView | None),
    queries.PreviewOrder: msgspec.msgpack.Decoder(Preview | None),
    queries.GetCommittedSeq: msgspec.msgpack.Decoder(int),
    queries.GetState: msgspec.msgpack.Decoder(StateView),
    queries.ExplainMargin: msgspec.msgpack.Decoder(MarginExplanation | None),
    queries.PreviewMargin: msgspec.msgpack.Decoder(MarginPreview | None),
    queries.GetExposures: msgspec.msgpack.Decoder(list[Exposure]),
    queries.GetIndices: msgspec.msgpack.Decoder(list[IndexView]),
    queries.GetRiskParameters: msgspec.msgpack.Decoder(RiskParameters),
    queries.GetAssets: msgspec.msgpack.Decoder(list[CollateralAssetView]),
    queries.GetDeleveraging: msgspec.msgpack.Decoder(list[DeleveragingPlace]),
}


def decode(query: queries.Query, answer: msgspec.Raw) -> Any:
    return _DECODERS[type(query)].decode(answer)
