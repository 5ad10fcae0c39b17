"""What a run of journal rows did to one order, position or market, folded into one change of its row."""

from dataclasses import dataclass, field
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

    def __init__(self, accepted: OrderAccepted | None = None, created: str = "") -> None:
        self.accepted = accepted
        self.created = self.updated = created
        self.price_ticks = accepted.price_ticks if accepted else None
        self.size_lots = accepted.size_lots if accepted else None
        self.trigger_ticks = accepted.order.trigger_ticks if accepted else None
        self.status: str | None = accepted.status if accepted else None
        self.reason: str | None = None
        self.filled_lots = 0
        self.filled_quote_atoms = 0
        self.fee_atoms = 0


class PositionChange:
    """A position's new state. `opened` is set when it was opened within the run: then sums count from there, else from the run's start."""

    __slots__ = ("cost_atoms", "funding_atoms", "opened", "realised_atoms", "size_lots", "updated")

    def __init__(self) -> None:
        self.size_lots: int | None = None
        self.cost_atoms: int | None = None
        self.realised_atoms = 0
        self.funding_atoms = 0
        self.opened: str | None = None
        self.updated = ""

    def resize(self, *, before_lots: int, size_lots: int, cost_atoms: int, realised_atoms: int, time: str) -> None:
        """Take a new size; a position that is opened, or turned over, starts counting anew."""
        if (before_lots > 0) - (before_lots < 0) != (size_lots > 0) - (size_lots < 0):
            self.realised_atoms = self.funding_atoms = 0
            self.opened = time
        else:
            self.realised_atoms += realised_atoms
        self.size_lots = size_lots
        self.cost_atoms = cost_atoms
        self.updated = time


@dataclass(slots=True)
class MarketChange:
    """A market's latest prices (None: as before) and the growth of its open interest."""

    mark_ticks: int | None = None
    index_e8: int | None = None
    oracle_state: str | None = None
    predicted_funding_ppb: int | None = None
    last_ticks: int | None = None
    status: str | None = None
    status_reason: str | None = None
    parameters: MarketParameters | None = None
    open_interest_lots: int = 0
    updated: str = ""


@dataclass(slots=True)
class LiquidationChange:
    """A liquidation that began within the run (`started`), its steps, or both."""

    account_id: int
    equity_atoms: int = 0
    maintenance_atoms: int = 0
    started: str | None = None
    closed_quote_atoms: int = 0
    fee_atoms: int = 0
    insurance_paid_atoms: int = 0
    taken_over: list[Any] = field(default_factory=list)
    equity_after_atoms: int | None = None
    ended: str | None = None
