"""The schedule's part in risk: a report on all accounts, and alerts. The engine's own checks decide who is liquidated."""

from datetime import datetime, timedelta

import structlog
from celery import shared_task
from django.utils import timezone

from markets.errors import GatewayError
from markets.selectors import markets
from markets.units import QUOTE_ATOMS
from markets.views import MarketView
from risk import alerts, reports
from risk.book import RiskBook, insurance_atoms, read_book
from risk.models import RiskAlert, RiskSnapshot
from risk.returns import returns_of

SNAPSHOT_PERIOD = timedelta(minutes=5)
KEPT = timedelta(days=90)

log = structlog.get_logger("risk")


@shared_task
def watch_risk() -> int | None:
    """Look at every account and warn; once a period keep what was seen. Running it twice adds nothing. Returns the alerts' number."""
    now = timezone.now()
    try:
        book, views, insurance = read_book(), markets(), insurance_atoms()
    except GatewayError as error:
        log.warning("risk_not_read", code=error.code)
        return None
    period_at = floor(now, alerts.PERIOD)
    found = [
        *alerts.account_alerts(book, period_at),
        *alerts.concentration_alerts(book, period_at),
        *alerts.open_interest_alerts(views, period_at),
        *alerts.insurance_alerts(insurance, now, period_at),
    ]
    alerts.raise_alerts(found)
    keep_snapshot(book, views, insurance, floor(now, SNAPSHOT_PERIOD))
    return len(found)


@shared_task
def forget_risk() -> int:
    """Drop the snapshots and alerts of long ago."""
    oldest = timezone.now() - KEPT
    snapshots, _ = RiskSnapshot.objects.filter(period_at__lt=oldest).delete()
    old, _ = RiskAlert.objects.filter(period_at__lt=oldest).delete()
    return snapshots + old


def keep_snapshot(book: RiskBook, views: list[MarketView], insurance: int, period_at: datetime) -> None:
    """Store the period's report, unless it is there already."""
    if RiskSnapshot.objects.filter(period_at=period_at).exists():
        return
    risk = reports.insurance_risk(book, returns_of(book.assets))
    snapshot = RiskSnapshot(
        period_at=period_at,
        pools=len(book.account_ids),
        equity_atoms=_atoms(float(book.pools.equity.sum())),
        notional_atoms=_atoms(float(book.notional.sum())),
        maintenance_atoms=_atoms(float(book.pools.maintenance.sum())),
        insurance_atoms=insurance,
        value_at_risk_atoms=_atoms(risk.value),
        expected_shortfall_atoms=_atoms(risk.expected_shortfall),
        falls=[{"move": row.move, "pools": row.pools, "deficit_atoms": _atoms(row.deficit)} for row in reports.fall_rows(book)],
        open_interest={view.parameters.symbol: _share(view) for view in views},
    )
    RiskSnapshot.objects.bulk_create([snapshot], ignore_conflicts=True)


def floor(moment: datetime, period: timedelta) -> datetime:
    """Return the beginning of the period that holds a moment; periods are counted from midnight."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (moment - midnight) // period * period


def _share(view: MarketView) -> float:
    cap = view.parameters.max_open_interest_lots
    return round(view.open_interest_lots / cap, 6) if cap else 0.0


def _atoms(usd: float) -> int:
    return round(usd * QUOTE_ATOMS)
