"""Funding: the premium is averaged over each hour, and paid once when the hour is over."""

from markets.events import FundingPaid
from markets.ledger import DUST
from risk.funding import eight_hour_rate_ppb, hourly_rate_ppb, payment_atoms, premium_ppb
from trading.engine import margin
from trading.engine.book import BookSide
from trading.engine.state import HOUR_MS, Market, State


def impact_e8(market: Market, side: BookSide) -> int:
    """Return the average price of the impact notional against a side, 0 when the side is thinner than that."""
    wanted = market.parameters.impact_notional_atoms // market.tick_lot_atoms
    value, lots = side.impact(wanted)
    return value * market.parameters.tick_e8 // lots if lots and value >= wanted else 0


def sample(state: State, market: Market) -> None:
    """Take the premium now; the one before counts for the time until now."""
    extend(market, state.stamp_ms)
    book = market.book
    market.premium_ppb = premium_ppb(
        impact_bid_e8=impact_e8(market, book.bids), impact_ask_e8=impact_e8(market, book.asks), index_e8=market.index.price_e8
    )
    market.premium_sampled_ms = state.stamp_ms


def extend(market: Market, until_ms: int) -> None:
    if market.premium_sampled_ms:
        elapsed = until_ms - market.premium_sampled_ms
        market.premium_sum += market.premium_ppb * elapsed
        market.premium_ms += elapsed
        market.premium_sampled_ms = until_ms


def average_premium_ppb(market: Market) -> int:
    """Return the hour's premium so far, rounded towards zero; the only sample itself when no time has passed since."""
    if market.premium_ms == 0:
        return market.premium_ppb
    magnitude = abs(market.premium_sum) // market.premium_ms
    return magnitude if market.premium_sum >= 0 else -magnitude


def predicted_ppb(market: Market) -> int:
    """Return this hour's rate as it stands, 0 without a sample."""
    if market.premium_sampled_ms == 0:
        return 0
    parameters = market.parameters
    eight_hours = eight_hour_rate_ppb(
        premium_ppb=average_premium_ppb(market),
        interest_ppb=parameters.interest_ppb,
        clamp_ppb=parameters.premium_clamp_ppb,
        cap_ppb=parameters.funding_cap_ppb,
    )
    return hourly_rate_ppb(eight_hours)


def next_hour_ms(stamp_ms: int) -> int:
    return (stamp_ms // HOUR_MS + 1) * HOUR_MS


def pay_due(state: State) -> None:
    """Pay each market's hours that have ended, once each; without a sample, or while positions are the chain's to change, for nothing."""
    if state.stamp_ms < state.hour_due_ms:
        return
    state.hour_due_ms = next_hour_ms(state.stamp_ms)
    for market_id in sorted(state.markets):
        market = state.markets[market_id]
        while market.funding_due_ms <= state.stamp_ms:
            if market.status != "delisted":
                pay(state, market)
            market.funding_due_ms += HOUR_MS


def pay(state: State, market: Market) -> None:
    extend(market, market.funding_due_ms)
    rate = 0 if state.paused else predicted_ppb(market)
    market.cumulative_funding += rate * market.index.price_e8
    payments = collect(state, market, rate) if rate else ()
    dust = -sum(amount for _, amount in payments)
    state.accounts[DUST].cross.cash_atoms += dust
    market.premium_sum = market.premium_ms = market.premium_ppb = market.premium_sampled_ms = 0
    state.events.append(
        FundingPaid(
            market_id=market.market_id,
            due_ms=market.funding_due_ms,
            rate_ppb=rate,
            index_e8=market.index.price_e8,
            payments=payments,
            dust_atoms=dust,
            cumulative=str(market.cumulative_funding),
        )
    )


def collect(state: State, market: Market, rate_ppb: int) -> tuple[tuple[int, int], ...]:
    payments: list[tuple[int, int]] = []
    index_e8 = market.index.price_e8
    for account_id in sorted(market.holders):
        holding = market.holders[account_id]
        amount = payment_atoms(size_lots=holding.size_lots, index_e8=index_e8, lot_e8=market.parameters.lot_e8, rate_ppb=rate_ppb)
        if amount:
            holding.funding_atoms += amount
            holding.pool.cash_atoms += amount
            margin.distrust(holding.pool)
            state.touched.add(account_id)
            payments.append((account_id, amount))
    return tuple(payments)
