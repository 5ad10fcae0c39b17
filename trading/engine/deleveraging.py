"""Closing a bankrupt position against the other side, in proportion to unrealised profit; nobody without a position is touched."""

from markets.events import LedgerTransfer, PositionDeleveraged
from markets.ledger import DUST, INSURANCE
from risk.deleveraging import shares, values
from trading.engine import margin
from trading.engine.ledger import post, transfer
from trading.engine.moves import close_for, move_position
from trading.engine.state import Holding, Market, State


def deleverage(state: State, holding: Holding, equity_atoms: int, liquidation_id: int) -> tuple[int, int]:
    """Close a whole position at its bankruptcy price: at mark, less the equity that falls to it (more, for a debt).

    Returns the exact value, and what the closed position realised. The other side's parts of the value are rounded against
    each of them, and the dust account has what is left.
    """
    market = holding.market
    size = holding.size_lots
    lots = abs(size)
    at_mark = lots * market.mark_ticks * market.tick_lot_atoms
    quote = max(0, at_mark - equity_atoms if size > 0 else at_mark + equity_atoms)
    others = opposite(holding)
    profits = [max(0, margin.unrealised(other)) for other in others]
    parts = divided(lots, [abs(other.size_lots) for other in others], profits)
    rest = lots - sum(parts)
    amounts, dust = values(value_atoms=quote if size < 0 else -quote, lots=[*parts, rest])
    realised, lines = close_for(state, holding, lots, quote, "deleveraging")
    side_profit = sum(profits)
    for other, part, amount, profit in zip(others, parts, amounts[: len(others)], profits, strict=True):
        if part:
            lines += close_other(state, holding, other, part, abs(amount), profit, side_profit, liquidation_id)
    if rest:
        lines += take_rest(state, market, rest if size > 0 else -rest, amounts[-1])
    if dust:
        lines.append(transfer(state.clearing, state.accounts[DUST].cross, dust, "dust"))
    if lines:
        post(state, lines, f"deleveraging {liquidation_id}")
    return quote, realised


def opposite(holding: Holding) -> list[Holding]:
    """Return the positions that take a bankrupt one over, by account. Positions sum to zero, so there is enough for a wallet's.

    On chain nothing proves that an account is bankrupt whose key the platform holds: only others like it take it over.
    """
    holders = holding.market.holders
    others = [holders[account_id] for account_id in sorted(holders) if holders[account_id].size_lots * holding.size_lots < 0]
    return others if holding.account.self_custody else [other for other in others if not other.account.self_custody]


def take_rest(state: State, market: Market, signed_lots: int, amount_atoms: int) -> list[LedgerTransfer]:
    """Let the insurance account take at mark what no wallet may be asked for; the exchange bears what that is worth less than it costs."""
    lines = move_position(state, state.accounts[INSURANCE].holding(market), signed_lots, market.mark_ticks)
    lost = -amount_atoms - signed_lots * market.mark_ticks * market.tick_lot_atoms
    if lost > 0:
        lines.append(transfer(state.fees, state.clearing, lost, "deleveraging"))
    elif lost < 0:
        lines.append(transfer(state.clearing, state.fees, -lost, "deleveraging"))
    return lines


def divided(lots: int, capacities: list[int], profits: list[int]) -> list[int]:
    """Divide lots by profit; what the profitable cannot take falls to the rest by size."""
    parts = list(shares(lots=lots, capacities=capacities, weights=profits))
    missing = lots - sum(parts)
    if missing:
        room = [capacity - part for capacity, part in zip(capacities, parts, strict=True)]
        more = shares(lots=missing, capacities=room, weights=room)
        parts = [part + extra for part, extra in zip(parts, more, strict=True)]
    return parts


def close_other(
    state: State,
    holding: Holding,
    other: Holding,
    lots: int,
    quote_atoms: int,
    profit_atoms: int,
    side_profit_atoms: int,
    liquidation_id: int,
) -> list[LedgerTransfer]:
    before = other.size_lots
    realised, lines = close_for(state, other, lots, quote_atoms, "deleveraging")
    state.events.append(
        PositionDeleveraged(
            liquidation_id=liquidation_id,
            bankrupt_account_id=holding.account.account_id,
            account_id=other.account.account_id,
            market_id=holding.market.market_id,
            position_lots=before,
            closed_lots=lots if before > 0 else -lots,
            mark_ticks=holding.market.mark_ticks,
            quote_atoms=quote_atoms,
            profit_atoms=profit_atoms,
            side_profit_atoms=side_profit_atoms,
            realised_atoms=realised,
        )
    )
    return lines
