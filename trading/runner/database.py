"""Direct connections to PostgreSQL, beside Django's: the leader's must live and die with its lock."""

from typing import Any

import psycopg
from django.conf import settings

# A peer that vanished without a word is noticed after about eleven seconds.
KEEPALIVE = {"keepalives_idle": "5", "keepalives_interval": "2", "keepalives_count": "3", "tcp_user_timeout": "11000"}


def parameters(application_name: str) -> dict[str, Any]:
    """Return psycopg's keyword arguments for the database that Django uses."""
    database = settings.DATABASES["default"]
    named = {
        "dbname": database["NAME"],
        "user": database["USER"],
        "password": database["PASSWORD"],
        "host": database["HOST"],
        "port": database["PORT"],
        **database.get("OPTIONS", {}),
    }
    options = {name: value for name, value in named.items() if value and isinstance(value, str | int)}
    return {**KEEPALIVE, "application_name": application_name, **options}


async def connect(application_name: str) -> psycopg.AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(**parameters(application_name), autocommit=True)
