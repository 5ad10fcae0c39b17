"""Nobody is closed on one print: a shortage counts once prices that were all published anew show it again."""

from trading.engine.index import Index
from trading.engine.state import MarginPool, State


def is_confirmed(state: State, pool: MarginPool) -> bool:
    """Tell whether a pool that is short was so before, by prices of which every one has been published anew since.

    A price that nobody is liquidated by is not waited for: only the exchange's own pools are looked at while they have such.
    """
    newest = [newest_ms(index) for index in valuing(state, pool) if index.allows("liquidate")]
    if pool.short_ms == 0:
        pool.short_ms = max(newest, default=0)
        return not newest
    return min(newest, default=pool.short_ms + 1) > pool.short_ms


def valuing(state: State, pool: MarginPool) -> list[Index]:
    """Return the indices that value a pool: of its positions, and of its collateral."""
    found = [holding.market.index for holding in pool.holdings.values() if holding.size_lots]
    found += [state.indices[state.assets[name].parameters.index_id] for name in pool.collateral]
    return found


def newest_ms(index: Index) -> int:
    return max((source.published_ms for source in index.sources.values()), default=0)
