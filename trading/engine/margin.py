"""Margin of pools, kept as sums of each market's part; a part is recomputed when its market or holding has changed.

Most orders are small beside what their pool has free. `floor_atoms` is a lower bound of what is available: every order and
fill lowers it by the most that it could cost at a leverage of one, and only when the bound is too low are the sums made exact.
"""

from typing import Final

from markets import units
from markets.units import PPM
from risk.collateral import INITIAL, MAINTENANCE, counted_atoms
from risk.margin import concentrated_margin, crowded_margin, initial_margin, maintenance_margin
from trading.engine.state import UNKNOWN_VERSION, Asset, Holding, MarginPool, Market, State

ROUNDING_ATOMS: Final = 64  # initial margin is rounded up tier by tier


def requirement(holding: Holding, position_lots: int, buy_value: int, sell_value: int) -> int:
    """Return the initial margin of a position and open orders at their worst case: all buys filled, or all sells.

    The position counts at mark. What an order would lose because it is priced beyond mark is checked when it is accepted and
    again when it is filled.
    """
    market = holding.market
    position = position_lots * market.mark_ticks
    long = position + buy_value
    short = sell_value - position
    worst = long if long > short else short
    if worst == 0:
        return 0
    leverage = holding.effective_leverage()
    notional = worst * market.tick_lot_atoms
    initial = initial_margin(notional_atoms=notional, leverage=leverage, tiers=market.parameters.tiers)
    return raised(market, initial, notional) if market.raises_margin else initial


def raised(market: Market, initial_atoms: int, notional_atoms: int) -> int:
    """Return initial margin with what a large position and a crowded market add to it."""
    parameters = market.parameters
    return crowded_margin(
        initial_atoms=concentrated(market, initial_atoms, notional_atoms),
        notional_atoms=notional_atoms,
        open_lots=market.crowd_lots,
        from_lots=parameters.margin_rises_from_lots,
        cap_lots=parameters.max_open_interest_lots,
    )


def concentrated(market: Market, initial_atoms: int, notional_atoms: int) -> int:
    """Return initial margin with what a large position adds to it."""
    parameters = market.parameters
    return concentrated_margin(
        initial_atoms=initial_atoms,
        notional_atoms=notional_atoms,
        from_atoms=parameters.concentration_from_lots * market.mark_ticks * market.tick_lot_atoms,
        rate_ppm=parameters.concentration_ppm,
    )


def count_crowd(state: State, market: Market) -> None:
    """Let a crowded market's open interest count for initial margin, after it has changed."""
    least = market.parameters.margin_rises_from_lots
    lots = max(market.open_interest_lots, least)
    if market.raises_margin and lots != market.crowd_lots:
        market.crowd_lots = lots
        market.version += 1
        state.mark_epoch += 1


def present_requirement(holding: Holding) -> int:
    return requirement(holding, holding.size_lots, holding.buy_value, holding.sell_value)


def unrealised(holding: Holding) -> int:
    market = holding.market
    return holding.size_lots * market.mark_ticks * market.tick_lot_atoms - holding.cost_atoms


def position_maintenance(holding: Holding) -> int:
    size = abs(holding.size_lots)
    if size == 0:
        return 0
    market = holding.market
    return maintenance_margin(notional_atoms=size * market.mark_ticks * market.tick_lot_atoms, tiers=market.parameters.tiers)


def maintenance(state: State, pool: MarginPool) -> int:
    return sum(position_maintenance(holding) for holding in pool.holdings.values())


def changed(holding: Holding) -> None:
    """Say that a holding's part of the sums is no longer right."""
    holding.version = UNKNOWN_VERSION
    holding.pool.epoch = UNKNOWN_VERSION
    holding.pool.armed = False


def distrust(pool: MarginPool) -> None:
    """Drop the floor: something other than an order or its fill has changed the pool."""
    pool.floor_epoch = UNKNOWN_VERSION
    pool.armed = False


