"""Which pools are short now, found without looking at all of them; and the warnings before.

A sweep gives what a full scan of all pools would: each is looked at whose thresholds were crossed, or which has changed since
it was last looked at (`unswept`, and the accounts that this batch has touched). First all levels are taken, then those that
are short are liquidated, so that what one liquidation does is seen by the next sweep, whoever is looked at.
"""

from markets.events import MarginCalled
from markets.ledger import FIRST_USER_ACCOUNT
from risk.liquidation import SECOND_CALL, SHORT, margin_level
from trading.engine import backstop, liquidation, margin, thresholds
from trading.engine.confirmation import is_confirmed
from trading.engine.state import MarginPool, State


def sweep(state: State) -> None:
    """Warn and liquidate whom the present marks concern, lowest account first, then tend the exchange's own positions."""
    if state.status == "halted":
        return
    for pool in [pool for pool in take_due(state) if check(state, pool)]:
        liquidation.proceed(state, pool)
    backstop.tend(state)


def take_due(state: State) -> list[MarginPool]:
    thresholds.disarm_crossed(state)
    accounts = sorted(state.unswept | state.touched)
    state.unswept = set()
    due: list[MarginPool] = []
    for account_id in accounts:
        if account_id >= FIRST_USER_ACCOUNT:
            due.extend(pool for pool in state.accounts[account_id].pools() if not pool.armed)
    return due


def check(state: State, pool: MarginPool) -> bool:
    """Take a pool's level, and tell whether to begin or go on with its liquidation. Nothing changes where none is possible."""
    if not (is_priced(state, pool) and may_act(state, pool)):
        state.unswept.add(pool.account.account_id)
        return False
    equity = margin.equity(state, pool)
    maintenance = margin.maintenance(state, pool)
    parameters = state.risk_parameters
    level = margin_level(
        equity_atoms=equity,
        maintenance_atoms=maintenance,
        present=pool.level,
        calls_ppm=parameters.call_ppm,
        relief_ppm=parameters.call_relief_ppm,
    )
    if level != pool.level:
        call(state, pool, level, equity, maintenance)
    if level != SHORT:
        pool.short_ms = 0
        thresholds.arm(state, pool, equity, maintenance)
        return pool.liquidation is not None
    state.unswept.add(pool.account.account_id)
    return pool.liquidation is not None or is_confirmed(state, pool)


def call(state: State, pool: MarginPool, level: int, equity_atoms: int, maintenance_atoms: int) -> None:
    """Keep a new level and warn of it; who falls short at once is called at the second level first."""
    before = pool.level
    pool.level = level
    called = SECOND_CALL if level == SHORT else level
    if called == before:
        return
    state.touched.add(pool.account.account_id)
    state.events.append(
        MarginCalled(
            account_id=pool.account.account_id,
            market_id=pool.market_id,
            level=called,
            equity_atoms=equity_atoms,
            maintenance_atoms=maintenance_atoms,
        )
    )


def is_priced(state: State, pool: MarginPool) -> bool:
    """Tell whether every price that values the pool is fit to liquidate by."""
    for name in pool.collateral:
        if not state.indices[state.assets[name].parameters.index_id].allows("liquidate"):
            return False
    return all(holding.market.index.allows("liquidate") for holding in pool.holdings.values() if holding.size_lots)


def may_act(state: State, pool: MarginPool) -> bool:
    """Tell whether anything can be done for the pool: it has a position that may be closed, or none."""
    held = backstop.open_holdings(pool)
    return not held or any(backstop.may_close(state, holding) for holding in held)
