from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connections

from quantdesk.embedded.roles import grant_rights


class Command(BaseCommand):
    help = "Migrate as the owner of the tables, and give the application's role its rights on them."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        # The owner takes the default's place: migrations that read or write rows need no word about which database.
        connections["default"] = connections[settings.DATABASE_OWNER]
        call_command("migrate", verbosity=0)
        if settings.EMBEDDED_POSTGRES:
            grant_rights(settings.DATABASE_OWNER_URL)
