"""The part of a snapshot that liquidations, the backstop and settlements depend on."""

import msgspec

from trading.engine import thresholds
from trading.engine.state import Liquidation, MarginPool, State


class PoolRecord(msgspec.Struct, array_like=True):
    """A pool that is called, short or being liquidated."""

    account_id: int
    market_id: int
    level: int
    short_ms: int
    liquidation: "LiquidationRecord | None"


class LiquidationRecord(msgspec.Struct, array_like=True):
    liquidation_id: int
    steps: int
    due_ms: int
    closed_quote_atoms: int
    fee_atoms: int
    insurance_paid_atoms: int
    taken_over: list[tuple[int, int, int]]
    deleveraged: list[tuple[int, int, int]]


class MarketAverageRecord(msgspec.Struct, array_like=True):
    market_id: int
    cumulative_funding: str  # beyond 64 bits, as the weighted prices of the buckets
    price_e8: int
    since_ms: int
    buckets: list[tuple[int, str, int]]


class WaterfallRecord(msgspec.Struct, array_like=True):
    backstop_capital_atoms: int
    unwind_due_ms: int
    pools: list[PoolRecord]
    markets: list[MarketAverageRecord]


def record_of(state: State) -> WaterfallRecord:
    pools = [pool for account_id in sorted(state.accounts) for pool in state.accounts[account_id].pools()]
    return WaterfallRecord(
        backstop_capital_atoms=state.backstop_capital_atoms,
        unwind_due_ms=state.unwind_due_ms,
        pools=[pool_record(pool) for pool in pools if pool.level or pool.short_ms or pool.liquidation],
        markets=[market_record(state, market_id) for market_id in sorted(state.markets)],
    )


def pool_record(pool: MarginPool) -> PoolRecord:
    running = pool.liquidation
    liquidation = None
    if running is not None:
        liquidation = LiquidationRecord(
            running.liquidation_id,
            running.steps,
            running.due_ms,
            running.closed_quote_atoms,
            running.fee_atoms,
            running.insurance_paid_atoms,
            running.taken_over,
            running.deleveraged,
        )
    return PoolRecord(pool.account.account_id, pool.market_id, pool.level, pool.short_ms, liquidation)


def market_record(state: State, market_id: int) -> MarketAverageRecord:
    market = state.markets[market_id]
    average = market.settlement
    buckets = [(start, str(weighted), held) for start, weighted, held in average.buckets]
    return MarketAverageRecord(market_id, str(market.cumulative_funding), average.price_e8, average.since_ms, buckets)


def restore(state: State, record: WaterfallRecord | None) -> None:
    """Take in what a snapshot says, none for one of earlier rules; thresholds are set anew at the next sweep."""
    thresholds.disarm_all(state)
    if record is None:
        return
    state.backstop_capital_atoms = record.backstop_capital_atoms
    state.unwind_due_ms = record.unwind_due_ms
    for entry in record.markets:
        market = state.markets[entry.market_id]
        market.cumulative_funding = int(entry.cumulative_funding)
        market.settlement.price_e8 = entry.price_e8
        market.settlement.since_ms = entry.since_ms
        market.settlement.buckets.extend((start, int(weighted), held) for start, weighted, held in entry.buckets)
    for one in record.pools:
        restore_pool(state, one)


def restore_pool(state: State, record: PoolRecord) -> None:
    pool = state.accounts[record.account_id].pool_of(record.market_id)
    pool.level = record.level
    pool.short_ms = record.short_ms
    state.unswept.add(record.account_id)
    if record.liquidation is None:
        return
    entry = record.liquidation
    running = pool.liquidation = Liquidation(entry.liquidation_id)
    running.steps = entry.steps
    running.due_ms = entry.due_ms
    running.closed_quote_atoms = entry.closed_quote_atoms
    running.fee_atoms = entry.fee_atoms
    running.insurance_paid_atoms = entry.insurance_paid_atoms
    running.taken_over = entry.taken_over
    running.deleveraged = entry.deleveraged
