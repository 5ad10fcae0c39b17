import pytest
from django.db import connection

from markets.models import Market


@pytest.mark.django_db
def test_it_runs_on_postgresql_18() -> None:
    assert Market.objects.count() == 0
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        assert cursor.fetchone()[0].startswith("18.")
