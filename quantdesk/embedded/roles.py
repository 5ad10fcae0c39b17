"""Who may do what in the database.

The owner makes tables (migrations, partitions); the application reads and writes rows but owns nothing and cannot change
or delete the journal; the reader sees rows, but no password, session or key.
"""

from collections.abc import Mapping

import psycopg
from psycopg import sql

DATABASE = "quantdesk"
ADMIN, OWNER, APPLICATION, READER = "quantdesk_admin", "quantdesk_owner", "quantdesk_app", "quantdesk_reader"
APPEND_ONLY = ("trading_journal",)
CONFIDENTIAL = ("accounts_apikey", "accounts_user", "django_session")


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
    """Give the application and the reader their rights on the tables that exist, and on those that the owner makes later."""
    with psycopg.connect(owner_url) as connection:
        tables = {name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
        for statement in _statements(sql.Identifier(application), sql.Identifier(reader)):
            connection.execute(statement)
        for table in tables.intersection(APPEND_ONLY):
            connection.execute(_revoke("UPDATE, DELETE", table, application))
        for table in tables.intersection(CONFIDENTIAL):
            connection.execute(_revoke("ALL", table, reader))


def _statements(application: sql.Identifier, reader: sql.Identifier) -> list[sql.Composed]:
    templates = (
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {application}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {application}",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {application}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {application}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {reader}",
    )
    return [sql.SQL(template).format(application=application, reader=reader) for template in templates]


def _revoke(rights: str, table: str, role: str) -> sql.Composed:
    # `rights` are words of this module, never input.
    return sql.SQL("REVOKE " + rights + " ON {} FROM {}").format(sql.Identifier(table), sql.Identifier(role))
