"""What must hold after every command; an AssertionError here is a bug. Walks the whole state: for tests and the auditor."""

from typing import cast

from markets.assets import QUOTE
from markets.ledger import BACKSTOP, FIRST_USER_ACCOUNT
from risk.collateral import INITIAL
from trading.engine import lives, margin
from trading.engine.book import BookSide, Order, Resting
from trading.engine.state import Account, Holding, MarginPool, Market, State
from trading.engine.withdrawals import vault_atoms


def check(state: State) -> None:
    """Raise AssertionError naming the first promise that is broken."""
    check_assets(state)
    for market in state.markets.values():
        check_market(state, market)
    for account in state.accounts.values():
        check_account(state, account)
    check_orders(state)
    assert not state.paused or (state.status == "halted" and state.lease_ms > 0), "paused, but not halted by a lease"


def check_assets(state: State) -> None:
    """All accounts sum to zero in each asset; what is kept beside an asset is what its holders have."""
    totals: dict[str, int] = {}
    for account in state.accounts.values():
        totals[QUOTE] = totals.get(QUOTE, 0) + account.usdc_atoms()
        for name, amount in account.cross.collateral.items():
            totals[name] = totals.get(name, 0) + amount
            assert name != QUOTE and amount and (amount > 0 or account.account_id < FIRST_USER_ACCOUNT), f"{name}: {amount} held"
        for pool in account.isolated.values():
            assert not pool.collateral, f"account {account.account_id}: an isolated pool holds more than USDC"
    for name, total in totals.items():
        assert total == 0, f"ledger of {name} does not sum to zero: {total}"
    for name, asset in state.assets.items():
        held = {account_id: pool.collateral[name] for account_id, pool in asset.holders.items()}
        users = [account for account in state.accounts.values() if account.account_id >= FIRST_USER_ACCOUNT]
        found = {user.account_id: user.cross.collateral[name] for user in users if name in user.cross.collateral}
        assert held == found, f"holders of {name} differ"
        assert asset.total_atoms == sum(held.values()), f"total of {name} differs"
    assert vault_atoms(state) >= 0, "more has left the exchange than came"
    assert state.accounts[BACKSTOP].cross.cash_atoms >= 0 or state.accounts[BACKSTOP].holdings, "the backstop paid what it had not"


def check_market(state: State, market: Market) -> None:
    book = market.book
    if book.bids.keys and book.asks.keys:
        assert book.bids.best_ticks() < book.asks.best_ticks(), f"crossed book in market {market.market_id}"
    resting = check_side(book.bids) + check_side(book.asks)
    for order in resting:
        assert state.orders[order.order_id] is order, f"order {order.order_id} on the book is not known"
        assert order.holding.market is market, f"order {order.order_id} is on another market's book"
    sizes = [a.holdings[market.market_id].size_lots for a in state.accounts.values() if market.market_id in a.holdings]
    assert sum(sizes) == 0, f"positions of market {market.market_id} do not sum to zero"
    assert market.open_interest_lots == sum(size for size in sizes if size > 0), "open interest differs from positions"
    if market.raises_margin:
        crowd = max(market.open_interest_lots, market.parameters.margin_rises_from_lots)
        assert market.crowd_lots == crowd, "open interest counts otherwise for margin"
    assert len(market.holders) == sum(1 for size in sizes if size), "holders differ from positions"
    assert all(holding.size_lots for holding in market.holders.values()), "a holder has no position"


def check_side(side: BookSide) -> list[Order]:
    assert side.keys == sorted(side.levels), "keys differ from levels"
    found: list[Order] = []
    for key, level in side.levels.items():
        order: Resting | None = level.head
        previous: Resting | None = None
        size = 0
        while order is not None:
            assert order.level is level and order.previous is previous, f"order {order.order_id} is wrongly linked"
            assert order.price_ticks * side.sign == key and order.sign == side.sign, f"order {order.order_id} at a wrong price"
            assert order.remaining_lots > 0, f"order {order.order_id} rests without a rest"
            size += order.remaining_lots
            found.append(cast(Order, order))
            previous, order = order, order.following
        assert level.tail is previous and level.size_lots == size, f"level {key} has a wrong tail or size"
    return found


def check_account(state: State, account: Account) -> None:
    for holding in account.holdings.values():
        check_holding(account, holding)
    for pool in account.pools():
        check_pool(account, pool)
        check_sums(state, pool)
    for order in account.orders.values():
        assert lives.is_live(order) and order.account is account, f"order {order.order_id} is not live"


