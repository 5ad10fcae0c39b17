"""What the risk page shows of an explanation and its reports, every figure as text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from markets import figures
from markets.figures import Direction
from markets.parameters import MarketParameters
from markets.units import QUOTE_ATOMS, decimal_from_atoms
from markets.views import HoldingTerms, LiquidationTerms, MarginExplanation, PoolTerms, TierSlice
from risk.alerts import ratio_level
from risk.portfolio import ValueAtRisk
from risk.reports import DayRisk, FallRow, GridRow, ShockRow
from trading import representations

Markets = dict[int, MarketParameters]

BAR = 100  # the width that bars are drawn in
NEAR, VERY_NEAR = Decimal("0.20"), Decimal("0.10")  # a liquidation price that far from mark is amber, or red
NOTHING = figures.NONE
SIGNED = frozenset({"minus", "plus", "used"})  # steps that change the amount before them


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of the waterfall: from where to where on the common scale, and what kind of amount it is."""

    label: str
    note: str
    amount: str
    kind: str
    start: str
    width: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolCard:
    name: str
    symbol: str
    steps: list[Step]
    equity: str
    ratio: str
    ratio_percent: int
    level: str
    maintenance: str
    free: str
    free_direction: Direction
    collateral: list["CollateralRow"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CollateralRow:
    asset: str
    amount: str
    price: str
    confidence: str
    weight: str
    value: str
    initial_value: str
    state: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LiquidationCard:
    """How one liquidation price comes about: both sides of the comparison at that price, and the distance to it."""

    where: str
    price: str
    distance: str
    level: str
    unrealised: str
    equity: str
    own_maintenance: str
    other_maintenance: str
    maintenance: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DistanceRow:
    symbol: str
    side: str
    direction: Direction
    mode: str
    leverage: int
    size: str
    entry: str
    mark: str
    notional: str
    nearest: str
    distance: str
    distance_width: str
    level: str
    unrealised: str
    unrealised_direction: Direction
    by_leverage: str
    by_tiers: str
    tiers: list[tuple[str, str, int, str]]
    add_ons: str
    worst_notional: str
    initial: str
    rate: str
    deduction: str
    maintenance: str
    liquidations: list[LiquidationCard]
    order: Decimal


@dataclass(frozen=True, slots=True)
class Change:
    name: str
    before: str
    after: str


def pool_cards(terms: MarginExplanation, markets: Markets) -> list[PoolCard]:
    """Return the cross pool, and the isolated ones that hold anything."""
    shown = [pool for pool in terms.pools if not pool.market_id or pool.holdings or pool.equity_atoms]
    return [_pool_card(pool, markets) for pool in shown]


def distance_rows(terms: MarginExplanation, markets: Markets) -> list[DistanceRow]:
    """Return the open positions, the one nearest to its liquidation first."""
    held = [(pool, holding) for pool in terms.pools for holding in pool.holdings if holding.size_lots]
    rows = [_distance_row(holding, bool(pool.market_id), markets[holding.market_id]) for pool, holding in held]
    return sorted(rows, key=lambda row: row.order)


def grid_rows(rows: Iterable[GridRow]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return each move's cells: the equity left, and the class of one in which a pool falls."""
    return [
        (_percent(row.move), [(usd(left), "fallen" if fallen else "") for left, fallen in zip(row.equity, row.falls, strict=True)])
        for row in rows
    ]


def shock_rows(rows: Iterable[ShockRow]) -> list[dict[str, str]]:
    return [
        {
            "name": row.name.replace("-", figures.MINUS) if row.date is None else row.name,
            "date": row.date.strftime("%-d %b %Y") if row.date else "",
            "note": _stand_in_note(row.stands_in),
            "change": usd(row.change, signed=True),
            "direction": figures.direction(Decimal(round(row.change * 100))),
            "equity": usd(row.equity),
            "fallen": "fallen" if row.falls else "",
        }
        for row in rows
    ]


def fall_cards(rows: Iterable[FallRow], insurance_atoms: int) -> list[dict[str, str]]:
    """Return what moves of all prices would do, beside what the insurance fund has."""
    return [
        {
            "move": row.day.strftime("%-d %b %Y") if row.day else _percent(row.move),
            "name": row.name,
            "note": _stand_in_note(row.stands_in),
            "pools": f"{row.pools:,}",
            "deficit": usd(row.deficit),
            "level": "danger" if round(row.deficit * QUOTE_ATOMS) > insurance_atoms else "",
        }
        for row in rows
    ]


def fund_figures(risk: ValueAtRisk, insurance_atoms: int) -> list[tuple[str, str, str]]:
    """Return what the insurance fund may have to pay on a bad day: name, amount, share of what it has."""
    has = insurance_atoms / QUOTE_ATOMS
    return [
        (name, usd(amount), f"{amount / has:.0%} of the fund" if has > 0 else "")
        for name, amount in (("One day in a hundred, at least", risk.value), ("On average of those days", risk.expected_shortfall))
    ]


def risk_figures(risk: DayRisk, equity: float) -> list[tuple[str, str, str]]:
    """Return value at risk and expected shortfall both ways: name, amount, share of equity."""
    return [
        (name, usd(amount), f"{amount / equity:.0%} of equity" if equity > 0 else "")
        for name, amount in (
            ("Value at risk, historical", risk.historical.value),
            ("Value at risk, parametric", risk.parametric.value),
            ("Expected shortfall, historical", risk.historical.expected_shortfall),
            ("Expected shortfall, parametric", risk.parametric.expected_shortfall),
        )
    ]


def correlation_rows(assets: Sequence[str], matrix: Sequence[Sequence[float]]) -> list[tuple[str, list[str]]]:
    return [(asset, [f"{value:.2f}".replace("-", figures.MINUS) for value in row]) for asset, row in zip(assets, matrix, strict=True)]


def shares(assets: Sequence[str], values: Sequence[float]) -> list[tuple[str, str, str]]:
    """Return each asset's share as text and as a bar's width, the largest first."""
    order = sorted(zip(assets, values, strict=True), key=lambda pair: -pair[1])
    return [(asset, f"{share:.0%}", f"{share * BAR:.2f}") for asset, share in order if share > 0]


def changes(before: MarginExplanation, after: MarginExplanation, markets: Markets) -> list[Change]:
    """Return an account's figures before and after, pools added up, and each position's nearest liquidation price."""
    totals = [_totals(terms) for terms in (before, after)]
    names = ("Equity", "Initial margin", "Maintenance margin", "Free margin", "Maintenance / equity")
    rows = [Change(name, *pair) for name, pair in zip(names, zip(*totals, strict=True), strict=True)]
    prices = [_nearest_prices(terms, markets) for terms in (before, after)]
    symbols = sorted(prices[0].keys() | prices[1].keys())
    return rows + [Change(f"{symbol} liquidation", prices[0].get(symbol, NOTHING), prices[1].get(symbol, NOTHING)) for symbol in symbols]


def usd(amount: float, *, signed: bool = False) -> str:
    """Return a report's amount to the cent, or without cents from ten thousand on."""
    if round(abs(amount), 2) == 0:
        return "$0"
    text = f"{abs(amount):,.0f}" if abs(amount) >= 10_000 else f"{abs(amount):,.2f}"
    return f"{figures.MINUS if amount < 0 else '+' if signed else ''}${text}"


def _totals(terms: MarginExplanation) -> tuple[str, ...]:
    """Return the figures of all pools together; what is free is the cross pool's, as isolated margin serves nothing else."""
    names = ("equity_atoms", "initial_margin_atoms", "maintenance_margin_atoms")
    equity, initial, maintenance = (sum(getattr(pool, name) for pool in terms.pools) for name in names)
    amounts = tuple(figures.dollars(atoms) for atoms in (equity, initial, maintenance, terms.pools[0].available_atoms))
    return (*amounts, figures.percent(_ratio(maintenance, equity), 1))


def _nearest_prices(terms: MarginExplanation, markets: Markets) -> dict[str, str]:
    return {row.symbol: row.nearest for row in distance_rows(terms, markets)}


def _pool_card(pool: PoolTerms, markets: Markets) -> PoolCard:
    ratio = _ratio(pool.maintenance_margin_atoms, pool.equity_atoms)
    symbol = markets[pool.market_id].symbol if pool.market_id else ""
    return PoolCard(
        name=f"{symbol} isolated" if symbol else "Cross margin",
        symbol=symbol,
        steps=_steps(pool),
        equity=figures.dollars(pool.equity_atoms),
        ratio=figures.percent(ratio, 1),
        ratio_percent=min(100, int(ratio * 100)),
        level=ratio_level(ratio),
        maintenance=figures.dollars(pool.maintenance_margin_atoms),
        free=figures.dollars(pool.available_atoms),
        free_direction="down" if pool.available_atoms < 0 else "",
        collateral=[
            CollateralRow(
                asset=term.asset,
                amount=figures.number(Decimal(representations.atoms_text(term.amount_atoms, term.asset)).normalize() + 0),
                price=_e8(term.index_e8),
                confidence=_e8(term.confidence_e8) if term.confidence_e8 else NOTHING,
                weight=figures.percent(Decimal(term.value_atoms) / term.full_atoms, 1) if term.full_atoms else NOTHING,
                value=figures.dollars(term.value_atoms),
                initial_value=figures.dollars(term.initial_value_atoms),
                state=term.state,
            )
            for term in pool.collateral
        ],
    )


def _steps(pool: PoolTerms) -> list[Step]:
    """Return the waterfall: what there is, what haircuts take, what is in use, what is free."""
    full = sum(term.full_atoms for term in pool.collateral)
    counted = sum(term.value_atoms for term in pool.collateral)
    equity, initial_equity = pool.equity_atoms, pool.initial_equity_atoms
    scale = max(abs(full), abs(counted), abs(equity), abs(initial_equity), 1)
    spans = [
        ("Collateral", "at the index", full, "total", 0, full),
        ("Haircuts", "confidence and weights", counted - full, "minus", counted, full),
        ("Unrealised PnL", "at mark", pool.unrealised_atoms, "minus" if pool.unrealised_atoms < 0 else "plus", counted, equity),
        ("Equity", "decides about liquidation", equity, "total", 0, equity),
        ("Maintenance margin", "equity below it is liquidated", pool.maintenance_margin_atoms, "level", 0, pool.maintenance_margin_atoms),
        ("Initial haircuts", "the worse price, lower weights", initial_equity - equity, "minus", initial_equity, equity),
        ("Initial margin", "positions and orders", -pool.initial_margin_atoms, "used", pool.available_atoms, initial_equity),
        ("Free margin", "for new risk", pool.available_atoms, "free", 0, pool.available_atoms),
    ]
    return [
        Step(label, note, _amount(amount, kind), kind, *_bar(first, second, scale))
        for label, note, amount, kind, first, second in spans
        if amount or not label.endswith("aircuts")
    ]


def _amount(atoms: int, kind: str) -> str:
    return figures.dollars_signed(atoms) if kind in SIGNED else figures.dollars(atoms)


def _bar(first: int, second: int, scale: int) -> tuple[str, str]:
    """Return a bar's start and width; what is below zero is not drawn."""
    low, high = (max(0, min(end, scale)) for end in sorted((first, second)))
    return f"{Decimal(low) * BAR / scale:.2f}", f"{Decimal(high - low) * BAR / scale:.2f}"


def _distance_row(held: HoldingTerms, isolated: bool, market: MarketParameters) -> DistanceRow:
    cards = [
        _liquidation_card("below", held.liquidation_below, held, market),
        _liquidation_card("above", held.liquidation_above, held, market),
    ]
    found = sorted((card for card in cards if card), key=lambda pair: abs(pair[0]))
    distance, nearest = found[0] if found else (None, None)
    is_long = held.size_lots > 0
    return DistanceRow(
        symbol=market.symbol,
        side="Long" if is_long else "Short",
        direction="up" if is_long else "down",
        mode="Isolated" if isolated else "Cross",
        leverage=held.leverage,
        size=figures.size(held.size_lots, market),
        entry=figures.number(Decimal(representations.average_price_text(held.cost_atoms, held.size_lots, market))),
        mark=figures.price(held.mark_ticks, market),
        notional=figures.dollars(held.notional_atoms),
        nearest=nearest.price if nearest else NOTHING,
        distance=nearest.distance if nearest else "No price",
        distance_width=f"{min(abs(distance), Decimal(1)) * BAR:.2f}" if distance is not None else str(BAR),
        level=nearest.level if nearest else "",
        unrealised=figures.dollars_signed(held.unrealised_atoms),
        unrealised_direction=figures.direction(held.unrealised_atoms),
        by_leverage=figures.dollars(held.by_leverage_atoms),
        by_tiers=figures.dollars(held.by_tiers_atoms),
        tiers=[_tier(part) for part in held.tiers],
        add_ons=figures.dollars(held.open_interest_atoms + held.concentration_atoms),
        worst_notional=figures.dollars(held.worst_notional_atoms),
        initial=figures.dollars(held.initial_margin_atoms),
        rate=figures.percent(Decimal(held.maintenance_ppm).scaleb(-6), 2),
        deduction=figures.dollars(held.deduction_atoms),
        maintenance=figures.dollars(held.maintenance_margin_atoms),
        liquidations=[card for _, card in found],
        order=abs(distance) if distance is not None else Decimal(10**9),
    )


def _tier(part: TierSlice) -> tuple[str, str, int, str]:
    start = "$" + figures.compact(decimal_from_atoms(part.from_atoms))
    return start, figures.dollars(part.notional_atoms), part.max_leverage, figures.dollars(part.initial_atoms)


def _liquidation_card(
    where: str, terms: LiquidationTerms | None, held: HoldingTerms, market: MarketParameters
) -> tuple[Decimal, LiquidationCard] | None:
    if terms is None:
        return None
    distance = Decimal(terms.ticks - held.mark_ticks) / held.mark_ticks
    near = abs(distance)
    card = LiquidationCard(
        where=where,
        price=figures.number(Decimal(representations.price_text(terms.ticks, market))),
        distance=figures.percent_signed(distance, 1),
        level="danger" if near < VERY_NEAR else "warning" if near < NEAR else "",
        unrealised=figures.dollars_signed(terms.unrealised_atoms),
        equity=figures.dollars(terms.equity_atoms),
        own_maintenance=figures.dollars(terms.own_maintenance_atoms),
        other_maintenance=figures.dollars(terms.maintenance_atoms - terms.own_maintenance_atoms),
        maintenance=figures.dollars(terms.maintenance_atoms),
    )
    return distance, card


def _ratio(part: int, whole: int) -> Decimal:
    if whole <= 0:
        return Decimal(1 if part else 0)
    return Decimal(part) / whole


def _stand_in_note(stands_in: Sequence[str]) -> str:
    return f"{', '.join(stands_in)} did not trade: another asset stands in" if stands_in else ""


def _percent(fraction: float) -> str:
    return f"{fraction:+.0%}".replace("-", figures.MINUS).replace("+0%", "0%") if abs(fraction) < 1 else f"{fraction:.0%}"


def _e8(price_e8: int) -> str:
    return "$" + figures.number(Decimal(price_e8).scaleb(-8).quantize(Decimal("0.0001")))
