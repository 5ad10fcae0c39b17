"""A copy of one account with its markets and their prices, in which anything may be tried without touching the state."""

import msgspec

from markets.commands import PlaceOrder
from markets.units import PPM, charge
from risk.margin import MAX_PRICE_TICKS
from trading.engine import checks, margin
from trading.engine.index import Index
from trading.engine.pools import emptied, release, shift, top_up
from trading.engine.positions import apply_fill
from trading.engine.pricing import reprice, take_price
from trading.engine.state import Account, Asset, Holding, MarginPool, Market, State


class Shadow:
    """The copy's sums are computed by the functions that the engine itself uses; `state` knows nothing but this account."""

    __slots__ = ("account", "bases_e8", "state")

    def __init__(self, state: State, account: Account) -> None:
        self.bases_e8: dict[int, int] = {}  # index less mark, by market
        self.state: State = State()
        self.state.stamp_ms = state.stamp_ms
        self.state.status = state.status
        self.account: Account = Account(account.account_id)
        self.account.seq = account.seq
        self.state.accounts[account.account_id] = self.account
        for index in state.indices.values():
            self.state.indices[index.index_id] = copied_index(index)
        self.state.risk_parameters = state.risk_parameters
        for asset in state.assets.values():
            self.copy_asset(asset)
        for market in state.markets.values():
            self.state.markets[market.market_id] = copied_market(market, self.state.indices[market.market_id])
            self.bases_e8[market.market_id] = market.index.price_e8 - market.mark_ticks * market.parameters.tick_e8
        for pool in account.pools():
            self.copy_pool(pool)
        for holding in account.holdings.values():
            self.copy_holding(holding)

    def copy_asset(self, asset: Asset) -> None:
        copy = self.state.assets[asset.parameters.asset] = Asset(asset.parameters)
        if asset.parameters.index_id:
            take_price(copy, self.state.indices[asset.parameters.index_id])

    def copy_pool(self, pool: MarginPool) -> None:
        copy = self.account.cross
        if pool.market_id:
            copy = self.account.isolated[pool.market_id] = MarginPool(self.account, pool.market_id)
        copy.cash_atoms = pool.cash_atoms
        copy.collateral = dict(pool.collateral)

    def copy_holding(self, holding: Holding) -> None:
        copy = self.account.holding(self.state.markets[holding.market.market_id])
        copy.size_lots = holding.size_lots
        copy.cost_atoms = holding.cost_atoms
        copy.realised_atoms = holding.realised_atoms
        copy.funding_atoms = holding.funding_atoms
        copy.leverage = holding.leverage
        copy.order_count = holding.order_count
        copy.buy_lots = holding.buy_lots
        copy.buy_value = holding.buy_value
        copy.sell_lots = holding.sell_lots
        copy.sell_value = holding.sell_value
        margin.changed(copy)
        if copy.size_lots:
            copy.market.holders[self.account.account_id] = copy

    def set_mark(self, market: Market, mark_ticks: int) -> None:
        """Set a mark, and move its index by as much: the basis stays."""
        market.index.price_e8 = max(1, mark_ticks * market.parameters.tick_e8 + self.bases_e8[market.market_id])
        market.mark_ticks = mark_ticks
        reprice(self.state, market.index)
        market.version += 1
        self.state.mark_epoch += 1

    def scale_mark(self, market: Market, move_ppm: int) -> None:
        """Move a mark by a share of itself, to the nearest tick and never below one."""
        ticks = (2 * market.mark_ticks * (PPM + move_ppm) + PPM) // (2 * PPM)
        self.set_mark(market, max(1, min(ticks, MAX_PRICE_TICKS)))

    def set_leverage(self, market: Market, leverage: int) -> None:
        holding = self.account.holding(market)
        holding.leverage = leverage
        margin.changed(holding)
        lacking = -margin.available(self.state, holding.pool)
        if holding.pool.market_id and lacking > 0:
            top_up(self.state, holding, min(lacking, margin.movable(self.state, self.account.cross)))

    def move_isolated(self, market: Market, amount_atoms: int) -> None:
        pool = self.account.isolated.get(market.market_id)
        if pool is not None:
            shift(self.state, pool, amount_atoms)

    def place(self, order: PlaceOrder) -> None:
        """Fill what an order would take from the book, and rest the remainder, also if it would be refused.

        A trigger order counts as filled at its price. What an isolated pool needs comes from the cross pool, as when it is placed.
        Fill-or-kill is tried as immediate-or-cancel: whether makers can give all of it would be asked of pools that are no copies.
        """
        if order.time_in_force == "fok":
            order = msgspec.structs.replace(order, time_in_force="ioc")
        market = self.state.markets[order.market_id]
        holding = self.account.holding(market)
        sign = 1 if order.side == "buy" else -1
        lots = min(max(0, order.size_lots), market.parameters.max_order_lots) or abs(holding.size_lots)
        if order.reduce_only or order.close_position:
            lots = min(lots, max(0, -sign * holding.size_lots))
        if checks.is_trigger(order.type):
            self.fill(holding, sign, lots, order.price_ticks or order.trigger_ticks)
            return
        entry = checks.entry(self.state, market, holding, order, order.price_ticks, lots, False)
        if entry.reject is None:
            top_up(self.state, holding, entry.margin_atoms)
        price = entry.price_ticks or order.price_ticks or checks.worst_price(market, sign)
        rest = lots - self.take(holding, sign, lots, price)
        if rest and order.price_ticks and checks.rests(order) and not order.reduce_only:
            margin.reserve(holding, sign, rest, price)
        if holding.pool.market_id and holding.size_lots == 0:
            emptied(self.state, holding)
            release(self.state)

    def take(self, holding: Holding, sign: int, lots: int, limit_ticks: int) -> int:
        """Fill level by level up to a price; return how many lots."""
        side = holding.market.book.side(-sign)
        taken = 0
        for key in reversed(side.keys):
            if key < -sign * limit_ticks or taken == lots:
                break
            size = min(side.size_at(key), lots - taken)
            self.fill(holding, sign, size, key * side.sign)
            taken += size
        return taken

    def fill(self, holding: Holding, sign: int, lots: int, price_ticks: int) -> None:
        if lots == 0:
            return
        market = holding.market
        fee = charge(lots * price_ticks * market.tick_lot_atoms, market.parameters.taker_fee_ppm)
        holding.pool.cash_atoms += apply_fill(holding, sign * lots, price_ticks) - fee
        margin.count_crowd(self.state, market)

    def liquidation_ticks(self, market_id: int) -> int:
        """Return the price that liquidates a position: against it, or else, as with collateral in the same asset, with it; 0 for none."""
        holding = self.account.holdings.get(market_id)
        if holding is None or holding.size_lots == 0 or holding.market.mark_ticks == 0:
            return 0
        mark = holding.market.mark_ticks
        ends = (0, MAX_PRICE_TICKS) if holding.size_lots > 0 else (MAX_PRICE_TICKS, 0)
        for end in ends:
            found = self.first_short(holding, end)
            self.set_mark(holding.market, mark)
            if found >= 0:
                return found
        return 0

    def first_short(self, holding: Holding, end_ticks: int) -> int:
        """Return the first tick from mark to the end at which the pool is short, -1 if there is none. Leaves the mark anywhere."""
        mark = holding.market.mark_ticks
        if self.falls_short(holding, mark):
            return mark
        if not self.falls_short(holding, end_ticks):
            return -1
        safe, short = mark, end_ticks
        while short > 2 * safe:  # upwards most prices are absurd: double before halving
            if self.falls_short(holding, 2 * safe):
                short = 2 * safe
            else:
                safe = 2 * safe
        while abs(short - safe) > 1:
            middle = (short + safe) // 2
            if self.falls_short(holding, middle):
                short = middle
            else:
                safe = middle
        return short

    def falls_short(self, holding: Holding, mark_ticks: int) -> bool:
        self.set_mark(holding.market, mark_ticks)
        return margin.equity(self.state, holding.pool) < margin.maintenance(self.state, holding.pool)


def copied_index(index: Index) -> Index:
    """Return an index at the same prices; what its sources said is left behind."""
    copy = Index(index.index_id, index.asset)
    copy.state = index.state
    copy.price_e8 = index.price_e8
    copy.confidence_e8 = index.confidence_e8
    copy.stable = index.stable
    return copy


def copied_market(market: Market, index: Index) -> Market:
    """Return a market at the same prices; the book is the same one, and is only read."""
    copy = Market(market.parameters, index)
    copy.book = market.book
    copy.status = market.status
    copy.mark_ticks = market.mark_ticks
    copy.last_ticks = market.last_ticks
    copy.open_interest_lots = market.open_interest_lots
    copy.crowd_lots = market.crowd_lots
    return copy
