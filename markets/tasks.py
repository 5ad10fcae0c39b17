import structlog
from celery import shared_task
from django.utils import timezone

from markets.rollups import mismatches

log = structlog.get_logger("markets")


@shared_task
def check_candles() -> int:
    """Report candles that are not the sum of their trades; changes nothing. Returns how many there are."""
    found = mismatches(now=timezone.now())
    for market_id, interval, opened_at in found:
        log.error("candle_differs_from_its_trades", market_id=market_id, interval=interval, opened_at=opened_at.isoformat())
    return len(found)
