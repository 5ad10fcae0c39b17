"""A liquidation in words: what happened, at which prices, why, and what it cost."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from markets import figures
from markets.figures import Direction
from markets.parameters import MarketParameters
from markets.selectors import market_by_id
from markets.stamps import ms
from risk.models import Dispute, Liquidation, LiquidationStep
from trading.api.liquidation_rows import average_text

STAGES = {
    "book": "Sold on the book",
    "backstop": "Taken over by the backstop",
    "deleveraging": "Closed against the other side",
    "chain": "Taken over on chain",
}
BOUGHT = "Bought back on the book"
STATUSES = {
    "open": "Open: staff will look into it",
    "compensating": "A compensation awaits its second approval",
    "compensated": "Compensated",
    "rejected": "Rejected",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """A time for people, and for the script that writes it in their own zone."""

    ms: int
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StepRow:
    number: int
    time: Moment
    symbol: str
    title: str
    sentence: str
    position: str
    direction: Direction
    closed: str
    price: str
    mark: str
    limit: str
    bankruptcy: str
    realised: str
    realised_direction: Direction
    fee: str
    equity: str
    maintenance: str
    equity_after: str
    maintenance_after: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LiquidationRow:
    number: int
    started: Moment
    ended: Moment | None
    margin: str
    outcome: str
    equity: str
    maintenance: str
    ratio: str
    equity_after: str
    closed: str
    fee: str
    insurance_paid: str
    insured: bool
    cost: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DisputeRow:
    opened: Moment
    text: str
    status: str
    resolution: str
    compensation: str
    is_open: bool


def moment(at: datetime) -> Moment:
    return Moment(ms=ms(at), text=f"{at:%d %b %Y %H:%M:%S}")


def liquidation_row(row: Liquidation, steps: list[LiquidationStep]) -> LiquidationRow:
    realised = sum(step.realised_atoms for step in steps)
    return LiquidationRow(
        number=row.id,
        started=moment(row.started_at),
        ended=moment(row.ended_at) if row.ended_at else None,
        margin=f"{market_by_id(row.pool_market_id).symbol}, isolated" if row.pool_market_id else "Cross margin",
        outcome=outcome(row, steps),
        equity=figures.dollars(row.equity_atoms),
        maintenance=figures.dollars(row.maintenance_atoms),
        ratio=f"{row.equity_atoms * 100 / row.maintenance_atoms:.1f} %" if row.maintenance_atoms else figures.NONE,
        equity_after=figures.NONE if row.equity_after_atoms is None else figures.dollars(row.equity_after_atoms),
        closed=figures.dollars(row.closed_quote_atoms),
        fee=figures.dollars(row.fee_atoms),
        insurance_paid=figures.dollars(row.insurance_paid_atoms),
        insured=row.insurance_paid_atoms > 0,
        cost=figures.dollars_signed(realised - row.fee_atoms),
    )


def outcome(row: Liquidation, steps: list[LiquidationStep]) -> str:
    """Say in one line how it went."""
    if row.ended_at is None:
        return "Running: it goes on after a pause, unless the price recovers"
    if row.deleveraged:
        return "Closed against the other side at the bankruptcy price"
    if row.taken_over:
        return "Taken over by the backstop"
    if not any(step.closed_lots for step in steps):
        return "Recovered by itself: nothing was closed"
    return "Taken over on chain" if steps[0].stage == "chain" else "Closed on the book"


def step_row(row: LiquidationStep) -> StepRow:
    market = market_by_id(row.market_id)
    long = row.position_lots > 0
    return StepRow(
        number=row.step,
        time=moment(row.taken_at),
        symbol=market.symbol,
        title=BOUGHT if row.stage == "book" and not long else STAGES[row.stage],
        sentence=sentence(row, market),
        position=figures.size(abs(row.position_lots), market),
        direction="up" if long else "down",
        closed=figures.size(abs(row.closed_lots), market),
        price=price(row, market),
        mark=figures.price(row.mark_ticks, market),
        limit=figures.price(row.limit_ticks, market),
        bankruptcy=figures.price(row.bankruptcy_ticks, market),
        realised=figures.dollars_signed(row.realised_atoms),
        realised_direction=figures.direction(row.realised_atoms),
        fee=figures.dollars(row.fee_atoms),
        equity=figures.dollars(row.equity_atoms),
        maintenance=figures.dollars(row.maintenance_atoms),
        equity_after=figures.dollars(row.equity_after_atoms),
        maintenance_after=figures.dollars(row.maintenance_after_atoms),
    )


def price(row: LiquidationStep, market: MarketParameters) -> str:
    """Return the average price of what was closed."""
    return figures.number(Decimal(average_text(row.quote_atoms, row.closed_lots, market))) if row.closed_lots else figures.NONE


def sentence(row: LiquidationStep, market: MarketParameters) -> str:
    """Say why the step was taken, and what came of it."""
    long = row.position_lots > 0
    closed, wanted = figures.size(abs(row.closed_lots), market), figures.size(abs(row.wanted_lots), market)
    limit = figures.price(row.limit_ticks, market)
    base = market.base_asset
    if row.stage == "book" and not row.closed_lots:
        return f"Nobody on the book {'bid' if long else 'offered'} {limit} or better, so nothing was {'sold' if long else 'bought'}."
    if row.stage == "book":
        verb, worse = ("Sold", "below") if long else ("Bought", "above")
        return f"{verb} {closed} {base}, not {worse} {limit}. To be sound again, with its buffer, the account had to close {wanted} {base}."
    if row.stage == "backstop":
        return f"Less than the backstop’s threshold was left of the margin. The backstop took {closed} {base} at {limit}."
    if row.stage == "chain":
        return f"While the exchange was silent, somebody took over {closed} {base} on chain, at the oracle’s price there less the fee."
    return f"Neither book nor backstop could take {closed} {base}: profitable positions closed it where nothing of its margin was left."


def dispute_row(row: Dispute) -> DisputeRow:
    return DisputeRow(
        opened=moment(row.opened_at),
        text=row.text,
        status=STATUSES[row.status],
        resolution=row.resolution,
        compensation=figures.dollars(row.amount_atoms) if row.status == "compensated" else "",
        is_open=row.status in ("open", "compensating"),
    )
