"""What an order would do now, before it is sent."""

from markets.commands import PlaceOrder
from markets.rejects import Reject
from markets.units import PPM, charge
from markets.views import Preview
from risk.margin import liquidation_ticks
from trading.engine import checks, margin
from trading.engine.checks import shown
from trading.engine.orders import user_account
from trading.engine.shadow import Shadow
from trading.engine.state import Holding, MarginPool, Market, State


def preview(state: State, order: PlaceOrder) -> Preview | None:
    """Say what an order would do now; None without such an account or market."""
    account = user_account(state, order.account_id)
    market = state.markets.get(order.market_id)
    if account is None or market is None:
        return None
    holding = account.holdings.get(order.market_id) or Holding(account, market)
    reject = checks.refusal(state, account, market, order)
    if reject is None and checks.is_trigger(order.type):
        reject = checks.trigger_refusal(market, holding, order)
    elif reject is None:
        reject = checks.entry(state, market, holding, order, order.price_ticks, order.size_lots, False).reject
    return figures(state, market, holding, order, reject)


def figures(state: State, market: Market, holding: Holding, order: PlaceOrder, reject: Reject | None) -> Preview:
    sign = 1 if order.side == "buy" else -1
    lots = min(max(0, order.size_lots), market.parameters.max_order_lots) or abs(holding.size_lots)
    if order.reduce_only or order.close_position:
        lots = min(lots, max(0, -sign * holding.size_lots))
    pool = holding.pool
    atoms = market.tick_lot_atoms
    price = limit_price(market, order, sign)
    value = expected_value(market, order, sign, lots, price)
    fee = charge(value * atoms, market.parameters.taker_fee_ppm)
    equity = margin.equity(state, pool)
    opening = margin.available(state, pool) + pool.initial_atoms  # equity as initial margin counts it
    equity_after = equity + sign * (lots * market.mark_ticks - value) * atoms - fee
    available_after, initial_after = after_order(state, market, holding, order, sign, lots, value, opening)
    moved = min(spare(state, holding), max(0, -available_after))
    available_after += moved
    equity_after += moved
    others = margin.maintenance(state, pool) - margin.position_maintenance(holding)
    notional = pool_notional(pool)
    own = abs(holding.size_lots) * market.mark_ticks * atoms
    after = abs(holding.size_lots + sign * lots) * market.mark_ticks * atoms
    return Preview(
        reject=reject,
        order_value_atoms=shown(lots * price * atoms),
        estimated_price_ticks=-(-value // lots) if lots and sign > 0 else value // lots if lots else price,
        fee_taker_atoms=shown(fee),
        fee_maker_atoms=shown(charge(value * atoms, market.parameters.maker_fee_ppm)),
        initial_margin_before_atoms=pool.initial_atoms,
        initial_margin_after_atoms=shown(initial_after),
        available_after_atoms=shown(available_after),
        leverage_before_ppm=leverage_ppm(notional, equity),
        leverage_after_ppm=shown(leverage_ppm(notional - own + after, equity_after)),
        liquidation_ticks_before=present_liquidation(state, holding),
        liquidation_ticks_after=later_liquidation(state, holding, order)
        if pool.collateral
        else liquidation(market, holding.size_lots + sign * lots, equity_after, others),
        max_size_lots=max_size(state, market, holding, order, sign, price),
    )


def after_order(
    state: State, market: Market, holding: Holding, order: PlaceOrder, sign: int, lots: int, value: int, equity_atoms: int
) -> tuple[int, int]:
    """Return what would be available, and the initial margin: filled if the order takes or is a trigger, else resting."""
    atoms = market.tick_lot_atoms
    opposite = market.book.side(-sign)
    takes = bool(opposite.keys) and opposite.keys[-1] >= -sign * limit_price(market, order, sign)
    if takes or checks.is_trigger(order.type):
        fee = charge(value * atoms, market.parameters.taker_fee_ppm)
        gain = sign * (lots * market.mark_ticks - value) * atoms
        available = margin.available_after_fill(state, holding, sign, lots, value, fee, 0)
        return available, equity_atoms + gain - fee - available
    available = margin.available_with_order(state, holding, sign, lots, value, 0)
    return available, equity_atoms - available


def limit_price(market: Market, order: PlaceOrder, sign: int) -> int:
    price = order.price_ticks or (order.trigger_ticks if checks.is_trigger(order.type) else checks.worst_price(market, sign))
    return max(0, min(price, checks.MAX_TICKS))


def expected_value(market: Market, order: PlaceOrder, sign: int, lots: int, price_ticks: int) -> int:
    """Return price x lots at what the book shows, the rest at the limit price; for a trigger at its own price."""
    if checks.is_trigger(order.type):
        return lots * price_ticks
    taken, value = market.book.side(-sign).walk(lots, -sign * price_ticks)
    return value + (lots - taken) * price_ticks


def pool_notional(pool: MarginPool) -> int:
    return sum(abs(h.size_lots) * h.market.mark_ticks * h.market.tick_lot_atoms for h in pool.holdings.values())


def leverage_ppm(notional_atoms: int, equity_atoms: int) -> int:
    """Return notional / equity, 0 for an account without equity."""
    return notional_atoms * PPM // equity_atoms if equity_atoms > 0 else 0


def max_size(state: State, market: Market, holding: Holding, order: PlaceOrder, sign: int, price_ticks: int) -> int:
    """Return the largest size that is affordable at the order's price; a market order's is the best price on the book."""
    if order.reduce_only or order.close_position:
        return max(0, -sign * holding.size_lots)
    best = market.book.side(-sign).best_ticks() or market.mark_ticks
    price = price_ticks if order.price_ticks or checks.is_trigger(order.type) else best
    more = spare(state, holding)
    low, high = 0, largest(market, holding, sign) if price > 0 else 0
    while low < high:
        middle = (low + high + 1) // 2
        fee = charge(middle * price * market.tick_lot_atoms, market.parameters.taker_fee_ppm)
        affordable = margin.available_with_order(state, holding, sign, middle, middle * price, fee) + more >= 0
        if affordable or not margin.adds_risk(holding, sign, middle):
            low = middle
        else:
            high = middle - 1
    return low


def largest(market: Market, holding: Holding, sign: int) -> int:
    """Return what the market's limits on an order and on a position admit."""
    most = market.parameters.max_position_lots
    waiting = holding.buy_lots if sign > 0 else holding.sell_lots
    left = max(0, most - sign * holding.size_lots - waiting) if most else market.parameters.max_order_lots
    return min(market.parameters.max_order_lots, left)


def spare(state: State, holding: Holding) -> int:
    """Return what the cross pool could move into the holding's isolated one."""
    return margin.movable(state, holding.account.cross) if holding.pool.market_id else 0


def present_liquidation(state: State, holding: Holding, shadow: Shadow | None = None) -> int:
    """Return a position's liquidation price; collateral moves with prices too, and is then valued at each, on a copy of the account."""
    pool = holding.pool
    if pool.collateral:
        return (shadow or Shadow(state, holding.account)).liquidation_ticks(holding.market.market_id)
    others = margin.maintenance(state, pool) - margin.position_maintenance(holding)
    return liquidation(holding.market, holding.size_lots, margin.equity(state, pool), others)


def later_liquidation(state: State, holding: Holding, order: PlaceOrder) -> int:
    shadow = Shadow(state, holding.account)
    shadow.place(order)
    return shadow.liquidation_ticks(order.market_id)


def liquidation(market: Market, size_lots: int, equity_atoms: int, other_maintenance_atoms: int) -> int:
    return liquidation_ticks(
        size_lots=size_lots,
        mark_ticks=market.mark_ticks,
        tick_lot_atoms=market.tick_lot_atoms,
        equity_atoms=equity_atoms,
        other_maintenance_atoms=other_maintenance_atoms,
        tiers=market.parameters.tiers,
    )
