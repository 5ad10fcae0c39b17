"""The chain's work for Celery. Each task is safe to run twice, or beside itself: rows and the chain know what was done."""

from celery import shared_task
from django.conf import settings

from chain.client import ChainClient
from chain.outbox import routes, running

SETTLE_S = 50.0


@shared_task
def settle_outbox(shard: str) -> str | None:
    """Settle what is queued in one shard, for most of a minute; the next run goes on."""
    with ChainClient(settings.SOLANA_RPC_URL) as client:
        return running.settle(shard=shard, client=client, route=routes.route_of(shard), for_s=SETTLE_S)
