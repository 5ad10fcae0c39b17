"""What the account panel lists: positions, orders and balances with every figure as text, and the integers that scripts re-mark."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from markets import figures, units
from markets.figures import Direction
from markets.parameters import MarketParameters
from markets.views import AccountView, OrderView, PositionView
from trading import representations
from trading.forms import TYPE_NAMES

DAY_TIME = "%d %b %H:%M:%S"
TIF_WORDS = {"ioc": "IOC", "fok": "FOK", "gtd": "GTD"}
WARNING_PERCENT, DANGER_PERCENT = 60, 85

Markets = dict[int, MarketParameters]


@dataclass(frozen=True, kw_only=True, slots=True)
class PositionRow:
    symbol: str
    base: str
    side: str
    side_value: str
    opposite: str
    direction: Direction
    leverage: int
    size: str
    size_plain: str
    notional: str
    entry: str
    mark: str
    liquidation: str
    margin: str
    isolated: bool
    pnl: str
    pnl_direction: Direction
    roe: str
    funding: str
    funding_direction: Direction
    take_profit: str
    stop_loss: str
    lots: int
    cost_atoms: int
    tick_lot_atoms: int
    tick_e8: int
    price_decimals: int
    margin_atoms: int
    market_id: int
    slippage_ppm: int
    fee_ppm: int


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderRow:
    id: int
    symbol: str
    side: str
    direction: Direction
    type: str
    price: str
    trigger: str
    filled: str
    size: str
    options: str
    created_ms: int
    created: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BalanceRow:
    """What an account has of one asset; every figure is the asset's own."""

    asset: str
    amount: str
    value: str
    counted: str
    initial: str
    withdrawable: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountCard:
    equity: str
    available: str
    withdrawable: str
    order_margin: str
    maintenance_margin: str
    unrealised_pnl: str
    unrealised_direction: Direction
    margin_used: str
    margin_used_percent: int
    margin_level: str


def position_rows(account: AccountView, markets: Markets) -> list[PositionRow]:
    return [_position_row(position, account.orders, markets[position.market_id]) for position in account.positions]


def order_rows(account: AccountView, markets: Markets) -> list[OrderRow]:
    """Return open and waiting orders, newest first."""
    return [_order_row(order, markets[order.market_id]) for order in sorted(account.orders, key=lambda order: -order.order_id)]


def balance_rows(account: AccountView) -> list[BalanceRow]:
    return [
        BalanceRow(
            asset=view.asset,
            amount=_amount(view.amount_atoms, view.asset),
            value=figures.dollars(view.value_atoms),
            counted=figures.dollars(view.maintenance_value_atoms),
            initial=figures.dollars(view.initial_value_atoms),
            withdrawable=_amount(view.withdrawable_atoms, view.asset),
        )
        for view in account.assets
        if view.amount_atoms
    ]


def account_card(account: AccountView) -> AccountCard:
    used = _ratio(account.initial_margin_atoms, account.equity_atoms)
    percent = min(100, int(used * 100))
    return AccountCard(
        equity=figures.dollars(account.equity_atoms),
        available=figures.dollars(account.available_atoms),
        withdrawable=figures.dollars(account.withdrawable_atoms),
        order_margin=figures.dollars(account.order_margin_atoms),
        maintenance_margin=figures.dollars(account.maintenance_margin_atoms),
        unrealised_pnl=figures.dollars_signed(account.unrealised_atoms),
        unrealised_direction=figures.direction(account.unrealised_atoms),
        margin_used=figures.percent(used, 1),
        margin_used_percent=percent,
        margin_level="danger" if percent >= DANGER_PERCENT else "warning" if percent >= WARNING_PERCENT else "",
    )


