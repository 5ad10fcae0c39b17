"""TimescaleDB, where the server has it: the check that a migration makes, and what it then does.

The extension must be in this database already; or the server has preloaded it (its loader then defines a setting: the list of
libraries is not for everybody to read) and this role may create it. Anything less, and PostgreSQL itself partitions the tables.
"""

from typing import Any, LiteralString

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

OFFERED: LiteralString = """
select
    exists (select from pg_extension where extname = 'timescaledb')
    or (
        current_setting('timescaledb.disable_load', true) is not null
        and exists (
            select from pg_available_extension_versions v
            where v.name = 'timescaledb'
            and (
                not v.superuser
                or (v.trusted and has_database_privilege(current_database(), 'CREATE'))
                or (select rolsuper from pg_roles where rolname = current_user)
            )
        )
    )
"""
CATALOGUE: LiteralString = "select to_regclass('timescaledb_information.hypertables') is not null"
HYPERTABLES: LiteralString = "select hypertable_name::text from timescaledb_information.hypertables where hypertable_schema = 'public'"


def is_offered(connection: BaseDatabaseWrapper) -> bool:
    """Tell whether hypertables can be made here."""
    with connection.cursor() as cursor:
        cursor.execute(OFFERED)
        row = cursor.fetchone()
    return bool(row and row[0])


def make_hypertable(schema_editor: BaseDatabaseSchemaEditor, table: str, *, column: str, chunk_days: int) -> None:
    """Turn a table, with what is in it, into a hypertable with chunks of so many days."""
    schema_editor.execute("create extension if not exists timescaledb")
    schema_editor.execute(
        "select create_hypertable(%s::regclass, %s::name, chunk_time_interval => make_interval(days => %s), migrate_data => true, "
        "create_default_indexes => false)",
        (table, column, chunk_days),
    )


def hypertables(connection: psycopg.Connection[Any]) -> set[str]:
    """Return the names of the hypertables that there are."""
    row = connection.execute(CATALOGUE).fetchone()
    return {name for (name,) in connection.execute(HYPERTABLES)} if row and row[0] else set()
