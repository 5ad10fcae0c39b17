"""Who may do what in the database.

The owner makes tables (migrations, partitions); the application reads and writes rows but owns nothing and cannot change
or delete the journal; the reader sees rows, but no password, session or key.
"""

from collections.abc import Mapping
from typing import LiteralString

import psycopg
from psycopg import sql

DATABASE = "quantdesk"
ADMIN, OWNER, APPLICATION, READER = "quantdesk_admin", "quantdesk_owner", "quantdesk_app", "quantdesk_reader"
APPEND_ONLY = ("trading_journal", "accounts_ledgertransfer")
CONFIDENTIAL = ("accounts_apikey", "accounts_user", "django_session")

TABLES = """
    SELECT relname, relispartition FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY relname
"""
SCHEMA_RIGHTS: tuple[LiteralString, ...] = (
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {application}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {application}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {application}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {reader}",
)


def create_roles(admin_url: str, passwords: Mapping[str, str]) -> None:
    """Create roles and database where they are missing."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        for role, password in passwords.items():
            if role not in known:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), password))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER)))
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(DATABASE)))
            grant = sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}, {}")
            connection.execute(grant.format(*map(sql.Identifier, (DATABASE, APPLICATION, READER))))


def grant_rights(owner_url: str, *, application: str = APPLICATION, reader: str = READER) -> None:
    """Give the application and the reader their rights on the tables that exist, and on those that the owner makes later.

    Nobody has rights on a partition: rows go through its table, whose rights hold then.
    """
    with psycopg.connect(owner_url) as connection:
        tables = connection.execute(TABLES).fetchall()
        for template in SCHEMA_RIGHTS:
            connection.execute(_statement(template, application=application, reader=reader))
        for name, is_partition in tables:
            for template in _rights(name, is_partition=is_partition):
                connection.execute(_statement(template, application=application, reader=reader, table=name))


def _rights(table: str, *, is_partition: bool) -> list[LiteralString]:
    if is_partition:
        return ["REVOKE ALL ON {table} FROM {application}, {reader}"]
    return [
        "GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {application}",
        "GRANT SELECT ON {table} TO {reader}",
        *(["REVOKE UPDATE, DELETE ON {table} FROM {application}"] if table in APPEND_ONLY else []),
        *(["REVOKE ALL ON {table} FROM {reader}"] if table in CONFIDENTIAL else []),
    ]


def _statement(template: LiteralString, **names: str) -> sql.Composed:
    return sql.SQL(template).format(**{key: sql.Identifier(name) for key, name in names.items()})
