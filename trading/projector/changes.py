"""What a run of journal rows did to one order, position or market, folded into one change of its row."""

from typing import Any

from markets.events import OrderAccepted
from markets.parameters import MarketParameters


class OrderChange:
    """An order's new state; of one that is older than the run, `accepted` and what did not change are None.

    Fills are counted from the start of the run, which for a new order is from nothing.
    """

    __slots__ = (
        "accepted", "created", "fee_atoms", "filled_lots", "filled_quote_atoms", "price_ticks", "reason", "size_lots", "status",
        "trigger_ticks", "updated",
    )  # fmt: skip

    def __init__(self, accepted: OrderAccepted | None, created: str) -> None:
        self.accepted: OrderAccepted | None = accepted
        self.created: str = created
        self.updated: str = created
        self.filled_lots: int = 0
        self.filled_quote_atoms: int = 0
        self.fee_atoms: int = 0
        self.price_ticks: int | None = None
        self.size_lots: int | None = None
        self.trigger_ticks: int | None = None
        self.status: str | None = None
        self.reason: str | None = None
        if accepted is not None:
            self.price_ticks = accepted.price_ticks
            self.size_lots = accepted.size_lots
            self.trigger_ticks = accepted.order.trigger_ticks
            self.status = accepted.status


class PositionChange:
    """A position's new state. `opened` is set when it was opened within the run: then sums count from there, else from the run's start."""

    __slots__ = ("cost_atoms", "funding_atoms", "opened", "realised_atoms", "size_lots", "updated")

    def __init__(self) -> None:
        self.size_lots: int | None = None
        self.cost_atoms: int | None = None
        self.realised_atoms: int = 0
        self.funding_atoms: int = 0
        self.opened: str | None = None
        self.updated: str = ""

    def resize(self, before_lots: int, size_lots: int, cost_atoms: int, realised_atoms: int, time: str) -> None:
        """Take a new size; a position that is opened, or turned over, starts counting anew."""
        if (before_lots > 0) == (size_lots > 0) and (before_lots < 0) == (size_lots < 0):
            self.realised_atoms += realised_atoms
        else:
            self.realised_atoms = 0
            self.funding_atoms = 0
            self.opened = time
        self.size_lots = size_lots
        self.cost_atoms = cost_atoms
        self.updated = time


class MarketChange:
    """A market's latest prices (None: as before) and the growth of its open interest."""

    __slots__ = (
        "index_e8", "last_ticks", "mark_ticks", "open_interest_lots", "oracle_state", "parameters", "predicted_funding_ppb", "status",
        "status_reason", "updated",
    )  # fmt: skip

    def __init__(self) -> None:
        self.mark_ticks: int | None = None
        self.index_e8: int | None = None
        self.oracle_state: str | None = None
        self.predicted_funding_ppb: int | None = None
        self.last_ticks: int | None = None
        self.status: str | None = None
        self.status_reason: str | None = None
        self.parameters: MarketParameters | None = None
        self.open_interest_lots: int = 0
        self.updated: str = ""


class LiquidationChange:
    """A liquidation that began within the run (`started`), its steps, or both."""

    __slots__ = (
        "account_id", "closed_quote_atoms", "deleveraged", "ended", "equity_after_atoms", "equity_atoms", "fee_atoms",
        "insurance_paid_atoms", "maintenance_atoms", "pool_market_id", "started", "steps", "taken_over",
    )  # fmt: skip

    def __init__(self, account_id: int) -> None:
        self.account_id: int = account_id
        self.equity_atoms: int = 0
        self.maintenance_atoms: int = 0
        self.started: str | None = None
        self.closed_quote_atoms: int = 0
        self.fee_atoms: int = 0
        self.insurance_paid_atoms: int = 0
        self.taken_over: list[Any] = []
        self.equity_after_atoms: int | None = None
        self.ended: str | None = None
        self.pool_market_id: int = 0
        self.deleveraged: list[Any] = []
        self.steps: int = 0
