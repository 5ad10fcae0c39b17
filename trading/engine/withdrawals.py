"""What may leave an account, and the exchange; and what may arrive."""

from typing import Final

from markets.assets import QUOTE
from markets.ledger import BACKSTOP, CLEARING, FIRST_USER_ACCOUNT, NAMES, SOURCES
from markets.rejects import Reject
from markets.units import asset_value_atoms
from oracle.actions import IndexState
from trading.engine import margin
from trading.engine.state import HOUR_MS, Account, MarginPool, State

DAY_MS: Final = 24 * HOUR_MS
OWN: Final = (*SOURCES, CLEARING, BACKSTOP)  # what these have less than nothing is counted otherwise


def refusal(state: State, account: Account, asset: str, amount_atoms: int) -> Reject | None:
    """Refuse what prices do not admit now, what the account needs, or what others owe."""
    closed = closed_price(state, account.cross, asset)
    if closed is not None:
        return Reject("PRICE_STALE", {"oracle_state": closed})
    return short(state, account, asset, amount_atoms) or unpaid(state, account, asset, amount_atoms)


def closed_price(state: State, pool: MarginPool, asset: str) -> IndexState | None:
    """Return the state of a price that values the pool, or what leaves it, and does not admit withdrawals."""
    ids = [holding.market.market_id for holding in pool.holdings.values() if holding.size_lots]
    ids += [state.assets[name].parameters.index_id for name in pool.collateral if name != asset or pool.holdings]
    if asset != QUOTE:
        ids.append(state.assets[asset].parameters.index_id)
    for index_id in ids:
        index = state.indices[index_id]
        if not index.allows("withdraw"):
            return index.state
    return None


def short(state: State, account: Account, asset: str, amount_atoms: int) -> Reject | None:
    free = withdrawable(state, account, asset)
    return Reject("INSUFFICIENT_BALANCE", named(asset) | {"withdrawable_atoms": free}) if amount_atoms > free else None


def named(asset: str) -> dict[str, int | str]:
    """Return the fact that amounts are not in USDC, where they are not."""
    return {} if asset == QUOTE else {"asset": asset}


def withdrawable(state: State, account: Account, asset: str) -> int:
    if asset == QUOTE:
        return margin.withdrawable(state, account.cross)
    return margin.withdrawable_of(state, account.cross, state.assets[asset])


def payable(state: State, account: Account, asset: str) -> int:
    """Return what may leave the account now, the exchange's limits of hour and day apart.

    What is owed beyond the backstop's float is not in the vault: until it is paid, of each account's USDC only the part that is
    there for all may leave. Nobody gains by being first, and a small debt keeps nobody's money in.
    """
    free = withdrawable(state, account, asset)
    missing = missing_atoms(state) if asset == QUOTE else 0
    if missing <= 0:
        return free
    vault = max(0, vault_atoms(state))
    return free * vault // (vault + missing)


def unpaid(state: State, account: Account, asset: str, amount_atoms: int) -> Reject | None:
    """Refuse what others owe, and the vault therefore has not."""
    free = payable(state, account, asset)
    return Reject("LIQUIDITY_SHORT", liquidity(state) | {"withdrawable_atoms": free}) if amount_atoms > free else None


def illiquid(state: State) -> Reject | None:
    """Refuse a debtor's new risk while more USDC is owed than the backstop has."""
    return Reject("LIQUIDITY_SHORT", liquidity(state)) if missing_atoms(state) > 0 else None


def missing_atoms(state: State) -> int:
    """Return how much more USDC accounts could take out than the exchange holds; not positive where all of it is there.

    Two bounds hold, and the lesser counts: what is owed once unrealised losses count, beyond the float; and what was paid out that
    nobody has paid in. A loss that is as unrealised as the profit on its other side is not missed by anybody.
    """
    paid = paid_out(state)
    return paid if paid <= 0 else min(paid, total_debt(state) - float_atoms(state))


def paid_out(state: State) -> int:
    """Return the USDC that users were left with beyond what came in: debts in cash, and profits that no loser has paid yet."""
    owed = sum(max(0, -state.accounts[account_id].cross.cash_atoms) for account_id in state.debtors | state.touched if is_user(account_id))
    lacking = sum(max(0, -state.accounts[account_id].cross.cash_atoms) for account_id in NAMES if account_id not in OWN)
    return owed + lacking - state.clearing.cash_atoms - state.accounts[BACKSTOP].cross.cash_atoms


def is_user(account_id: int) -> bool:
    return account_id >= FIRST_USER_ACCOUNT


