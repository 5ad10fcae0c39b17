"""What a test has committed is deleted after it, where there is something. Django truncates every table instead, and makes rights anew."""

from functools import cache

from django.db import connection, transaction
from django.test import TransactionTestCase
from psycopg.sql import SQL, Identifier, Literal

KEPT = ("django_migrations", "django_content_type", "auth_permission")
TABLES = """
select relname from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition and relname <> all(%s)
"""
WRITTEN = SQL("select {name} where exists (select from {table})")
EMPTY, EMPTY_GUARDED = SQL("delete from {table}"), SQL("truncate {table}")
GUARDED = "accounts_ledgertransfer"  # a trigger refuses to delete from it


@cache
def tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(TABLES, [list(KEPT)])
        return [name for (name,) in cursor.fetchall()]


def empty_tables() -> None:
    """Keys between tables are checked when the transaction ends, so the order does not matter."""
    asked = [WRITTEN.format(name=Literal(name), table=Identifier(name)) for name in tables()]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SQL(" union all ").join(asked))
        for (name,) in cursor.fetchall():
            cursor.execute((EMPTY_GUARDED if name == GUARDED else EMPTY).format(table=Identifier(name)))


def use_instead_of_flush() -> None:
    TransactionTestCase._fixture_teardown = lambda self: empty_tables()  # type: ignore[attr-defined]
