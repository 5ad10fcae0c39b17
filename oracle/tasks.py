import structlog
from celery import shared_task

from markets.errors import GatewayError
from oracle import polling

log = structlog.get_logger("oracle")


@shared_task
def poll_prices() -> str:
    """Send one poll of the real sources to the engine, which drops what it has seen; returns the outcome."""
    try:
        return polling.poll().outcome
    except GatewayError as error:
        log.warning("poll_not_sent", code=error.code)  # the next poll has newer prices anyway
        return error.code
