import json
from typing import Any

import pytest
from django.test import Client

from tests.support.engine import EngineProcesses, engine_process, engine_processes
from trading.models import Projection

__all__ = ["engine_process", "engine_processes"]


def ask(path: str, **headers: str) -> tuple[int, Any]:
    response = Client().get(path, headers=headers)
    return response.status_code, json.loads(response.content)


def test_it_says_that_the_process_lives_without_looking_further() -> None:
    assert ask("/healthz") == (200, {"status": "ok"})


def test_it_is_ready_when_every_part_answers(engine_process: EngineProcesses) -> None:
    Projection.objects.update_or_create(id=1, defaults={"seq": engine_process.state().seq})
    status, body = ask("/readyz")
    assert (status, body["status"]) == (200, "ready")
    assert {name: check["ok"] for name, check in body["checks"].items()} == dict.fromkeys(
        ("database", "migrations", "redis", "engine", "projection"), True
    )


def test_it_is_not_ready_without_an_engine(engine_processes: EngineProcesses) -> None:
    status, body = ask("/readyz")
    assert (status, body["status"]) == (503, "not ready")
    assert (body["checks"]["engine"]["ok"], body["checks"]["engine"]["fault"]) == (False, "EngineUnavailable")
    assert body["checks"]["database"]["ok"]


def test_it_is_not_ready_while_the_tables_are_far_behind(engine_process: EngineProcesses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantdesk.health.MAX_LAG_ROWS", engine_process.state().seq - 1)
    status, body = ask("/readyz")
    assert status == 503
    assert body["checks"]["projection"]["fault"] == f"the tables are {engine_process.state().seq} journal rows behind"


@pytest.mark.django_db
def test_it_is_not_ready_without_redis(settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    assert ask("/readyz")[1]["checks"]["redis"] == {"ok": False, "fault": "ConnectionError", "ms": pytest.approx(0, abs=5_000)}


@pytest.mark.django_db
def test_it_shows_metrics_in_a_demo() -> None:
    response = Client().get("/metrics")
    assert response.status_code == 200
    assert b"django_http_requests_before_middlewares_total" in response.content


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("token", "sent", "status"), [("", "Bearer ", 404), ("right", "", 404), ("right", "Bearer wrong", 404), ("right", "Bearer right", 200)]
)
def test_it_shows_metrics_in_production_to_its_scraper_only(settings: Any, token: str, sent: str, status: int) -> None:
    settings.PRODUCTION = True
    settings.METRICS_TOKEN = token
    assert Client().get("/metrics", headers={"Authorization": sent}).status_code == status