def check_pool(account: Account, pool: MarginPool) -> None:
    """Every holding is in the pool of its market's mode, and in no other."""
    for market_id, holding in pool.holdings.items():
        assert holding.pool is pool and account.pool_of(market_id) is pool, f"market {market_id} is in a wrong pool"
        assert account.holdings[market_id] is holding, f"market {market_id} is not the account's"
    if pool.market_id:
        assert set(pool.holdings) == {pool.market_id}, f"isolated pool {pool.market_id} has another market's position"


def check_sums(state: State, pool: MarginPool) -> None:
    """Compare what is kept incrementally with what it would be if recomputed, without refreshing it."""
    name = f"account {pool.account.account_id} pool {pool.market_id}"
    holdings = pool.holdings.values()
    assert pool.initial_atoms == sum(holding.initial_atoms for holding in holdings), f"{name}: initial margin differs"
    assert pool.unrealised_atoms == sum(holding.unrealised_atoms for holding in holdings), f"{name}: unrealised differs"
    for holding in holdings:
        if holding.version == holding.market.version:
            assert holding.initial_atoms == margin.present_requirement(holding), f"{name}: a holding's initial margin is old"
            assert holding.unrealised_atoms == margin.unrealised(holding), f"{name}: a holding's unrealised is old"
        else:
            assert pool.epoch != state.mark_epoch, f"{name}: sums are called exact, but a holding is not"
    initial = sum(margin.present_requirement(holding) for holding in holdings)
    counted = sum(margin.counted(state.assets[asset], amount, INITIAL) for asset, amount in pool.collateral.items())
    if pool.epoch == state.mark_epoch:
        assert pool.collateral_initial_atoms == counted, f"{name}: collateral is counted at old prices"
    free = pool.cash_atoms + sum(margin.unrealised(holding) for holding in holdings) + counted - initial
    if pool.floor_epoch == state.mark_epoch and pool.account.account_id >= FIRST_USER_ACCOUNT:
        assert pool.floor_atoms <= free, f"{name}: floor {pool.floor_atoms} is above {free}"


def check_holding(account: Account, holding: Holding) -> None:
    market_id = holding.market.market_id
    own = [order for order in account.orders.values() if order.command.market_id == market_id]
    counted = [order for order in own if order.level is not None and not order.reduce_only]
    buys = [order for order in counted if order.sign > 0]
    sells = [order for order in counted if order.sign < 0]
    assert holding.order_count == len(own), "order count differs"
    assert holding.buy_lots == sum(order.remaining_lots for order in buys), "buy lots differ"
    assert holding.sell_lots == sum(order.remaining_lots for order in sells), "sell lots differ"
    assert holding.buy_value == sum(order.remaining_lots * order.price_ticks for order in buys), "buy value differs"
    assert holding.sell_value == sum(order.remaining_lots * order.price_ticks for order in sells), "sell value differs"
    assert holding.size_lots or not holding.cost_atoms, "a closed position has a cost"
    for order in own:
        if order.level is not None and order.reduce_only:
            assert order.remaining_lots <= -order.sign * holding.size_lots, f"reduce-only order {order.order_id} exceeds the position"


def check_orders(state: State) -> None:
    for order in state.orders.values():
        atoms = order.holding.market.tick_lot_atoms
        filled = order.size_lots - order.remaining_lots
        assert filled >= 0 and order.remaining_lots >= 0, f"order {order.order_id} is overfilled"
        assert (filled == 0) == (order.filled_quote_atoms == 0), f"order {order.order_id}: filled size and value disagree"
        assert order.filled_quote_atoms % atoms == 0, f"order {order.order_id}: value is not whole ticks"
        assert (order.level is not None) == (order.status == "open"), f"order {order.order_id}: {order.status} but not so on the book"
        assert lives.is_live(order) == (order.order_id in order.account.orders), f"order {order.order_id}: liveness differs"
        check_terms(state, order, filled)


def check_terms(state: State, order: Order, filled_lots: int) -> None:
    """A self-custodied account's order is covered by what was signed, which nothing else can use."""
    terms = order.terms
    assert (terms is not None) == order.account.self_custody, f"order {order.order_id}: signed where it need not be, or unsigned"
    if terms is None:
        return
    assert filled_lots - terms.from_lots <= terms.size_lots and order.sign == terms.sign, f"order {order.order_id}: beyond its signature"
    if lives.is_live(order):
        assert order.price_ticks == 0 or order.sign * order.price_ticks <= order.sign * terms.limit_ticks, "at a price that was not signed"
        assert order.size_lots - terms.from_lots <= terms.size_lots, f"order {order.order_id}: larger than its signature"
        assert terms.expiry_ms > state.stamp_ms and order.account.signed[terms.digest] == terms.expiry_ms, (
            "its signature could be used again"
        )
