"""Rows of what a liquidation did, step by step; lines for COPY."""

from typing import Final

from markets.events import LiquidationStepped, PositionDeleveraged
from markets.ledger import BACKSTOP, INSURANCE

FUNDS: Final = (INSURANCE, BACKSTOP)


def step_line(event: LiquidationStepped, time: str) -> str:
    return (
        f"{event.liquidation_id}\t{event.step}\t{event.stage}\t{event.market_id}\t{event.position_lots}\t{event.wanted_lots}"
        f"\t{event.closed_lots}\t{event.mark_ticks}\t{event.limit_ticks}\t{event.bankruptcy_ticks}\t{event.quote_atoms}"
        f"\t{event.realised_atoms}\t{event.fee_atoms}\t{event.equity_atoms}\t{event.maintenance_atoms}\t{event.equity_after_atoms}"
        f"\t{event.maintenance_after_atoms}\t{time}\n"
    )


def deleveraging_line(row_id: int, event: PositionDeleveraged, time: str) -> str:
    return (
        f"{row_id}\t{event.liquidation_id}\t{event.bankrupt_account_id}\t{event.account_id}\t{event.market_id}\t{event.position_lots}"
        f"\t{event.closed_lots}\t{event.mark_ticks}\t{event.quote_atoms}\t{event.profit_atoms}\t{event.side_profit_atoms}"
        f"\t{event.realised_atoms}\t{time}\n"
    )


def movement_line(  # noqa: PLR0917 - for each transfer of a fund
    transfer_id: int, debit: int, credit: int, asset: str, amount: int, kind: str, end: str
) -> str:
    """Return the row of a transfer into a fund, or out of it; between the two funds it counts as the credited one's.

    `end` is that of the transfer's own row: trade, reason and time.
    """
    incoming = credit in FUNDS
    fund, other = (credit, debit) if incoming else (debit, credit)
    reason_and_time = end.split("\t", 2)[2]
    return f"{transfer_id}\t{fund}\t{other}\t{asset}\t{amount if incoming else -amount}\t{kind}\t{reason_and_time}"