def refresh(state: State, pool: MarginPool) -> None:
    """Make the pool's sums exact, and the floor with them."""
    if pool.epoch != state.mark_epoch:
        for holding in pool.holdings.values():
            if holding.version != holding.market.version:
                initial = present_requirement(holding)
                profit = unrealised(holding)
                pool.initial_atoms += initial - holding.initial_atoms
                pool.unrealised_atoms += profit - holding.unrealised_atoms
                holding.initial_atoms = initial
                holding.unrealised_atoms = profit
                holding.version = holding.market.version
        if pool.collateral:
            revalue(state, pool)
        pool.epoch = state.mark_epoch
    pool.floor_atoms = pool.cash_atoms + pool.unrealised_atoms + pool.collateral_initial_atoms - pool.initial_atoms
    pool.floor_epoch = state.mark_epoch


def revalue(state: State, pool: MarginPool) -> None:
    """Count what the pool has beside USDC at the assets' present prices."""
    initial = maintenance = 0
    for name, amount in pool.collateral.items():
        asset = state.assets[name]
        initial += counted(asset, amount, INITIAL)
        maintenance += counted(asset, amount, MAINTENANCE)
    pool.collateral_initial_atoms = initial
    pool.collateral_atoms = maintenance


def counted(asset: Asset, amount_atoms: int, initial: bool) -> int:
    parameters = asset.parameters
    return counted_atoms(
        amount_atoms=amount_atoms,
        price_e8=asset.initial_price_e8 if initial else asset.price_e8,
        decimals=parameters.decimals,
        tiers=parameters.tiers,
        initial=initial,
    )


def collateral_changed(pool: MarginPool) -> None:
    """Say that a pool has another amount of an asset."""
    pool.epoch = UNKNOWN_VERSION
    distrust(pool)
    if not pool.collateral:
        pool.collateral_initial_atoms = pool.collateral_atoms = 0


def equity(state: State, pool: MarginPool) -> int:
    """Return what the pool is worth for maintenance: USDC, unrealised profit at mark, and collateral at maintenance weights."""
    refresh(state, pool)
    return pool.cash_atoms + pool.unrealised_atoms + pool.collateral_atoms


def available(state: State, pool: MarginPool) -> int:
    """Return equity at mark minus initial margin: what new risk may use; negative when there is too little."""
    refresh(state, pool)
    return pool.floor_atoms


def settled(pool: MarginPool) -> int:
    """Return the pool's USDC less its unrealised losses; profit that no loser has paid yet is not among it."""
    return pool.cash_atoms + min(0, pool.unrealised_atoms)


def movable(state: State, pool: MarginPool) -> int:
    """Return the USDC that may go to another pool of the same account."""
    refresh(state, pool)
    own = settled(pool)
    return max(0, min(own, own + pool.collateral_initial_atoms - pool.initial_atoms))


def withdrawable(state: State, pool: MarginPool) -> int:
    """Return the USDC that may leave the account."""
    refresh(state, pool)
    own = settled(pool)
    return max(0, min(own, own + pool.collateral_initial_atoms - kept(state, pool)))


