"""Empties the projected tables and makes them anew from the journal, archives included."""

from typing import Any

import psycopg

from markets.stamps import at
from trading import partitions
from trading.archive import bounds
from trading.ownership import connect_as_owner
from trading.progress import Progress
from trading.projector.projector import Projector

TABLES = (
    "accounts_balance", "accounts_ledgertransfer", "markets_candle", "markets_markcandle", "markets_market", "markets_trade",
    "oracle_oracleprice", "risk_deleveraging", "risk_fundingpayment", "risk_fundingrate",
    "risk_fundmovement", "risk_liquidation", "risk_liquidationstep", "trading_fill", "trading_order",
    "trading_position", "trading_usedclientorderid",
)  # fmt: skip


def rebuild(progress: Progress) -> int:
    """Rebuild all projected tables; return the journal row up to which they are current.

    A projector that runs meanwhile notices that the watermark went back, and takes part from there.
    """
    found = bounds()
    if found is not None:
        partitions.ensure_days(at(found.first_stamp_ms).date(), at(found.last_stamp_ms).date())
    with connect_as_owner() as connection, connection.transaction():
        truncate(connection)
    projector = Projector()
    with progress.task("rows projected", total=found.last_seq if found else 0) as advance:
        while done := projector.step():
            advance(done)
    return projector.seq


def truncate(connection: psycopg.Connection[Any]) -> None:
    """Empty the projected tables and take the watermark back to the journal's beginning."""
    # In the projector's own order: the watermark first, so that the two cannot wait for each other.
    connection.execute("update trading_projection set seq = 0, stamp_ms = 0 where id = 1")
    connection.execute(b"truncate " + ", ".join(TABLES).encode())
