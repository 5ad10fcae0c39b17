"""The seed's markets as the engine shows them, with a price."""

import time

from markets.events import SourceReading
from markets.parameters import MarketParameters
from markets.seed import MARKETS
from markets.views import IndexView, MarketView

E8 = 10**8


def view(parameters: MarketParameters, *, price: int = 100, state: str = "valid", age_s: int = 0, source: str = "simulation") -> MarketView:
    published_ms = int((time.time() - age_s) * 1_000)
    price_e8 = price * E8
    reading = SourceReading(source, price_e8, price_e8 // 10_000, published_ms, "counted" if state in {"valid", "single"} else "too_old")
    index = IndexView(
        index_id=parameters.market_id,
        asset=parameters.base_asset,
        state=state,
        price_e8=price_e8,
        confidence_e8=price_e8 // 10_000,
        stable_e8=price_e8,
        halt_reason="",
        recovering=False,
        max_age_ms=60_000,
        readings=(reading,),
    )
    return MarketView(
        parameters=parameters,
        status="normal",
        mark_ticks=price_e8 // parameters.tick_e8,
        index_e8=price_e8,
        oracle_state=state,
        oracle_sources=(),
        last_ticks=0,
        best_bid_ticks=0,
        best_ask_ticks=0,
        open_interest_lots=0,
        predicted_funding_ppb=0,
        next_funding_ms=0,
        index=index,
    )


def views(*, price: int = 100, count: int = len(MARKETS), **facts: object) -> list[MarketView]:
    return [view(parameters, price=price, **facts) for parameters in MARKETS[:count]]  # type: ignore[arg-type]
