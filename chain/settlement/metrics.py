"""What operators watch of settlement, read from the tables when somebody asks: any web process tells it."""

from collections.abc import Iterable

from django.db import DatabaseError
from django.utils import timezone
from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from chain.custody.models import ChainEvent
from chain.deployment import chain_is_on
from chain.models import OutboxEntry, OutboxShard
from chain.settlement.models import Challenged, Reconciliation, SettlementBatch


class SettlementCollector(Collector):
    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing is read when it is registered."""
        return []

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Tell nothing where there is no chain, or no database: its own check says that."""
        if not chain_is_on():
            return []
        try:
            return [GaugeMetricFamily(name, text, value=value) for name, text, value in figures()]
        except DatabaseError:
            return []


def figures() -> list[tuple[str, str, float]]:
    last = SettlementBatch.objects.exclude(hash=None).select_related("entry").order_by("-seq").first()
    ended_at = None if last is None else last.entry.finalized_at
    age_s = -1.0 if ended_at is None else (timezone.now() - ended_at).total_seconds()
    return [
        ("qd_settlement_batch", "The last batch that is finalized on chain.", float(last.seq if last else 0)),
        ("qd_settlement_batch_age_seconds", "Since it was; -1 before the first.", age_s),
        ("qd_outbox_unfinished", "Outbox entries that are not final.", float(_unfinished())),
        ("qd_outbox_halted", "Outbox shards that wait for staff.", float(OutboxShard.objects.exclude(halted_at=None).count())),
        ("qd_chain_events_held", "Events of the chain that could not be applied.", float(_held())),
        ("qd_challenges_open", "Challenges that are not answered.", float(Challenged.objects.filter(answered=False).count())),
        ("qd_reconciliation_differs", "Comparisons with differences that nobody has accepted.", float(_differing())),
    ]


def _unfinished() -> int:
    return OutboxEntry.objects.exclude(state=OutboxEntry.State.FINAL).count()


def _held() -> int:
    return ChainEvent.objects.filter(state=ChainEvent.State.NEW).exclude(error="").count()


def _differing() -> int:
    return Reconciliation.objects.filter(ok=False, accepted_at=None).count()


def register() -> None:
    REGISTRY.register(SettlementCollector())
