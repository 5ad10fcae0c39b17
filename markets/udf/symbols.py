"""Markets as TradingView's client describes them."""

from typing import Any

from markets import selectors, units
from markets.errors import DomainError
from markets.parameters import MarketParameters
from markets.udf.schemas import RESOLUTIONS
from markets.views import MarketView

EXCHANGE = "QUANTDESK"
TYPE = "crypto"
INTRADAY = [resolution for resolution in RESOLUTIONS if resolution.isdigit()]


class UnknownSymbol(DomainError):
    """The text is what the client looks for."""

    code = "UNKNOWN_SYMBOL"
    status = 404
    message = "unknown_symbol"


def config() -> dict[str, Any]:
    return {
        "supports_search": True,
        "supports_group_request": False,
        "supports_marks": True,
        "supports_timescale_marks": True,
        "supports_time": True,
        "supported_resolutions": list(RESOLUTIONS),
        "exchanges": [{"value": "", "name": "All exchanges", "desc": ""}, {"value": EXCHANGE, "name": "QuantDesk", "desc": "QuantDesk"}],
        "symbols_types": [{"name": "All types", "value": ""}, {"name": "Perpetual futures", "value": TYPE}],
    }


def found(name: str) -> MarketView:
    """Return the market that a symbol, a ticker or EXCHANGE:SYMBOL names, in any case."""
    wanted = name.upper().removeprefix(f"{EXCHANGE}:")
    for view in selectors.markets():
        if view.parameters.symbol.upper() == wanted:
            return view
    raise UnknownSymbol(symbol=name[:64])


def symbol_info(market: MarketParameters) -> dict[str, Any]:
    """Return a market's description. minmov / pricescale is its tick; there must be no key `s` in it."""
    places = units.places(market.tick_e8)
    return {
        "name": market.symbol,
        "ticker": market.symbol,
        "full_name": f"{EXCHANGE}:{market.symbol}",
        "description": _description(market),
        "type": TYPE,
        "session": "24x7",
        "timezone": "Etc/UTC",
        "exchange": EXCHANGE,
        "listed_exchange": EXCHANGE,
        "minmov": market.tick_e8 // 10 ** (8 - places),
        "pricescale": 10**places,
        "minmove2": 0,
        "has_intraday": True,
        "intraday_multipliers": INTRADAY,
        "has_daily": True,
        "daily_multipliers": ["1"],
        "has_weekly_and_monthly": True,
        "weekly_multipliers": ["1"],
        "monthly_multipliers": [],
        "supported_resolutions": list(RESOLUTIONS),
        "visible_plots_set": "ohlcv",
        "volume_precision": units.places(market.lot_e8),
        "data_status": "streaming",
        "currency_code": "USDC",
        "format": "price",
    }


def search(query: str, *, type_: str, exchange: str, limit: int) -> list[dict[str, Any]]:
    """Return the markets that are open and whose name or asset holds the words, those that begin with them first."""
    if type_ not in ("", TYPE) or exchange.upper() not in ("", EXCHANGE):
        return []
    wanted = query.strip().upper().removeprefix(f"{EXCHANGE}:")
    markets = [view.parameters for view in selectors.markets() if view.status != "delisted"]
    hits = [market for market in markets if wanted in f"{market.symbol} {market.base_asset}".upper()]
    hits.sort(key=lambda market: (not market.symbol.upper().startswith(wanted), market.market_id))
    return [
        {
            "symbol": market.symbol,
            "full_name": f"{EXCHANGE}:{market.symbol}",
            "description": _description(market),
            "exchange": EXCHANGE,
            "ticker": market.symbol,
            "type": TYPE,
        }
        for market in hits[:limit]
    ]


def _description(market: MarketParameters) -> str:
    return f"{market.base_asset} / USDC perpetual"
