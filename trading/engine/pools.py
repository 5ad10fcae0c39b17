"""USDC between an account's cross pool and its isolated ones."""

from markets.events import IsolatedMarginMoved
from trading.engine import margin
from trading.engine.state import Holding, MarginPool, State


def top_up(state: State, holding: Holding, amount_atoms: int) -> None:
    """Bring in what an accepted order needs beyond what its isolated pool has."""
    if amount_atoms > 0:
        shift(state, holding.pool, amount_atoms)


def emptied(state: State, holding: Holding) -> None:
    """Note that an isolated pool may have margin to give back once the command is done."""
    state.emptied.add((holding.account.account_id, holding.market.market_id))


def shift(state: State, pool: MarginPool, amount_atoms: int) -> None:
    """Move USDC from the cross pool to an isolated one, or back when the amount is negative, and report it."""
    if amount_atoms == 0:
        return
    account = pool.account
    account.cross.cash_atoms -= amount_atoms
    pool.cash_atoms += amount_atoms
    margin.distrust(account.cross)
    margin.distrust(pool)
    state.touched.add(account.account_id)
    state.events.append(
        IsolatedMarginMoved(
            account_id=account.account_id, market_id=pool.market_id, amount_atoms=amount_atoms, margin_atoms=pool.cash_atoms
        )
    )


def release(state: State) -> None:
    """Give back to the cross pools what isolated ones without a position do not need for their orders."""
    found = sorted(state.emptied)
    state.emptied.clear()
    for account_id, market_id in found:
        pool = state.accounts[account_id].isolated.get(market_id)
        if pool is None or pool.holdings[market_id].size_lots:
            continue
        free = margin.available(state, pool)
        if free > 0:
            shift(state, pool, -free)
