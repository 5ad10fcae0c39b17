"""What the risk sweep warns of: accounts near their maintenance margin, the insurance fund, open interest, concentration."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np

from markets import figures
from markets.units import QUOTE_ATOMS
from markets.views import MarketView
from risk.book import RiskBook
from risk.models import RiskAlert, RiskSnapshot

RATIO_LEVELS = ((Decimal("0.9"), "danger"), (Decimal("0.8"), "warning"))  # maintenance margin as a share of equity
INSURANCE_DROP = 0.2
INSURANCE_WINDOW = timedelta(hours=1)
OPEN_INTEREST_SHARE = 0.9
CONCENTRATION_SHARE = 0.9
LEAST_NOTIONAL = 100_000.0  # USD; a small position in one market is not a concentration
PERIOD = timedelta(hours=1)


def ratio_level(ratio: Decimal) -> str:
    """Return how near an account is to liquidation: danger, warning, or nothing."""
    return next((level for least, level in RATIO_LEVELS if ratio >= least), "")


def raise_alerts(alerts: Iterable[RiskAlert]) -> int:
    """Store the alerts that are new in their period, and return how many there are now in it."""
    return len(RiskAlert.objects.bulk_create(alerts, ignore_conflicts=True, batch_size=500))


def account_alerts(book: RiskBook, period_at: datetime) -> Iterator[RiskAlert]:
    """Warn each account whose pools come near maintenance; of several pools and levels the nearest."""
    nearest: dict[int, float] = {}
    for row, account_id in enumerate(book.account_ids):
        ratio = margin_ratio(float(book.pools.equity[row]), float(book.pools.maintenance[row]))
        nearest[account_id] = max(ratio, nearest.get(account_id, 0.0))
    for account_id, ratio in nearest.items():
        level = ratio_level(Decimal(ratio))
        if level:
            text = f"Maintenance margin is {min(ratio, 9.99):.0%} of equity; at 100 % the position is liquidated."
            yield RiskAlert(kind="margin_ratio", level=level, account_id=account_id, period_at=period_at, text=text)


def concentration_alerts(book: RiskBook, period_at: datetime) -> Iterator[RiskAlert]:
    """Warn of accounts that hold nearly all of a large gross exposure in one market."""
    if len(book.index_ids) < 2:
        return
    account_ids, rows = np.unique(np.array(book.account_ids, dtype=np.int64), return_inverse=True)
    notional = np.zeros((len(account_ids), len(book.index_ids)))
    np.add.at(notional, rows, book.notional)
    total, largest = notional.sum(axis=1), notional.max(axis=1, initial=0)
    for row in np.flatnonzero((total >= LEAST_NOTIONAL) & (largest >= CONCENTRATION_SHARE * total)):
        size = figures.dollars(int(total[row]) * QUOTE_ATOMS)
        text = f"{largest[row] / total[row]:.0%} of a gross exposure of {size} is {book.assets[int(notional[row].argmax())]}."
        yield RiskAlert(kind="concentration", level="warning", account_id=int(account_ids[row]), period_at=period_at, text=text)


def open_interest_alerts(views: Iterable[MarketView], period_at: datetime) -> Iterator[RiskAlert]:
    for view in views:
        cap = view.parameters.max_open_interest_lots
        if cap and view.open_interest_lots >= OPEN_INTEREST_SHARE * cap:
            text = f"{view.parameters.symbol}: open interest is {view.open_interest_lots / cap:.0%} of its cap."
            market_id = view.parameters.market_id
            yield RiskAlert(kind="open_interest", level="warning", market_id=market_id, period_at=period_at, text=text)


def insurance_alerts(insurance_atoms: int, now: datetime, period_at: datetime) -> Iterator[RiskAlert]:
    """Warn when the fund has lost a fifth of what it had within the last hour."""
    recent = RiskSnapshot.objects.filter(period_at__gte=now - INSURANCE_WINDOW).values_list("insurance_atoms", flat=True)
    highest = max(recent, default=0)
    if highest > 0 and insurance_atoms <= highest * (1 - INSURANCE_DROP):
        text = f"The insurance fund went from {figures.dollars(highest)} to {figures.dollars(insurance_atoms)} within an hour."
        yield RiskAlert(kind="insurance", level="danger", period_at=period_at, text=text)


def margin_ratio(equity: float, maintenance: float) -> float:
    """Return maintenance as a share of equity; without equity any maintenance is too much."""
    if maintenance <= 0:
        return 0.0
    return maintenance / equity if equity > 0 else float("inf")
