"""A market as pages show it: the same figures in the market bar, the market menu and the landing page."""

from dataclasses import dataclass
from decimal import Decimal

from markets import figures, units
from markets.figures import Direction
from markets.parameters import MarketParameters
from markets.tickers import DayFigures
from markets.views import MarketView

STATUS_WORDS = {"post_only": "Post only", "cancel_only": "Cancel only", "halted": "Halted", "delisted": "Delisted"}
STATUS_TEXTS = {
    "post_only": "This market takes resting orders only for now: nothing is matched.",
    "cancel_only": "This market takes cancellations only for now.",
    "halted": "This market is halted: no orders are taken, and none are matched.",
    "delisted": "This market is closed for good.",
}
ORACLE_WORDS = {
    "single": "One source",
    "uncertain": "Uncertain price",
    "disputed": "Sources disagree",
    "stale": "No fresh price",
    "halted": "Price halted",
}
SOURCE_NAMES = {
    "pyth": "Pyth",
    "pyth_solana": "Pyth on Solana",
    "pyth_legacy": "Pyth, first layout",
    "coingecko": "CoinGecko",
    "hermes": "Pyth Hermes",
    "replay": "Replay",
    "sim": "Simulation",
    "simulation": "Simulation 1",
    "simulation_2": "Simulation 2",
    "simulation_3": "Simulation 3",
}
CANCEL_ONLY = "Orders can only be cancelled."
PRICE_RECOVERS = "The price was halted, and is used again once its sources have been good for a while."


@dataclass(frozen=True, kw_only=True, slots=True)
class MarketCard:
    symbol: str
    search: str
    base: str
    tick_size: str
    lot_size: str
    max_leverage: int
    status: str
    status_word: str
    status_text: str
    price_source: str
    last: str
    mark: str
    index: str
    change: str
    direction: Direction
    quote_volume: str
    open_interest: str
    funding: str
    funding_direction: Direction
    funding_countdown: str
    next_funding_ms: int
    oracle: str
    oracle_state: str
    halt_text: str  # why the price is halted, empty while it is not
    sources: tuple[tuple[str, str], ...]


def market_card(view: MarketView, day: DayFigures | None, *, now_ms: int) -> MarketCard:
    """Return the card of a market; `day` is None when it had no trade."""
    market = view.parameters
    funding = Decimal(view.predicted_funding_ppb).scaleb(-9)
    change = day.change(view.last_ticks) if day else Decimal(0)
    return MarketCard(
        symbol=market.symbol,
        search=f"{market.symbol} {market.base_asset}".lower(),
        base=market.base_asset,
        tick_size=tick_size(market),
        lot_size=lot_size(market),
        max_leverage=max_leverage(market),
        status=view.status,
        status_word=STATUS_WORDS.get(view.status, ""),
        status_text=STATUS_TEXTS.get(view.status, ""),
        price_source=price_source(view),
        last=figures.price(view.last_ticks or view.mark_ticks, market),
        mark=figures.price(view.mark_ticks, market),
        index=figures.index_price(view.index_e8, market),
        change=figures.percent_signed(change) if day else figures.NONE,
        direction=figures.direction(change),
        quote_volume="$" + figures.compact(units.decimal_from_atoms(day.quote_volume_atoms if day else 0)),
        open_interest=_open_interest(view),
        funding=figures.percent_signed(funding, 4),
        funding_direction=figures.direction(funding),
        funding_countdown=figures.countdown(view.next_funding_ms - now_ms),
        next_funding_ms=view.next_funding_ms,
        oracle=_oracle(view),
        oracle_state=view.oracle_state,
        halt_text=_halt_text(view),
        sources=tuple(
            (SOURCE_NAMES.get(source, source), figures.index_price(price_e8, market)) for source, price_e8, _ in view.oracle_sources
        ),
    )


def tick_size(market: MarketParameters) -> str:
    return f"{units.decimal_from_units(1, market.tick_e8):f}"


def lot_size(market: MarketParameters) -> str:
    return f"{units.decimal_from_units(1, market.lot_e8):f}"


def max_leverage(market: MarketParameters) -> int:
    return market.tiers[0].max_leverage if market.tiers else 1


def price_source(view: MarketView) -> str:
    """Tell whether the index is live, simulated or a replay: the least real source decides."""
    sources = {source for source, _, _ in view.oracle_sources}
    if any(source.startswith("simulation") for source in sources):
        return "simulated"
    return "replay" if "replay" in sources else "live"


def _open_interest(view: MarketView) -> str:
    market = view.parameters
    atoms = view.open_interest_lots * view.mark_ticks * units.tick_lot_atoms(tick_e8=market.tick_e8, lot_e8=market.lot_e8)
    return "$" + figures.compact(units.decimal_from_atoms(atoms))


def _halt_text(view: MarketView) -> str:
    if view.oracle_state != "halted":
        return ""
    reason = view.index.halt_reason.rstrip(". ") if view.index else ""
    return f"{f'The price is halted: {reason}.' if reason else PRICE_RECOVERS} {CANCEL_ONLY}"


def _oracle(view: MarketView) -> str:
    if view.oracle_state == "valid":
        return f"{len(view.oracle_sources)} sources"
    return ORACLE_WORDS.get(view.oracle_state, view.oracle_state)
