"""Margin of accounts, kept as sums of each market's part; a part is recomputed when its market or holding has changed."""

from risk.margin import initial_margin, maintenance_margin
from trading.engine.state import UNKNOWN_VERSION, Account, Holding, State


def requirement(holding: Holding, size_lots: int, buy_lots: int, buy_value: int, sell_lots: int, sell_value: int) -> int:
    """Return the initial margin of a position and open orders at their worst case.

    The worst case is the larger of all buys filled and all sells filled, the position at mark; and what orders would lose
    at once because they are priced beyond mark.
    """
    mark = holding.market.mark_ticks
    position = size_lots * mark
    worst = max(position + buy_value, sell_value - position, position, -position)
    return priced(holding, worst, max(buy_value - buy_lots * mark, sell_lots * mark - sell_value, 0))


def priced(holding: Holding, worst: int, beyond: int) -> int:
    """Return the initial margin of a notional, plus a loss, both given in ticks x lots."""
    if worst == 0:
        return 0
    market = holding.market
    atoms = market.tick_lot_atoms
    leverage = holding.effective_leverage()
    return initial_margin(notional_atoms=worst * atoms, leverage=leverage, tiers=market.parameters.tiers) + beyond * atoms


def present_requirement(holding: Holding) -> int:
    return requirement(holding, holding.size_lots, holding.buy_lots, holding.buy_value, holding.sell_lots, holding.sell_value)


def unrealised(holding: Holding) -> int:
    market = holding.market
    return holding.size_lots * market.mark_ticks * market.tick_lot_atoms - holding.cost_atoms


def maintenance(holding: Holding) -> int:
    size = abs(holding.size_lots)
    if size == 0:
        return 0
    market = holding.market
    return maintenance_margin(notional_atoms=size * market.mark_ticks * market.tick_lot_atoms, tiers=market.parameters.tiers)


def account_maintenance(account: Account) -> int:
    return sum(maintenance(holding) for holding in account.holdings.values())


def changed(holding: Holding) -> None:
    """Say that a holding's part of the sums is no longer right."""
    holding.version = UNKNOWN_VERSION
    holding.account.epoch = UNKNOWN_VERSION


def refresh(state: State, account: Account) -> None:
    """Make the account's sums exact."""
    if account.epoch == state.mark_epoch:
        return
    for holding in account.holdings.values():
        if holding.version != holding.market.version:
            initial = present_requirement(holding)
            profit = unrealised(holding)
            account.initial_atoms += initial - holding.initial_atoms
            account.unrealised_atoms += profit - holding.unrealised_atoms
            holding.initial_atoms = initial
            holding.unrealised_atoms = profit
            holding.version = holding.market.version
    account.epoch = state.mark_epoch


def equity(state: State, account: Account) -> int:
    refresh(state, account)
    return account.cash_atoms + account.unrealised_atoms


def available(state: State, account: Account) -> int:
    """Return equity at mark minus initial margin: what new risk may use; negative when there is too little."""
    refresh(state, account)
    return account.cash_atoms + account.unrealised_atoms - account.initial_atoms


def withdrawable(state: State, account: Account) -> int:
    """Return what may leave: unrealised losses count, unrealised profit does not."""
    refresh(state, account)
    return max(0, account.cash_atoms + min(0, account.unrealised_atoms) - account.initial_atoms)


def available_with_order(state: State, holding: Holding, sign: int, lots: int, value: int, fee_atoms: int) -> int:
    """Return the least that would be available once an order of `value` ticks x lots has filled, or rests."""
    free = available(state, holding.account) + holding.initial_atoms - fee_atoms
    market = holding.market
    mark = market.mark_ticks
    position = holding.size_lots * mark
    buys = holding.buy_value
    sells = holding.sell_value
    beyond = max(buys - holding.buy_lots * mark, holding.sell_lots * mark - sells, 0)
    if sign > 0:
        buys += value
        beyond += max(value - lots * mark, 0)
    else:
        sells += max(value, lots * mark)
        beyond += max(lots * mark - value, 0)
    worst = max(position + buys, sells - position, position, -position)
    return free - priced(holding, worst, beyond)


def available_after_fill(
    state: State, holding: Holding, sign: int, lots: int, value: int, fee_atoms: int, open_lots: int, open_value: int
) -> int:
    """Return what would be available after fills of `value` ticks x lots, of which `open_*` leave the open orders' totals."""
    market = holding.market
    free = available(state, holding.account) + holding.initial_atoms - fee_atoms
    gain = sign * (lots * market.mark_ticks - value) * market.tick_lot_atoms
    buys = sign > 0
    own = requirement(
        holding,
        holding.size_lots + sign * lots,
        holding.buy_lots - open_lots if buys else holding.buy_lots,
        holding.buy_value - open_value if buys else holding.buy_value,
        holding.sell_lots if buys else holding.sell_lots - open_lots,
        holding.sell_value if buys else holding.sell_value - open_value,
    )
    return free + gain - own


def reserve(holding: Holding, sign: int, lots: int, price_ticks: int) -> None:
    """Count resting lots among the open orders; a negative number of lots takes them out."""
    if sign > 0:
        holding.buy_lots += lots
        holding.buy_value += lots * price_ticks
    else:
        holding.sell_lots += lots
        holding.sell_value += lots * price_ticks
    changed(holding)


def adds_risk(holding: Holding, sign: int, lots: int) -> bool:
    """Tell whether an order could make the position larger, the account's other orders of that side filled first."""
    waiting = holding.buy_lots if sign > 0 else holding.sell_lots
    return sign * holding.size_lots >= 0 or waiting + lots > abs(holding.size_lots)