def day_time(moment_ms: int) -> str:
    return datetime.fromtimestamp(moment_ms // 1000, UTC).strftime(DAY_TIME)


def _amount(atoms: int, asset: str) -> str:
    return figures.number(units.decimal_from_atoms(atoms, units.ASSET_DECIMALS[asset]))


def _position_row(position: PositionView, orders: Iterable[OrderView], market: MarketParameters) -> PositionRow:
    is_long, isolated = position.size_lots > 0, position.margin_mode == "isolated"
    return PositionRow(
        symbol=market.symbol,
        base=market.base_asset,
        side="Long" if is_long else "Short",
        side_value="buy" if is_long else "sell",
        opposite="short" if is_long else "long",
        direction=figures.direction(position.size_lots),
        leverage=position.leverage,
        size=figures.size(position.size_lots, market),
        size_plain=figures.plain_size(position.size_lots, market),
        notional=figures.dollars(position.notional_atoms),
        entry=figures.number(Decimal(representations.average_price_text(position.cost_atoms, position.size_lots, market))),
        mark=figures.price(position.mark_ticks, market),
        liquidation=figures.price(position.liquidation_ticks, market),
        margin=figures.dollars(position.margin_atoms if isolated else position.initial_margin_atoms),
        isolated=isolated,
        pnl=figures.dollars_signed(position.unrealised_atoms),
        pnl_direction=figures.direction(position.unrealised_atoms),
        roe=figures.percent_signed(_ratio(position.unrealised_atoms, position.initial_margin_atoms), 1),
        funding=figures.dollars_signed(position.funding_atoms),
        funding_direction=figures.direction(position.funding_atoms),
        take_profit=_exit_price(position, orders, "take_profit", market),
        stop_loss=_exit_price(position, orders, "stop", market),
        lots=position.size_lots,
        cost_atoms=position.cost_atoms,
        tick_lot_atoms=units.tick_lot_atoms(tick_e8=market.tick_e8, lot_e8=market.lot_e8),
        tick_e8=market.tick_e8,
        price_decimals=figures.places(market.tick_e8),
        margin_atoms=position.initial_margin_atoms,
        market_id=market.market_id,
        slippage_ppm=market.market_slippage_ppm,
        fee_ppm=market.taker_fee_ppm,
    )


def _exit_price(position: PositionView, orders: Iterable[OrderView], kind: str, market: MarketParameters) -> str:
    """Return the trigger price of the newest order that would take profit or stop the loss of a position."""
    side = "sell" if position.size_lots > 0 else "buy"
    found = [
        order.trigger_ticks
        for order in orders
        if order.market_id == position.market_id and order.side == side and order.type.startswith(kind) and closes_only(order)
    ]
    return figures.price(found[-1], market) if found else figures.NONE


def closes_only(order: OrderView) -> bool:
    return order.reduce_only or order.close_position


def _order_row(order: OrderView, market: MarketParameters) -> OrderRow:
    return OrderRow(
        id=order.order_id,
        symbol=market.symbol,
        side=order.side.capitalize(),
        direction="up" if order.side == "buy" else "down",
        type=TYPE_NAMES[order.type],
        price=figures.price(order.price_ticks, market) if order.price_ticks else "Market",
        trigger=f"{order.trigger_by} {figures.price(order.trigger_ticks, market)}" if order.trigger_ticks else figures.NONE,
        filled=figures.size(order.filled_lots, market),
        size="Position" if order.close_position else figures.size(order.size_lots, market),
        options=_options(order),
        created_ms=order.created_ms,
        created=day_time(order.created_ms),
    )


def _options(order: OrderView) -> str:
    words = [TIF_WORDS.get(order.time_in_force, "")]
    words.append("Post only" if order.post_only != "none" else "")
    words.append("Reduce only" if order.reduce_only else "")
    return ", ".join(word for word in words if word) or figures.NONE


def _ratio(part: int, whole: int) -> Decimal:
    """Return a part of a whole; a part of nothing is all of it."""
    if whole <= 0:
        return Decimal(1 if part else 0)
    return Decimal(part) / whole
