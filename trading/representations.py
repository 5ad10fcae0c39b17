"""The JSON shapes of private and public objects, the same from REST, the socket and the pages: decimal strings, symbols."""

import functools
from decimal import Decimal
from typing import Any, Protocol

from markets import units
from markets.events import ChainTradeBooked, OrderFilled
from markets.parameters import MarketParameters
from markets.views import AccountView, AssetView, OrderView, PositionView

E8_PLACES = 8
_ZEROS = ["0", *("0." + "0" * places for places in range(1, 19))]


def decimal_text(value: Decimal) -> str:
    return format(value, "f")


def atoms_text(atoms: int, asset: str = "USDC") -> str:
    return _fixed_text(atoms, units.ASSET_DECIMALS[asset])


def price_text(ticks: int, market: MarketParameters) -> str:
    return _units_text(ticks, market.tick_e8)


def size_text(lots: int, market: MarketParameters) -> str:
    return _units_text(lots, market.lot_e8)


@functools.cache
def _places(unit_e8: int) -> tuple[int, int]:
    """Return how many decimals a tick or lot has, and what is left of it when they are counted as whole."""
    places, unit = E8_PLACES, unit_e8
    while places and not unit % 10:
        places, unit = places - 1, unit // 10
    return places, unit


def _units_text(count: int, unit_e8: int) -> str:
    places, unit = _places(unit_e8)
    return _fixed_text(count * unit, places)


def _fixed_text(amount: int, places: int) -> str:
    """Write amount x 10^-places. Every order that is answered has eight of these: by integers they cost a third."""
    if not amount:
        return _ZEROS[places]
    if not places:
        return str(amount)
    digits = str(abs(amount)).rjust(places + 1, "0")
    return f"{'-' if amount < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def e8_text(price_e8: int) -> str:
    return decimal_text(Decimal(price_e8).scaleb(-8))


def rate_text(ppb: int) -> str:
    """A rate as a fraction: 100,000 ppb is 0.000100000."""
    return decimal_text(Decimal(ppb).scaleb(-9))


def average_price_text(quote_atoms: int, lots: int, market: MarketParameters) -> str:
    """The average price of a filled or held size, with two more places than a tick; "0" when there is none."""
    if not lots:
        return "0"
    atoms = units.tick_lot_atoms(tick_e8=market.tick_e8, lot_e8=market.lot_e8)
    tick = Decimal(market.tick_e8).scaleb(-8).normalize()
    average = Decimal(abs(quote_atoms)) * tick / (abs(lots) * atoms)
    return decimal_text(average.quantize(tick.scaleb(-2)))


def order(view: OrderView, market: MarketParameters) -> dict[str, Any]:
    return {
        "order_id": str(view.order_id),
        "client_order_id": view.client_order_id,
        "account_id": view.account_id,
        "market": market.symbol,
        "side": view.side,
        "type": view.type,
        "time_in_force": view.time_in_force,
        "post_only": view.post_only,
        "reduce_only": view.reduce_only,
        "close_position": view.close_position,
        "self_trade_prevention": view.self_trade_prevention,
        "price": price_text(view.price_ticks, market),
        "size": size_text(view.size_lots, market),
        "filled": size_text(view.filled_lots, market),
        "average_price": average_price_text(view.filled_quote_atoms, view.filled_lots, market),
        "fee": atoms_text(view.fee_atoms),
        "trigger_price": price_text(view.trigger_ticks, market),
        "trigger_by": view.trigger_by,
        "good_till_ms": view.good_till_ms,
        "parent_order_id": str(view.parent_order_id) if view.parent_order_id else None,
        "status": view.status,
        "reason": view.reason,
        "created_ms": view.created_ms,
        "updated_ms": view.updated_ms,
    }


def position(view: PositionView, market: MarketParameters) -> dict[str, Any]:
    return {
        "account_id": view.account_id,
        "market": market.symbol,
        "side": "buy" if view.size_lots > 0 else "sell",
        "size": size_text(view.size_lots, market),
        "entry_price": average_price_text(view.cost_atoms, view.size_lots, market),
        "mark_price": price_text(view.mark_ticks, market),
        "notional": atoms_text(view.notional_atoms),
        "unrealised_pnl": atoms_text(view.unrealised_atoms),
        "realised_pnl": atoms_text(view.realised_atoms),
        "funding": atoms_text(view.funding_atoms),
        "initial_margin": atoms_text(view.initial_margin_atoms),
        "maintenance_margin": atoms_text(view.maintenance_margin_atoms),
        "liquidation_price": price_text(view.liquidation_ticks, market) if view.liquidation_ticks else None,
        "leverage": view.leverage,
        "margin_mode": view.margin_mode,
        "isolated_margin": atoms_text(view.margin_atoms) if view.margin_mode == "isolated" else None,
    }


