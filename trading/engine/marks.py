"""Index and mark prices: from observations, on each of them and on each clock tick; and their ageing."""

from markets.commands import HaltIndex, ObservePrice
from markets.events import IndexChanged, IndexHalted, MarkChanged
from markets.rejects import Reject
from markets.units import ticks_from_e8
from markets.views import Reply
from oracle.aggregate import Source
from risk.mark import BASIS_WINDOW_MS, MID_WINDOW_MS, ema, mark_price_e8
from trading.engine import funding
from trading.engine.index import Index
from trading.engine.orders import MARKET_NOT_FOUND, expired
from trading.engine.pricing import reprice
from trading.engine.state import Market, State


def index_for(state: State, index_id: int, asset: str) -> Index:
    """Return the index of an asset, made on first use."""
    index = state.indices.get(index_id)
    if index is None:
        index = state.indices[index_id] = Index(index_id, asset)
    return index


def observe(state: State, command: ObservePrice) -> list[Index]:
    """Take in observations and return the indices that they concern, settled."""
    concerned: dict[int, Index] = {}
    for item in command.observations:
        index = state.indices.get(item.market_id)
        if index is None:
            continue
        index.observe(Source(item.source, item.price_e8, item.confidence_e8, item.published_ms), state.stamp_ms)
        concerned[item.market_id] = index
    for index in concerned.values():
        refresh(state, index)
        reprice(state, index)
    return list(concerned.values())


def refresh(state: State, index: Index) -> None:
    """Bring an index to the stamp, and with it the market whose index it is."""
    market = state.markets.get(index.index_id)
    if market is not None and market.status != "delisted":
        update(state, market)
        return
    index.settle(state.stamp_ms)
    watch_age(state, index)
    show_index(state, index)


def update(state: State, market: Market) -> None:
    """Bring index, averages, premium and mark to the stamp. Without a price that marks may follow they stay where they are."""
    index = market.index
    index.settle(state.stamp_ms)
    if index.allows("mark"):
        average(state, market)
        if index.allows("settle"):
            market.settlement.sample(index.price_e8, state.stamp_ms)
        if index.allows("fund"):
            funding.sample(state, market)
        set_mark(state, market, mark_ticks(market))
    state.ready_markets.add(market.market_id)
    watch_age(state, index)
    show(state, market)


def average(state: State, market: Market) -> None:
    """Move the averages of the book's mid price and of its basis towards now; without two sides the basis fades to nothing."""
    book = market.book
    two_sided = len(book.bids.keys) > 0 and len(book.asks.keys) > 0
    mid = (book.bids.best_ticks() + book.asks.best_ticks()) * market.parameters.tick_e8 // 2 if two_sided else 0
    basis = mid - market.index.price_e8 if two_sided else 0
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
        index_e8=market.index.price_e8,
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


def watch_age(state: State, index: Index) -> None:
    """Note when the index's oldest fresh source will be too old."""
    due = index.ages_ms(state.stamp_ms)
    if due and (state.sources_due_ms == 0 or due < state.sources_due_ms):
        state.sources_due_ms = due


def age(state: State) -> None:
    """Let prices go stale in time: index and mark stay, only the state says that they are old."""
    if state.sources_due_ms == 0 or state.stamp_ms < state.sources_due_ms:
        return
    state.sources_due_ms = 0
    for index_id in sorted(state.indices):
        index = state.indices[index_id]
        if index.sources:
            index.age(state.stamp_ms)
            reprice(state, index)
            watch_age(state, index)
            market = state.markets.get(index_id)
            if market is not None:
                show(state, market)
            else:
                show_index(state, index)


def show(state: State, market: Market) -> None:
    """Report a market's prices when they look different from what was last reported."""
    index = market.index
    predicted = funding.predicted_ppb(market)
    readings = index.readings(state.stamp_ms)
    verdicts = index.summary(readings)
    shown = (market.mark_ticks, index.price_e8, index.state, predicted)
    if shown == market.shown and verdicts == index.verdicts:
        return
    market.shown = shown
    index.verdicts = verdicts
    state.events.append(
        MarkChanged(
            market_id=market.market_id,
            mark_ticks=market.mark_ticks,
            index_e8=index.price_e8,
            state=index.state,
            predicted_funding_ppb=predicted,
            sources=tuple(sorted(source.source for source in index.fresh(state.stamp_ms))),
            confidence_e8=index.confidence_e8,
            readings=readings,
            recovering=index.recovering_ms > 0,
            halt_reason=index.halt_reason,
            stable_e8=index.stable.price_e8,
        )
    )


def show_index(state: State, index: Index) -> None:
    """Report the price of an asset without a market when it looks different from what was last reported."""
    readings = index.readings(state.stamp_ms)
    verdicts = f"{index.state} {index.price_e8} {index.summary(readings)}"
    if verdicts == index.verdicts:
        return
    index.verdicts = verdicts
    state.events.append(
        IndexChanged(
            index_id=index.index_id, price_e8=index.price_e8, confidence_e8=index.confidence_e8, state=index.state, readings=readings
        )
    )


def tick(state: State) -> list[Market]:
    """Bring every price to the stamp; return the markets."""
    for index_id in sorted(state.indices):
        refresh(state, state.indices[index_id])
        reprice(state, state.indices[index_id])
    return [state.markets[market_id] for market_id in sorted(state.markets)]


def halt(state: State, command: HaltIndex) -> Reply:
    """Stop or go on using a price, as staff says."""
    index = state.indices.get(command.index_id)
    late = expired(state, command.valid_until_ms)
    if late is not None or index is None:
        return Reply(reject=late or MARKET_NOT_FOUND)
    if index.halt_reason == command.reason:
        return Reply(reject=Reject("NOTHING_TO_CHANGE"))
    index.halt_reason = command.reason
    state.events.append(IndexHalted(index_id=command.index_id, reason=command.reason, author=command.author))
    refresh(state, index)
    reprice(state, index)
    return Reply()
