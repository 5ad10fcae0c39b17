"""Nobody is closed on one print: a shortage counts once prices that were all published anew show it again."""

from trading.engine.index import Index
from trading.engine.state import MarginPool


def is_confirmed(pool: MarginPool) -> bool:
    """Tell whether a pool that is short was so before, by prices of which every one has been published anew since."""
    newest = [newest_ms(holding.market.index) for holding in pool.holdings.values() if holding.size_lots]
    if pool.short_ms == 0:
        pool.short_ms = max(newest, default=0)
        return not newest
    return min(newest, default=pool.short_ms + 1) > pool.short_ms


def newest_ms(index: Index) -> int:
    return max((source.published_ms for source in index.sources.values()), default=0)