def margin(view: AccountView) -> dict[str, Any]:
    """An account's money, without its positions and orders."""
    return {
        "account_id": view.account_id,
        "balances": {asset: atoms_text(atoms, asset) for asset, atoms in sorted(view.balances.items())},
        "equity": atoms_text(view.equity_atoms),
        "unrealised_pnl": atoms_text(view.unrealised_atoms),
        "initial_margin": atoms_text(view.initial_margin_atoms),
        "order_margin": atoms_text(view.order_margin_atoms),
        "maintenance_margin": atoms_text(view.maintenance_margin_atoms),
        "available": atoms_text(view.available_atoms),
        "withdrawable": atoms_text(view.withdrawable_atoms),
        "assets": [asset_balance(asset) for asset in view.assets],
    }


def asset_balance(view: AssetView) -> dict[str, str]:
    return {
        "asset": view.asset,
        "amount": atoms_text(view.amount_atoms, view.asset),
        "withdrawable": atoms_text(view.withdrawable_atoms, view.asset),
        "value": atoms_text(view.value_atoms),
        "maintenance_value": atoms_text(view.maintenance_value_atoms),
        "initial_value": atoms_text(view.initial_value_atoms),
    }


def account(view: AccountView, markets: dict[int, MarketParameters]) -> dict[str, Any]:
    return margin(view) | {
        "seq": view.seq,
        "positions": [position(p, markets[p.market_id]) for p in view.positions],
        "orders": [order(o, markets[o.market_id]) for o in view.orders],
        "leverage": {markets[market_id].symbol: leverage for market_id, leverage in sorted(view.leverage.items())},
        "self_custody": view.self_custody,
    }


class Match(Protocol):
    """The public side of an OrderFilled, or of a row of the tape."""

    @property
    def trade_id(self) -> int: ...
    @property
    def price_ticks(self) -> int: ...
    @property
    def size_lots(self) -> int: ...
    @property
    def taker_side(self) -> str: ...
    @property
    def kind(self) -> str: ...


def trade(event: Match, stamp_ms: int, market: MarketParameters) -> dict[str, Any]:
    """One line of the public tape."""
    return {
        "trade_id": str(event.trade_id),
        "price": price_text(event.price_ticks, market),
        "size": size_text(event.size_lots, market),
        "side": event.taker_side,
        "kind": event.kind,
        "time_ms": stamp_ms,
    }


def fill(event: OrderFilled, account_id: int, *, taker: bool, stamp_ms: int, market: MarketParameters) -> dict[str, Any]:
    """One side of a match, for the account that had it."""
    maker_side = "sell" if event.taker_side == "buy" else "buy"
    atoms = units.tick_lot_atoms(tick_e8=market.tick_e8, lot_e8=market.lot_e8)
    return {
        "fill_id": str(event.trade_id * 2 + taker),
        "trade_id": str(event.trade_id),
        "order_id": str(event.taker_order_id if taker else event.maker_order_id),
        "account_id": account_id,
        "market": market.symbol,
        "side": event.taker_side if taker else maker_side,
        "liquidity": "taker" if taker else "maker",
        "price": price_text(event.price_ticks, market),
        "size": size_text(event.size_lots, market),
        "quote": atoms_text(event.price_ticks * event.size_lots * atoms),
        "fee": atoms_text(event.taker_fee_atoms if taker else event.maker_fee_atoms),
        "realised_pnl": atoms_text(event.taker_pnl_atoms if taker else event.maker_pnl_atoms),
        "kind": event.kind,
        "time_ms": stamp_ms,
    }


def chain_fill(event: ChainTradeBooked, account_id: int, *, stamp_ms: int, market: MarketParameters) -> dict[str, Any]:
    """One side of a trade that was made on chain. No order here had it, and neither side took it from the other."""
    buys = account_id == event.buyer_account_id
    return {
        "fill_id": str(event.trade_id * 2 + buys),
        "trade_id": str(event.trade_id),
        "order_id": "0",
        "account_id": account_id,
        "market": market.symbol,
        "side": "buy" if buys else "sell",
        "liquidity": "maker",
        "price": price_text(event.price_ticks, market),
        "size": size_text(event.size_lots, market),
        "quote": atoms_text(event.quote_atoms),
        "fee": atoms_text(0),
        "realised_pnl": atoms_text(event.buyer_pnl_atoms if buys else event.seller_pnl_atoms),
        "kind": "chain",
        "time_ms": stamp_ms,
    }
