"""Trades that anybody may have made on chain while the exchange had fallen back: a match of two signed orders, or a liquidation."""

from dataclasses import dataclass
from typing import Any, Final

from chain.custody.models import ChainEvent
from chain.errors import ChainError
from markets.models import Market
from markets.units import tick_lot_atoms

MATCHED: Final = "OrdersMatched"
LIQUIDATED: Final = "PositionLiquidated"
KINDS: Final = (MATCHED, LIQUIDATED)


class MarketUnknown(ChainError):
    code = "CHAIN_MARKET_UNKNOWN"
    message = "It was traded in a market that this exchange does not have."


class ValueUnknown(ChainError):
    """Of a liquidation whose event was cut from the logs, the instruction tells everything but the price."""

    code = "CHAIN_VALUE_UNKNOWN"
    message = "Its event was cut from the transaction's logs, and its instruction does not say at which price."


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainTrade:
    """`quote_atoms` is what the buyer paid the seller, a liquidation's fee included. Accounts are addresses."""

    number: int
    market_id: int
    buyer: str
    seller: str
    size_lots: int
    quote_atoms: int
    fee_atoms: int = 0
    liquidated: str = ""
    buy_order: bytes = b""
    sell_order: bytes = b""


def trade_of(event: ChainEvent) -> ChainTrade:
    """Return what an event of one of KINDS says."""
    return _match(event) if event.kind == MATCHED else _liquidation(event)


def parties(event: ChainEvent) -> set[str]:
    """Return the accounts that an event is about, by address."""
    if event.kind == MATCHED:
        return {event.data["buyer"], event.data["seller"]}
    return {event.data["user"], event.data["liquidator"]} if event.kind == LIQUIDATED else {event.account_address}


def _match(event: ChainEvent) -> ChainTrade:
    data = event.data
    market = Market.objects.filter(id=data["market_id"]).first()
    if market is None:
        raise MarketUnknown(market_id=data["market_id"])
    tick_lot = tick_lot_atoms(tick_e8=market.tick_e8, lot_e8=market.lot_e8)
    return ChainTrade(
        number=event.number,
        market_id=market.id,
        buyer=data["buyer"],
        seller=data["seller"],
        size_lots=data["size_lots"],
        quote_atoms=data["size_lots"] * data["price_ticks"] * tick_lot,
        buy_order=_hash(data.get("buy_order")),
        sell_order=_hash(data.get("sell_order")),
    )


def _liquidation(event: ChainEvent) -> ChainTrade:
    """Lots and value are the liquidated account's, signed as it held them: a long sells to the liquidator, a short buys from him."""
    data = event.data
    if "value_atoms" not in data:
        raise ValueUnknown
    received = data["value_atoms"] - data["fee_atoms"]
    user, liquidator = data["user"], data["liquidator"]
    buyer, seller = (liquidator, user) if data["lots"] > 0 else (user, liquidator)
    return ChainTrade(
        number=event.number,
        market_id=data["market_id"],
        buyer=buyer,
        seller=seller,
        size_lots=abs(data["lots"]),
        quote_atoms=received if data["lots"] > 0 else -received,
        fee_atoms=data["fee_atoms"],
        liquidated=user,
    )


def _hash(value: Any) -> bytes:
    """Return an order's hash as the event has it, 32 numbers; none where an older program did not tell it."""
    return bytes(value or ())
