"""Index and mark prices: from observations, on each of them and on each clock tick; and their ageing."""

from markets.commands import ObservePrice
from markets.events import MarkChanged
from markets.units import ticks_from_e8
from oracle.aggregate import FRESH_STATES, Index, Source, aggregate, jumps, refusal
from risk.mark import BASIS_WINDOW_MS, MID_WINDOW_MS, ema, mark_price_e8
from trading.engine import funding
from trading.engine.state import Market, State


def observe(state: State, command: ObservePrice) -> list[Market]:
    """Take in observations and return the markets that they concern."""
    concerned: dict[int, Market] = {}
    for item in command.observations:
        market = state.markets.get(item.market_id)
        if market is None or market.status == "delisted":
            continue
        source = Source(item.source, item.price_e8, item.confidence_e8, item.published_ms)
        if refusal(last=market.sources.get(item.source), observation=source, now_ms=state.stamp_ms) is None and confirmed(
            state, market, source
        ):
            market.sources[item.source] = source
        concerned[item.market_id] = market
    return list(concerned.values())


def confirmed(state: State, market: Market, source: Source) -> bool:
    """Hold a lone source's jump until a later observation is near it."""
    others = [other for other in fresh_sources(state, market) if other.source != source.source]
    if others or not market.index_e8 or not jumps(from_price_e8=market.index_e8, to_price_e8=source.price_e8):
        market.suspect = None
        return True
    suspect = market.suspect
    if (
        suspect is not None
        and suspect.published_ms < source.published_ms
        and not jumps(from_price_e8=suspect.price_e8, to_price_e8=source.price_e8)
    ):
        market.suspect = None
        return True
    market.suspect = source
    return False


def fresh_sources(state: State, market: Market) -> list[Source]:
    oldest = state.stamp_ms - market.parameters.oracle_max_age_ms
    return [source for source in market.sources.values() if source.published_ms >= oldest]


def combine(state: State, market: Market) -> Index:
    sources = [market.sources[name] for name in sorted(market.sources)]
    return aggregate(sources, now_ms=state.stamp_ms, max_age_ms=market.parameters.oracle_max_age_ms)


def update(state: State, market: Market) -> None:
    """Bring index, averages, premium and mark to the stamp. Without a fresh index they stay where they are."""
    index = combine(state, market)
    market.oracle_state = index.state
    if index.state in FRESH_STATES:
        market.index_e8 = index.price_e8
        average(state, market)
        funding.sample(state, market)
        set_mark(state, market, mark_ticks(market))
    state.ready_markets.add(market.market_id)
    watch_age(state, market)
    show(state, market)


def average(state: State, market: Market) -> None:
    """Move the averages of the book's mid price and of its basis towards now; without two sides the basis fades to nothing."""
    book = market.book
    two_sided = len(book.bids.keys) > 0 and len(book.asks.keys) > 0
    mid = (book.bids.best_ticks() + book.asks.best_ticks()) * market.parameters.tick_e8 // 2 if two_sided else 0
    basis = mid - market.index_e8 if two_sided else 0
    elapsed = state.stamp_ms - market.averaged_ms
    if market.averaged_ms == 0:
        market.basis_ema_e8 = basis
    else:
        market.basis_ema_e8 = ema(value=market.basis_ema_e8, sample=basis, elapsed_ms=elapsed, window_ms=BASIS_WINDOW_MS)
    if market.mid_ema_e8 and two_sided:
        market.mid_ema_e8 = ema(value=market.mid_ema_e8, sample=mid, elapsed_ms=elapsed, window_ms=MID_WINDOW_MS)
    else:
        market.mid_ema_e8 = mid
    market.averaged_ms = state.stamp_ms


def mark_ticks(market: Market) -> int:
    tick = market.parameters.tick_e8
    price = mark_price_e8(
        index_e8=market.index_e8,
        basis_ema_e8=market.basis_ema_e8,
        best_bid_e8=market.book.bids.best_ticks() * tick,
        best_ask_e8=market.book.asks.best_ticks() * tick,
        last_e8=market.last_ticks * tick,
        mid_ema_e8=market.mid_ema_e8,
        external_e8=0,
        clamp_ppm=market.parameters.mark_clamp_ppm,
    )
    return max(1, ticks_from_e8(price, tick))


def set_mark(state: State, market: Market, ticks: int) -> None:
    if ticks != market.mark_ticks:
        market.mark_ticks = ticks
        market.version += 1
        state.mark_epoch += 1


def watch_age(state: State, market: Market) -> None:
    """Note when the market's oldest fresh source will be too old."""
    ages = [source.published_ms + market.parameters.oracle_max_age_ms + 1 for source in fresh_sources(state, market)]
    if ages and (state.sources_due_ms == 0 or min(ages) < state.sources_due_ms):
        state.sources_due_ms = min(ages)


def age(state: State) -> None:
    """Let prices go stale in time: index and mark stay, only the state says that they are old."""
    if state.sources_due_ms == 0 or state.stamp_ms < state.sources_due_ms:
        return
    state.sources_due_ms = 0
    for market_id in sorted(state.markets):
        market = state.markets[market_id]
        if market.sources:
            market.oracle_state = combine(state, market).state
            watch_age(state, market)
            show(state, market)


def show(state: State, market: Market) -> None:
    """Report a market's prices when they look different from what was last reported."""
    predicted = funding.predicted_ppb(market)
    shown = (market.mark_ticks, market.index_e8, market.oracle_state, predicted)
    if shown == market.shown:
        return
    market.shown = shown
    state.events.append(
        MarkChanged(
            market_id=market.market_id,
            mark_ticks=market.mark_ticks,
            index_e8=market.index_e8,
            state=market.oracle_state,
            predicted_funding_ppb=predicted,
            sources=tuple(sorted(source.source for source in fresh_sources(state, market))),
        )
    )


def tick(state: State) -> list[Market]:
    """Bring every market's prices to the stamp."""
    markets = [state.markets[market_id] for market_id in sorted(state.markets)]
    for market in markets:
        if market.status != "delisted":
            update(state, market)
    return markets