def liquidity(state: State) -> dict[str, int | str]:
    return {"owed_atoms": total_debt(state), "float_atoms": float_atoms(state)}


def total_debt(state: State) -> int:
    """Return what is owed by the accounts that can owe: those below zero or short, those just touched, those with other collateral.

    All of them are looked at when marks have moved, and then only those that were touched since. What the exchange itself has paid
    without having it is owed as well.
    """
    changed = state.owing_changed | state.touched
    if state.owing_epoch != state.mark_epoch:
        changed |= state.debtors | state.unswept
        for asset in state.assets.values():
            for account_id, pool in asset.holders.items():
                if pool.holdings:  # without any, only a debtor can owe
                    changed.add(account_id)
        state.owing, state.owing_atoms, state.owing_epoch = {}, 0, state.mark_epoch
    state.owing_changed = set()  # who is touched in this batch is noted again at its end
    for account_id in changed:
        if is_user(account_id):
            now = owed(state.accounts[account_id].cross)
            before = state.owing.get(account_id, 0)
            if now != before:
                state.owing_atoms += now - before
                state.owing[account_id] = now
    return state.owing_atoms + max(0, -state.fees.cash_atoms)


def owed(pool: MarginPool) -> int:
    """Return the USDC that a pool owes once its unrealised losses are counted; what its collateral is worth is no matter here."""
    profit = 0
    for holding in pool.holdings.values():
        if holding.size_lots:
            profit += margin.unrealised(holding)
    return max(0, -(pool.cash_atoms + min(0, profit)))


def float_atoms(state: State) -> int:
    return max(0, state.accounts[BACKSTOP].cross.cash_atoms)


def over_limit(state: State, asset: str, amount_atoms: int) -> Reject | None:
    """Refuse what exceeds what may leave the exchange within the running hour and day."""
    start_windows(state)
    value = value_atoms(state, asset, amount_atoms)
    hour = state.risk_parameters.withdrawal_hour_atoms - state.withdrawn_hour_atoms
    day = state.risk_parameters.withdrawal_day_atoms - state.withdrawn_day_atoms
    if value > hour:
        return Reject("WITHDRAWAL_LIMIT", {"window": "hour", "left_atoms": max(0, hour), "until_ms": state.withdrawal_hour_ms + HOUR_MS})
    if value > day:
        return Reject("WITHDRAWAL_LIMIT", {"window": "day", "left_atoms": max(0, day), "until_ms": state.withdrawal_day_ms + DAY_MS})
    return None


def start_windows(state: State) -> None:
    hour = state.stamp_ms - state.stamp_ms % HOUR_MS
    day = state.stamp_ms - state.stamp_ms % DAY_MS
    if hour != state.withdrawal_hour_ms:
        state.withdrawal_hour_ms, state.withdrawn_hour_atoms = hour, 0
    if day != state.withdrawal_day_ms:
        state.withdrawal_day_ms, state.withdrawn_day_atoms = day, 0


def count(state: State, asset: str, amount_atoms: int) -> None:
    value = value_atoms(state, asset, amount_atoms)
    state.withdrawn_hour_atoms += value
    state.withdrawn_day_atoms += value


def value_atoms(state: State, asset: str, amount_atoms: int) -> int:
    """Return an amount's value at index, weights and confidence apart."""
    if asset == QUOTE:
        return amount_atoms
    parameters = state.assets[asset].parameters
    index = state.indices[parameters.index_id]
    return asset_value_atoms(amount_atoms=amount_atoms, price_e8=index.price_e8, decimals=parameters.decimals)


def over_cap(state: State, account: Account, asset: str, amount_atoms: int, arrives: bool) -> Reject | None:
    """Refuse what an account may not hold, and of what arrives from outside what all accounts together may not."""
    entry = state.assets[asset]
    own = account.usdc_atoms() if asset == QUOTE else account.cross.collateral.get(asset, 0)
    cap = entry.parameters.account_cap_atoms
    if own + amount_atoms > cap:
        return Reject("DEPOSIT_CAP", named(asset) | {"account_cap_atoms": cap, "held_atoms": own})
    cap = entry.parameters.exchange_cap_atoms
    every = vault_atoms(state) if asset == QUOTE else entry.total_atoms
    if arrives and every + amount_atoms > cap:
        return Reject("DEPOSIT_CAP", named(asset) | {"exchange_cap_atoms": cap, "held_atoms": every})
    return None


def vault_atoms(state: State) -> int:
    """Return the USDC that the exchange holds: what came in from outside and has not left."""
    return -sum(state.accounts[account_id].cross.cash_atoms for account_id in SOURCES)
