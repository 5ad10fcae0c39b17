"""Connections of the role that owns the tables: for partitions and rebuilds, which the application's own role cannot do."""

from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import conninfo

CONNECT_SECONDS = 5


def connect_as_owner() -> psycopg.Connection[Any]:
    """Return a connection of the owner to the database that Django uses, each statement its own transaction."""
    name = connection.settings_dict["NAME"]
    target = conninfo.make_conninfo(settings.DATABASE_OWNER_URL, dbname=name, connect_timeout=CONNECT_SECONDS)
    return psycopg.connect(target, autocommit=True)
