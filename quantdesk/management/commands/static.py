import hashlib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand

# Of packages whose pages we do not use; django_htmx brings an htmx of its own, whose imports cannot be hashed.
UNUSED = ["django_htmx", "rest_framework"]


class Command(BaseCommand):
    help = "Collect static files under hashed names, unless none has changed since the last time."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        stamp: Path = settings.STATIC_ROOT / "fingerprint.txt"
        current = fingerprint()
        if not stamp.exists() or stamp.read_text() != current:
            call_command("collectstatic", interactive=False, clear=True, ignore_patterns=UNUSED, verbosity=0)
            stamp.write_text(current)


def fingerprint() -> str:
    """Return a hash over name, size and time of change of every source file."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list(UNUSED):
            found = Path(storage.path(name)).stat()
            digest.update(f"{name} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
