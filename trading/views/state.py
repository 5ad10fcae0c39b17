"""What the page's scripts start from, in the same shapes as the feed's."""

import time
from typing import Any

from markets import figures
from markets.cards import lot_size, max_leverage, price_source, tick_size
from markets.models import Trade
from markets.parameters import MarketParameters
from markets.selectors import parameters_by_id
from markets.stamps import ms
from markets.views import AccountView, BookView, MarketView
from trading import representations
from trading.views.account import leverage_in
from trading.views.signing import signing_state

TRADES = 50


def page_state(view: MarketView, book: BookView | None, account: AccountView | None) -> dict[str, Any]:
    market = view.parameters
    return {
        "market": _market(view),
        "ticker": _ticker(view),
        "account_id": account.account_id if account else None,
        "account": representations.account(account, parameters_by_id()) if account else None,
        "leverage": leverage_in(account, market),
        "signing": signing_state(account),
        "book": {"seq": book.seq, "bids": book.bids, "asks": book.asks} if book else None,
        "trades": _trades(market),
        "socket_path": "/ws/v1/",
        "server_ms": time.time_ns() // 1_000_000,
        "urls": {"candles": f"/api/v1/markets/{market.symbol}/candles/", "trade": "/trade/"},
    }


def _market(view: MarketView) -> dict[str, Any]:
    market = view.parameters
    return {
        "symbol": market.symbol,
        "base_asset": market.base_asset,
        "market_id": market.market_id,
        "tick_size": tick_size(market),
        "lot_size": lot_size(market),
        "tick_e8": market.tick_e8,
        "lot_e8": market.lot_e8,
        "price_decimals": figures.places(market.tick_e8),
        "size_decimals": figures.places(market.lot_e8),
        "min_notional": representations.atoms_text(market.min_notional_atoms),
        "taker_fee_ppm": market.taker_fee_ppm,
        "maker_fee_ppm": market.maker_fee_ppm,
        "market_slippage_ppm": market.market_slippage_ppm,
        "max_leverage": max_leverage(market),
        "status": view.status,
    }


def _ticker(view: MarketView) -> dict[str, Any]:
    """Return the feed's ticker but for the day's figures, which the feed sends within half a second."""
    market = view.parameters
    return {
        "market": market.symbol,
        "status": view.status,
        "mark_price": representations.price_text(view.mark_ticks, market),
        "index_price": representations.e8_text(view.index_e8),
        "oracle_state": view.oracle_state,
        "price_source": price_source(view),
        "last_price": representations.price_text(view.last_ticks, market),
        "best_bid": representations.price_text(view.best_bid_ticks, market),
        "best_ask": representations.price_text(view.best_ask_ticks, market),
        "open_interest": representations.size_text(view.open_interest_lots, market),
        "funding_rate": representations.rate_text(view.predicted_funding_ppb),
        "next_funding_ms": view.next_funding_ms,
    }


def _trades(market: MarketParameters) -> list[dict[str, Any]]:
    newest = Trade.objects.filter(market_id=market.market_id).order_by("-id")[:TRADES]
    return [
        {
            "trade_id": str(trade.id),
            "price": representations.price_text(trade.price_ticks, market),
            "size": representations.size_text(trade.size_lots, market),
            "side": trade.taker_side,
            "kind": trade.kind,
            "time_ms": ms(trade.executed_at),
        }
        for trade in reversed(newest)
    ]
