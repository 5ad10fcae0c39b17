"""What a load balancer and a person on call ask: is the process alive, and can the exchange serve?"""

import hmac
import time
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django_prometheus.exports import ExportToDjangoView

from markets.errors import DomainError
from markets.gateway import gateway
from markets.queries import GetCommittedSeq
from trading.models import Projection

MAX_LAG_ROWS = 1_000
ENGINE_TIMEOUT_S = 2.0


class NotReady(Exception):
    """A part cannot serve; the message says what is wrong, without addresses or passwords."""


def healthz(request: HttpRequest) -> HttpResponse:
    """Say that this process answers; nothing else is looked at."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """Check every part; 503 with the faults when one cannot serve."""
    checks = {name: look(check) for name, check in CHECKS.items()}
    ready = all(check["ok"] for check in checks.values())
    return JsonResponse({"status": "ready" if ready else "not ready", "checks": checks}, status=200 if ready else 503)


def look(check: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    began = time.perf_counter()
    try:
        result = {"ok": True} | check()
    except NotReady as fault:
        result = {"ok": False, "fault": str(fault)}
    except (Error, redis.RedisError, DomainError) as fault:
        result = {"ok": False, "fault": type(fault).__name__}
    return result | {"ms": round((time.perf_counter() - began) * 1000, 1)}


def database_is_writable() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean")
        if cursor.fetchone()[0]:
            raise NotReady("the database is read-only")
    return {}


def migrations_are_applied() -> dict[str, Any]:
    """Look once: what is applied stays so for this process's life."""
    if not _state.get("migrated"):
        executor = MigrationExecutor(connection)
        missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        if missing:
            raise NotReady(f"{missing} migrations are not applied")
        _state["migrated"] = True
    return {}


def redis_answers() -> dict[str, Any]:
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
        client.ping()
    return {}


def engine_answers() -> dict[str, Any]:
    return {"seq": gateway().query(GetCommittedSeq(), timeout=ENGINE_TIMEOUT_S)}


def projection_is_current() -> dict[str, Any]:
    committed = gateway().query(GetCommittedSeq(), timeout=ENGINE_TIMEOUT_S)
    projected = Projection.objects.values_list("seq", flat=True).first() or 0
    lag = max(0, committed - projected)
    if lag > MAX_LAG_ROWS:
        raise NotReady(f"the tables are {lag} journal rows behind")
    return {"lag_rows": lag}


CHECKS: dict[str, Callable[[], dict[str, Any]]] = {
    "database": database_is_writable,
    "migrations": migrations_are_applied,
    "redis": redis_answers,
    "engine": engine_answers,
    "projection": projection_is_current,
}
_state: dict[str, bool] = {}


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus metrics; in production only with `Authorization: Bearer METRICS_TOKEN`."""
    if settings.PRODUCTION and not is_scraper(request):
        raise Http404
    response: HttpResponse = ExportToDjangoView(request)
    return response


def is_scraper(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "")
    return bool(settings.METRICS_TOKEN) and hmac.compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
