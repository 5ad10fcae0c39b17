"""What `manage.py check --deploy` looks at beyond Django's own checks: who the application is in the database."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

JOURNAL = "trading_journal"


@register(Tags.database, deploy=True)
def check_database_role(databases: Sequence[str] | None, **_: Any) -> list[CheckMessage]:
    """Refuse a role that could rewrite the journal; asked with `--database default`."""
    if "default" not in (databases or ()):
        return []
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        is_superuser = cursor.fetchone()[0]
        cursor.execute("SELECT has_table_privilege(oid, 'UPDATE, DELETE') FROM pg_class WHERE relname = %s", [JOURNAL])
        can_rewrite = (cursor.fetchone() or [False])[0]
    if is_superuser:
        return [Error("The application's database role is a superuser.", hint=ROLES_HINT, id="quantdesk.E001")]
    if can_rewrite:
        return [Error("The application's database role can change or delete journal rows.", hint=ROLES_HINT, id="quantdesk.E002")]
    return []


ROLES_HINT = "Let one role own the tables (DATABASE_OWNER_URL) and another serve (DATABASE_URL); manage.py tables grants its rights."


@register(Tags.security, deploy=True)
def check_metrics_token(**_: Any) -> list[CheckMessage]:
    if settings.PRODUCTION and settings.METRICS_TOKEN and len(settings.METRICS_TOKEN) < 20:
        return [Warning("METRICS_TOKEN is short enough to be guessed.", hint="Use at least 20 random characters.", id="quantdesk.W001")]
    return []
