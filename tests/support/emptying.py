"""What a test has committed is deleted after it, where there is something. Django truncates every table instead, and makes its rights anew."""

from functools import cache

from django.db import connection, transaction
from django.test import TransactionTestCase

KEPT = ("django_migrations", "django_content_type", "auth_permission")
TABLES = """
select relname from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition and relname <> all(%s)
"""
GUARDED = "accounts_ledgertransfer"  # a trigger refuses to delete from it


@cache
def tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(TABLES, [list(KEPT)])
        return [name for (name,) in cursor.fetchall()]


def empty_tables() -> None:
    """Keys between tables are checked when the transaction ends, so the order does not matter."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(" union all ".join(f"select '{name}' where exists (select from {name})" for name in tables()))
        for (name,) in cursor.fetchall():
            cursor.execute(f"truncate {name}" if name == GUARDED else f"delete from {name}")


def use_instead_of_flush() -> None:
    TransactionTestCase._fixture_teardown = lambda self: empty_tables()  # type: ignore[attr-defined,method-assign]
