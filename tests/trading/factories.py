"""Events as the engine would say them, with the fields that a test does not care about filled in."""

from typing import Any

import msgspec

from markets.commands import PlaceOrder, Side
from markets.events import Event, MarkChanged, OrderAccepted, OrderAmended, OrderCancelled, OrderFilled
from markets.parameters import MarginTier, MarketParameters
from markets.views import AccountView, MarketView

ALICE, BOB, CHARLIE = 1000, 1001, 1002
BTC = MarketParameters(
    market_id=1, symbol="BTC-PERP", base_asset="BTC", tick_e8=10_000_000, lot_e8=10_000, tiers=(MarginTier(0, 5_000, 0, 100),)
)
ETH = msgspec.structs.replace(BTC, market_id=2, symbol="ETH-PERP", base_asset="ETH", tick_e8=1_000_000, lot_e8=100_000)
NOON_MS = 1_795_435_200_000  # 2026-11-23 12:00 UTC


def market_view(parameters: MarketParameters = BTC, **fields: Any) -> MarketView:
    view = MarketView(
        parameters=parameters,
        status="normal",
        mark_ticks=600_000,
        index_e8=6_000_000_000_000,
        oracle_state="valid",
        oracle_sources=(("pyth", 6_000_000_000_000, NOON_MS),),
        last_ticks=0,
        best_bid_ticks=0,
        best_ask_ticks=0,
        open_interest_lots=0,
        predicted_funding_ppb=12_500,
        next_funding_ms=NOON_MS + 3_600_000,
    )
    return msgspec.structs.replace(view, **fields)


def account_view(account_id: int = ALICE, seq: int = 1, **fields: Any) -> AccountView:
    view = AccountView(
        account_id=account_id,
        seq=seq,
        balances={"USDC": 10_000_000_000},
        equity_atoms=10_000_000_000,
        unrealised_atoms=0,
        initial_margin_atoms=0,
        order_margin_atoms=0,
        maintenance_margin_atoms=0,
        available_atoms=10_000_000_000,
        withdrawable_atoms=10_000_000_000,
        positions=(),
        orders=(),
        leverage={},
        dead_mans_switch_ms=0,
    )
    return msgspec.structs.replace(view, **fields)


def accepted(order_id: int, account_id: int = ALICE, **fields: Any) -> OrderAccepted:
    status = fields.pop("status", "open")
    asked: dict[str, Any] = {
        "account_id": account_id,
        "market_id": BTC.market_id,
        "side": "buy",
        "type": "limit",
        "size_lots": 10,
        "price_ticks": 600_000,
        "client_order_id": f"qd-{order_id}",
    }
    order = PlaceOrder(**(asked | fields))
    return OrderAccepted(order_id=order_id, order=order, price_ticks=order.price_ticks, size_lots=order.size_lots, status=status)


def filled(trade_id: int, **fields: Any) -> OrderFilled:
    """Bob, with order 2, takes ten lots that Alice offers with order 1, unless told otherwise."""
    usual: dict[str, Any] = {
        "market_id": BTC.market_id,
        "price_ticks": 600_000,
        "size_lots": 10,
        "taker_side": "buy",
        "taker_order_id": 2,
        "taker_account_id": BOB,
        "maker_order_id": 1,
        "maker_account_id": ALICE,
        "taker_fee_atoms": 27_000,
        "maker_fee_atoms": 9_000,
        "taker_pnl_atoms": 0,
        "maker_pnl_atoms": 0,
        "taker_position_lots": 10,
        "taker_cost_atoms": 60_000_000,
        "maker_position_lots": -10,
        "maker_cost_atoms": -60_000_000,
    }
    return OrderFilled(trade_id=trade_id, **(usual | fields))


def cancelled(order_id: int, account_id: int = ALICE, **fields: Any) -> OrderCancelled:
    usual: dict[str, Any] = {"market_id": BTC.market_id, "reason": "user"}
    return OrderCancelled(order_id=order_id, account_id=account_id, **(usual | fields))


def amended(order_id: int, account_id: int = ALICE, **fields: Any) -> OrderAmended:
    usual = {"market_id": BTC.market_id, "price_ticks": 600_000, "size_lots": 10, "trigger_ticks": 0}
    return OrderAmended(order_id=order_id, account_id=account_id, **(usual | fields))


def mark(mark_ticks: int = 600_100, **fields: Any) -> MarkChanged:
    usual: dict[str, Any] = {
        "market_id": BTC.market_id,
        "index_e8": mark_ticks * BTC.tick_e8,
        "state": "valid",
        "predicted_funding_ppb": 12_500,
        "sources": ("pyth", "coingecko"),
    }
    return MarkChanged(mark_ticks=mark_ticks, **(usual | fields))


class Outcome(msgspec.Struct, kw_only=True):
    """A batch's outcome, as the engine's."""

    events: list[Event] = []
    book_changes: dict[int, dict[tuple[Side, int], int]] = {}
    accounts: set[int] = set()