def kept(state: State, pool: MarginPool) -> int:
    """Return what must stay after a withdrawal: initial margin, or a share of the positions' notional if that is more."""
    notional = 0
    for holding in pool.holdings.values():
        market = holding.market
        notional += abs(holding.size_lots) * market.mark_ticks * market.tick_lot_atoms
    return max(pool.initial_atoms, -(-notional * state.risk_parameters.withdrawal_notional_ppm // PPM))


def withdrawable_of(state: State, pool: MarginPool, asset: Asset) -> int:
    """Return the amount of an asset other than USDC that may leave: what it counts for must not be missed."""
    refresh(state, pool)
    held = max(0, pool.collateral.get(asset.parameters.asset, 0))
    spare = settled(pool) + pool.collateral_initial_atoms - kept(state, pool)
    least = counted(asset, held, INITIAL) - spare
    if spare < 0 or least <= 0:
        return 0 if spare < 0 else held
    low, high = 0, held
    while low < high:
        middle = (low + high + 1) // 2
        if counted(asset, held - middle, INITIAL) >= least:
            low = middle
        else:
            high = middle - 1
    return low


def spend(state: State, pool: MarginPool, most_atoms: int) -> bool:
    """Lower the floor by the most that something can cost; tell whether the floor says that it is covered."""
    if pool.floor_epoch != state.mark_epoch:
        return False
    pool.floor_atoms -= most_atoms + ROUNDING_ATOMS
    return pool.floor_atoms >= 0


def most_of_order(holding: Holding, sign: int, lots: int, price_ticks: int, fee_atoms: int) -> int:
    """Return the most by which an order can lower what is available, resting or filled at its price or better."""
    market = holding.market
    price = price_ticks
    if sign < 0 and price < market.mark_ticks:
        price = 2 * market.mark_ticks - price
    most = lots * price * market.tick_lot_atoms
    return (with_add_on(market, most) if market.raises_margin else most) + fee_atoms


def most_of_fill(holding: Holding, sign: int, lots: int, price_ticks: int, fee_atoms: int, counted: bool) -> int:
    """Return the most by which a resting order's fill can lower what is available; `counted` among the open orders before."""
    market = holding.market
    loss = sign * (price_ticks - market.mark_ticks)
    price = 0 if counted else market.mark_ticks
    if loss > 0:
        price += 2 * loss if counted else loss
    most = lots * price * market.tick_lot_atoms
    if market.raises_margin:
        most = with_add_on(market, most)
    return most + fee_atoms if fee_atoms > 0 else most


def with_add_on(market: Market, most_atoms: int) -> int:
    """Where large positions need more, the last part of one can need more than its own notional."""
    rate = market.parameters.concentration_ppm
    return most_atoms if rate == 0 else most_atoms + units.charge(most_atoms, rate)


def available_with_order(state: State, holding: Holding, sign: int, lots: int, value: int, fee_atoms: int) -> int:
    """Return the least that would be available once an order of `value` ticks x lots has filled, or rests."""
    free = available(state, holding.pool) + holding.initial_atoms - fee_atoms
    market = holding.market
    at_mark = lots * market.mark_ticks
    if sign > 0:
        own = requirement(holding, holding.size_lots, holding.buy_value + value, holding.sell_value)
    else:
        own = requirement(holding, holding.size_lots, holding.buy_value, holding.sell_value + max(value, at_mark))
    return free - own - max(0, sign * (value - at_mark)) * market.tick_lot_atoms


def available_after_fill(state: State, holding: Holding, sign: int, lots: int, value: int, fee_atoms: int, open_value: int) -> int:
    """Return what would be available after fills of `value` ticks x lots, of which `open_value` leaves the open orders."""
    market = holding.market
    free = available(state, holding.pool) + holding.initial_atoms - fee_atoms
    gain = sign * (lots * market.mark_ticks - value) * market.tick_lot_atoms
    after = holding.size_lots + sign * lots
    if sign > 0:
        return free + gain - requirement(holding, after, holding.buy_value - open_value, holding.sell_value)
    return free + gain - requirement(holding, after, holding.buy_value, holding.sell_value - open_value)


def bears(state: State, holding: Holding, sign: int, lots: int, value: int, fee_atoms: int) -> bool:
    """Tell whether a fill that only reduces leaves something: what is lost beyond a pool's equity would be others' to pay."""
    market = holding.market
    gain = sign * (lots * market.mark_ticks - value) * market.tick_lot_atoms
    if gain >= 0:
        return True
    left = equity(state, holding.pool) + gain - fee_atoms
    distrust(holding.pool)
    return left >= 0


def reserve(holding: Holding, sign: int, lots: int, price_ticks: int) -> None:
    """Count resting lots among the open orders; a negative number of lots takes them out."""
    if sign > 0:
        holding.buy_lots += lots
        holding.buy_value += lots * price_ticks
    else:
        holding.sell_lots += lots
        holding.sell_value += lots * price_ticks
    holding.version = UNKNOWN_VERSION
    holding.pool.epoch = UNKNOWN_VERSION


def adds_risk(holding: Holding, sign: int, lots: int) -> bool:
    """Tell whether an order could make the position larger, the account's other orders of that side filled first."""
    size = sign * holding.size_lots
    if size >= 0:
        return True
    waiting = holding.buy_lots if sign > 0 else holding.sell_lots
    return waiting + lots > -size
