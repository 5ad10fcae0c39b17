"""The markets page's rows: a market's card with its day as a curve, what it is sorted by, and whether it is a favourite."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from markets import figures, units
from markets.cards import MarketCard, market_card
from markets.figures import Direction
from markets.series import SPARK_POINTS, SPARK_STEP_MS
from markets.tickers import DayFigures
from markets.views import MarketView

HOURS_A_YEAR = 24 * 365
CURVE_WIDTH, CURVE_HEIGHT, CURVE_MARGIN = 94, 28, 2
FAVOURITES_COOKIE = "qd_favourites"
FAVOURITES_SEPARATOR = "."
QUERY_LENGTH = 40
SORTS: Final = ("market", "last", "change", "volume", "open_interest", "funding")
DEFAULT_SORT = "volume"
SOURCE_WORDS = {"live": "Live", "simulated": "Simulated", "replay": "Replayed"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What the table is sorted by; text rises and numbers fall, until asked for the other way."""

    sort: str
    falling: bool

    @property
    def aria(self) -> str:
        return "descending" if self.falling else "ascending"

    def other(self, sort: str) -> str:
        """Return the direction that choosing a column leads to."""
        falling = not self.falling if sort == self.sort else sort != "market"
        return "desc" if falling else "asc"


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """Which markets a visitor wants to see."""

    query: str
    favourites_only: bool

    def shows(self, card: MarketCard, *, favourite: bool) -> bool:
        return self.query.strip().lower() in card.search and (favourite or not self.favourites_only)


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    card: MarketCard
    favourite: bool
    hidden: bool
    values: dict[str, Any]  # of each sort
    funding_annual: str
    curve: str  # a polyline's points
    area: str  # and the polygon's below it
    curve_direction: Direction
    curve_ticks: str
    curve_until_ms: int
    prices: str
    prices_fine: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Totals:
    quote_volume: str
    open_interest: str
    markets: int


def order_of(query: Any) -> Order:
    """Return the order that a query string asks for; what is not one is the default."""
    sort = query.get("sort")
    sort = sort if sort in SORTS else DEFAULT_SORT
    falling = {"asc": False, "desc": True}.get(query.get("dir", ""), sort != "market")
    return Order(sort=sort, falling=falling)


def choice_of(query: Any) -> Choice:
    return Choice(query=query.get("q", "")[:QUERY_LENGTH], favourites_only=query.get("show") == "favourites")


def favourites_of(cookies: Any) -> frozenset[str]:
    return frozenset(cookies.get(FAVOURITES_COOKIE, "").split(FAVOURITES_SEPARATOR)) - {""}


def rows(
    views: Iterable[MarketView],
    *,
    days: dict[int, DayFigures],
    curves: dict[int, list[int]],
    favourites: frozenset[str],
    choice: Choice,
    now_ms: int,
) -> list[Row]:
    return [
        _row(
            view,
            days.get(view.parameters.market_id),
            curves.get(view.parameters.market_id, []),
            favourite=view.parameters.symbol in favourites,
            choice=choice,
            now_ms=now_ms,
        )
        for view in views
        if view.status != "delisted"
    ]


def ordered(found: list[Row], order: Order) -> list[Row]:
    """Sort rows; equal ones stay by name."""
    by_name = sorted(found, key=lambda row: row.card.symbol)
    return sorted(by_name, key=lambda row: row.values[order.sort], reverse=order.falling)


def totals(found: list[Row]) -> Totals:
    return Totals(
        quote_volume="$" + figures.compact(sum((row.values["volume"] for row in found), Decimal(0))),
        open_interest="$" + figures.compact(sum((row.values["open_interest"] for row in found), Decimal(0))),
        markets=len(found),
    )


def _row(view: MarketView, day: DayFigures | None, curve: list[int], *, favourite: bool, choice: Choice, now_ms: int) -> Row:
    market = view.parameters
    card = market_card(view, day, now_ms=now_ms)
    funding = Decimal(view.predicted_funding_ppb).scaleb(-9)
    last = view.last_ticks or view.mark_ticks
    points = _points(curve)
    return Row(
        card=card,
        favourite=favourite,
        hidden=not choice.shows(card, favourite=favourite),
        values={
            "market": market.symbol,
            "last": units.decimal_from_units(last, market.tick_e8),
            "change": day.change(view.last_ticks) if day else Decimal(0),
            "volume": units.decimal_from_atoms(day.quote_volume_atoms if day else 0),
            "open_interest": _open_interest(view),
            "funding": funding,
        },
        funding_annual=figures.percent_signed(funding * HOURS_A_YEAR, 1),
        curve=points,
        area=f"0,{CURVE_HEIGHT} {points} {CURVE_WIDTH},{CURVE_HEIGHT}" if points else "",
        curve_direction=figures.direction(curve[-1] - curve[0]) if curve else "",
        curve_ticks=",".join(map(str, curve)),
        curve_until_ms=now_ms - now_ms % SPARK_STEP_MS,
        prices=SOURCE_WORDS[card.price_source] if card.oracle_state == "valid" else card.oracle,
        prices_fine=card.oracle_state == "valid",
    )


def _open_interest(view: MarketView) -> Decimal:
    market = view.parameters
    atoms = view.open_interest_lots * view.mark_ticks * units.tick_lot_atoms(tick_e8=market.tick_e8, lot_e8=market.lot_e8)
    return units.decimal_from_atoms(atoms)


def _points(curve: list[int]) -> str:
    """Return a curve as points within its box, the first at the left; a flat one runs through the middle."""
    if not curve:
        return ""
    low, high = min(curve), max(curve)
    room, span = CURVE_HEIGHT - 2 * CURVE_MARGIN, high - low
    heights = [CURVE_MARGIN + (room * (high - ticks) * 10 // span / 10 if span else room / 2) for ticks in curve]
    step = CURVE_WIDTH // (SPARK_POINTS - 1)
    return " ".join(f"{number * step},{height:g}" for number, height in enumerate(heights))
