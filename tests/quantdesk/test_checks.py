import pytest
from django.conf import settings as project
from django.core.checks import run_checks
from django.db import connection

from quantdesk.checks import check_database_role, check_metrics_token


@pytest.mark.django_db
def test_it_refuses_a_role_that_can_rewrite_the_journal() -> None:
    messages = check_database_role(["default"])
    assert [message.id for message in messages] in (["quantdesk.E001"], ["quantdesk.E002"])  # tests run as the owner


@pytest.mark.django_db
def test_it_accepts_a_role_that_cannot() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        is_superuser = cursor.fetchone()[0]
        cursor.execute("SET LOCAL ROLE pg_read_all_data" if is_superuser else "REVOKE UPDATE, DELETE ON trading_journal FROM CURRENT_USER")
    assert check_database_role(["default"]) == []


def test_it_asks_no_database_unless_told_to() -> None:
    assert check_database_role(None) == []


@pytest.mark.parametrize(("token", "ids"), [("", []), ("guess-me", ["quantdesk.W001"]), ("x" * 20, [])])
def test_it_warns_of_a_short_metrics_token(monkeypatch: pytest.MonkeyPatch, token: str, ids: list[str]) -> None:
    monkeypatch.setattr(project, "PRODUCTION", True)
    monkeypatch.setattr(project, "METRICS_TOKEN", token)
    assert [message.id for message in check_metrics_token()] == ids


def test_it_registers_its_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "PRODUCTION", True)
    monkeypatch.setattr(project, "METRICS_TOKEN", "short")
    assert "quantdesk.W001" in [message.id for message in run_checks(tags=["security"], include_deployment_checks=True)]
