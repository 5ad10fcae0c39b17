"""Positions that change other than by a match: at a price, or for an exact value."""

from markets.events import LedgerKind, LedgerTransfer, PositionChanged
from trading.engine import margin
from trading.engine.ledger import realise
from trading.engine.pools import emptied
from trading.engine.positions import apply_fill, apply_value, follow
from trading.engine.state import Holding, State


def move_position(state: State, holding: Holding, signed_lots: int, price_ticks: int) -> list[LedgerTransfer]:
    """Change a position at a price, and settle what that realises."""
    realised = apply_fill(holding, signed_lots, price_ticks)
    report(state, holding, signed_lots, realised)
    return realise(state, holding.pool, realised)


def close_for(state: State, holding: Holding, lots: int, quote_atoms: int, kind: LedgerKind) -> tuple[int, list[LedgerTransfer]]:
    """Close lots of a position for an exact value, which need not be a whole number of ticks; return what that realises."""
    signed_lots = -lots if holding.size_lots > 0 else lots
    realised = apply_value(holding, signed_lots, quote_atoms if signed_lots > 0 else -quote_atoms)
    report(state, holding, signed_lots, realised)
    return realised, realise(state, holding.pool, realised, kind)


def report(state: State, holding: Holding, signed_lots: int, realised_atoms: int) -> None:
    account_id = holding.account.account_id
    margin.distrust(holding.pool)
    margin.count_crowd(state, holding.market)
    if holding.pool.market_id and holding.size_lots == 0:
        emptied(state, holding)
    state.touched.add(account_id)
    state.events.append(
        PositionChanged(
            account_id=account_id,
            market_id=holding.market.market_id,
            size_lots=holding.size_lots,
            cost_atoms=holding.cost_atoms,
            realised_atoms=realised_atoms,
            previous_lots=holding.size_lots - signed_lots,
        )
    )
    if holding.reducing:
        follow(state, holding)
