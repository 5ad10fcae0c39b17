"""What the operator's own keeper did, counted for whoever watches; strangers' keepers count nothing."""

from collections.abc import Iterable
from itertools import product
from typing import get_args

from django.core.cache import cache
from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from chain.deployment import chain_is_on
from chain.keepers.actions import Outcome, Result
from chain.keepers.running import JOBS

NAME, TEXT = "qd_keeper_actions", "What the operator's keeper sent, by job and by what became of it."
LABELS = ("job", "outcome")


def count(results: Iterable[Result]) -> None:
    for result in results:
        key = _key(result.job, result.outcome)
        cache.add(key, 0, timeout=None)
        cache.incr(key)


class KeeperCollector(Collector):
    def describe(self) -> Iterable[CounterMetricFamily]:
        """Nothing is read when it is registered."""
        return []

    def collect(self) -> Iterable[CounterMetricFamily]:
        """Tell nothing where there is no chain, or no cache: its own check says that."""
        if not chain_is_on():
            return []
        counts = {_key(*labels): labels for labels in product(JOBS, get_args(Outcome))}
        try:
            found = cache.get_many(counts)
        except RedisError:
            return []
        family = CounterMetricFamily(NAME, TEXT, labels=LABELS)
        for key, value in found.items():
            family.add_metric(counts[key], float(value))
        return [family]


def _key(job: str, outcome: str) -> str:
    return f"keeper-actions-{job}-{outcome.replace(' ', '-')}"


def register() -> None:
    REGISTRY.register(KeeperCollector())
