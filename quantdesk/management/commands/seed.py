from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from quantdesk.desk import seed


class Command(BaseCommand):
    help = "Create the markets, the collateral assets and, in a demo, its users and the accounts of its market makers. Safe to run again."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        seed.create_markets()
        seed.create_assets()
        if not settings.PRODUCTION:
            seed.create_demo(settings.DATA_DIR)
