import structlog
from celery import shared_task
from django.utils import timezone

from markets.models import Market
from markets.rollups import mismatches

log = structlog.get_logger("markets")


@shared_task
def check_candles() -> int:
    """Report candles that are not the sum of their minutes; changes nothing. Returns how many there are."""
    found = [mismatch for market in Market.objects.all() for mismatch in mismatches(market_id=market.id, now=timezone.now())]
    for market_id, interval, opened_ms in found:
        log.error("candle_differs_from_its_minutes", market_id=market_id, interval=interval, opened_ms=opened_ms)
    return len(found)
