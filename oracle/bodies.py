"""What the API and the socket say of a price: decimal strings, null where there is none."""

from decimal import Decimal
from typing import Any

from markets.events import SourceReading
from markets.views import IndexView


def index(view: IndexView, symbol: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "asset": view.asset,
        "state": view.state,
        "price": price(view.price_e8),
        "confidence": text(view.confidence_e8) if view.price_e8 else None,
        "stable_price": price(view.stable_e8),
        "recovering": view.recovering,
        "halt_reason": view.halt_reason,
        "max_age_ms": view.max_age_ms,
        "sources": [source(reading) for reading in view.readings],
    }


def source(reading: SourceReading) -> dict[str, Any]:
    known = reading.published_ms > 0
    return {
        "source": reading.source,
        "price": price(reading.price_e8),
        "confidence": text(reading.confidence_e8) if known else None,
        "published_ms": reading.published_ms if known else None,
        "verdict": reading.verdict,
    }


def price(price_e8: int) -> str | None:
    return text(price_e8) if price_e8 else None


def text(number_e8: int) -> str:
    return format(Decimal(number_e8).scaleb(-8), "f")
